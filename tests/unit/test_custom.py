"""Custom responses: kept byte for byte as JavaScript writes them, refused where programs differ, and merged."""

import json
import math
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from licensing.custom import CUSTOM_BYTES, canonical, merged
from licensing.input_errors import (
    CustomNotJson,
    CustomNotObject,
    CustomNotPortable,
    CustomTooLarge,
    IntegerTooLarge,
    LoneSurrogate,
    MemberTwice,
    NameLikeInteger,
    NestedTooDeep,
    NumberUnknown,
)

NODE = shutil.which("node")
ECHO = """
require("readline").createInterface({input: process.stdin}).on("line", (line) => {
  let written = null;
  try { written = JSON.stringify(JSON.parse(JSON.parse(line))); } catch (error) { written = null; }
  process.stdout.write(JSON.stringify(written) + "\\n");
});
"""
SAFE = 2**53

names = st.text(st.characters(codec="utf-8"), max_size=6).map(lambda name: f"n{name}")
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-SAFE, SAFE),
    st.floats(-1e15, 1e15, allow_nan=False).filter(lambda number: number != int(number)),
    st.text(st.characters(codec="utf-8"), max_size=12),
)
values = st.recursive(
    plain,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)
objects = st.dictionaries(names, values, max_size=4)

numbers = st.one_of(
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
blanks = st.sampled_from(["", "", " ", "\n\t", "\r\n"])
typed_strings = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=8).map(json.dumps),
    st.text(st.characters(codec="utf-8", min_codepoint=32).filter(lambda c: c not in '"\\'), max_size=8).map(
        '"{}"'.format
    ),
    st.sampled_from(['"\\/"', '"\\u00E4\\u001F"', '"\\ud83d\\ude00"', '"\\u2028\x7f"', '"\\ud800"', '"__proto__"']),
)
scalars = st.one_of(numbers, typed_strings, st.sampled_from(["true", "false", "null"]))


def typed_lists(inner):
    return st.tuples(blanks, st.lists(inner, max_size=3)).map(
        lambda parts: f"[{parts[0]}{','.join(parts[1])}{parts[0]}]"
    )


def typed_objects(inner):
    members = st.lists(
        st.tuples(typed_strings, blanks, inner).map(lambda parts: f"{parts[0]}{parts[1]}:{parts[2]}"), max_size=4
    )
    return st.tuples(blanks, members).map(lambda parts: f"{parts[0]}{{{parts[0]}{','.join(parts[1])}}}{parts[0]}")


typed = typed_objects(st.recursive(scalars, lambda inner: typed_lists(inner) | typed_objects(inner), max_leaves=6))


@pytest.fixture(scope="module")
def javascript():
    """What JSON.stringify(JSON.parse(text)) gives, asked of one process for all texts; None where it throws."""
    if NODE is None:
        pytest.skip("node is not installed")
    with subprocess.Popen(
        [NODE, "-e", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:

        def rewritten(text: str) -> str | None:
            process.stdin.write(json.dumps(text) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield rewritten
        process.stdin.close()


@given(text=typed)
@example(
    text='{"a":1.0,"b":1e21,"c":1e-7,"d":-0,"e":-0.0,"f":5e-324,"g":1.7976931348623157e308,"h":123e-20,"i":1e-400}'
)
@example(text='{"__proto__":{"b":1},"constructor":2,"01":3,"-1":4,"1.5":5,"":6}')
def test_what_is_kept_is_what_javascript_writes(javascript, text: str):
    try:
        kept = canonical(text)
    except CustomNotPortable:
        return
    assert kept == javascript(text)
    assert canonical(kept) == kept


@given(number=numbers)
def test_every_number_is_written_as_javascript_does_or_refused_as_too_large(javascript, number: str):
    text = '{"a":' + number + "}"
    is_integer = number.lstrip("-").isdecimal()
    if abs(int(number) if is_integer else float(number)) <= SAFE:
        assert canonical(text) == javascript(text)
        return
    try:
        assert canonical(text) == javascript(text)
    except CustomNotPortable:
        assert is_integer or not 1e21 <= abs(float(number)) < math.inf


@given(text=st.one_of(st.text(), st.text(st.sampled_from('{}[]",:\\ntrue0123.e-+u/ \n\x00'), max_size=30)))
def test_what_javascript_does_not_read_is_never_kept(javascript, text: str):
    try:
        kept = canonical(text)
    except (CustomNotJson, CustomNotObject, CustomNotPortable):
        return
    assert kept == javascript(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("{}", "{}"),
        ('\ufeff { "b" : 1.0 ,\r\n\t"a" : [ 1 , { } , [ ] ] } \n', '{"b":1,"a":[1,{},[]]}'),
        ('{"a":1e21,"b":1e-7,"c":-0,"d":0.000001}', '{"a":1e+21,"b":1e-7,"c":0,"d":0.000001}'),
        ('{"a":100e-2,"b":-12.50,"c":1.5E+3,"d":1e-400}', '{"a":1,"b":-12.5,"c":1500,"d":0}'),
        ('{"a":1.5e-7,"b":-25e298,"c":1e-9}', '{"a":1.5e-7,"b":-2.5e+299,"c":1e-9}'),
        ('{"a":9007199254740992,"b":-9007199254740992}', '{"a":9007199254740992,"b":-9007199254740992}'),
        ('{"a":"\\u00e4\\u0001\\/\\u2028","b":true}', '{"a":"ä\\u0001/\u2028","b":true}'),
        ('{"\\ud83d\\ude00":null}', '{"😀":null}'),
    ],
)  # fmt: skip
def test_an_object_is_kept_compact_in_the_order_it_was_typed(text: str, kept: str):
    assert canonical(text) == kept


@given(value=objects, indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_every_portable_object_is_kept_and_means_the_same(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert json.loads(canonical(text)) == value
    assert list(json.loads(canonical(text))) == list(value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"1":0}', "1"), ('{"a":{"0":0}}', "a.0"), ('{"a":[0,{"17":0}]}', "a[1].17"), ('{"a":1,"a":1}', "a"),
        ('{"a":9007199254740993}', "a"), ('{"a":-9007199254740993}', "a"), ('{"a":[1,1e20]}', "a[1]"),
        ('{"a":1e16}', "a"), ('{"a":1000000000000000000000000}', "a"), ('{"a":' + "9" * 5_000 + "}", "a"),
        ('{"a":1e309}', "a"), ('{"a":-1e309}', "a"), ('{"a":NaN}', "a"), ('{"a":Infinity}', "a"),
        ('{"a":-Infinity}', "a"), ('{"a":"\\ud800"}', "a"), ('{"a":"\\udc00\\ud800"}', "a"), ('{"a":"\ud800"}', "a"),
        ('{"b":{"a\\udfff":1}}', "b.a\ufffd"), ('{"\\ud800":1}', "\ufffd"),
    ],
)  # fmt: skip
def test_what_programs_read_differently_is_refused_with_its_place(text: str, where: str):
    with pytest.raises(CustomNotPortable) as refused:
        canonical(text)
    assert refused.value.data == {"where": where}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"1":0}', NameLikeInteger), ('{"a":1,"a":1}', MemberTwice), ('{"1":0,"1":0}', NameLikeInteger),
        ('{"a":9007199254740993}', IntegerTooLarge), ('{"a":1e20}', IntegerTooLarge),
        ('{"a":' + "9" * 5_000 + "}", IntegerTooLarge), ('{"a":-' + "9" * 5_000 + "}", IntegerTooLarge),
        ('{"a":1e309}', NumberUnknown), ('{"a":NaN}', NumberUnknown), ('{"a":-Infinity}', NumberUnknown),
        ('{"a":"\\ud800"}', LoneSurrogate), ('{"a\\ud800":1}', LoneSurrogate),
    ],
)  # fmt: skip
def test_what_programs_read_differently_is_told_by_its_kind(text: str, kind: type[CustomNotPortable]):
    with pytest.raises(CustomNotPortable) as refused:
        canonical(text)
    assert type(refused.value) is kind


@pytest.mark.parametrize("text", ['{"a":\n' + "[" * 40 + "]" * 40 + "}", '\n{"a":' + "[" * 40 + "]" * 40 + "\n\n}"])
def test_what_is_nested_too_deep_is_told_by_its_line(text: str):
    with pytest.raises(NestedTooDeep) as refused:
        canonical(text)
    assert refused.value.data == {"line": 2, "limit": 32}


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1), ("  ", 1, 3), ("{", 1, 2), ('{"a":1}x', 1, 8), ('{"a":1,}', 1, 8), ("{'a':1}", 1, 2),
        ('{\n "a": 01}', 2, 8), ('{"a":"\n"}', 1, 7), ('{"a":"\x00"}', 1, 7), ('{"a":"\\x"}', 1, 7),
        ('{"a":.5}', 1, 6), ('{"a":+1}', 1, 6), ("\u00a0{}", 1, 1),
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused_with_line_and_column(text: str, line: int, column: int):
    with pytest.raises(CustomNotJson) as refused:
        canonical(text)
    assert refused.value.data["line"] == line
    assert abs(refused.value.data["column"] - column) <= 1  # Python's versions differ over the comma before a brace


@pytest.mark.parametrize("text", ["[]", "[{}]", "1", '"a"', "null", "true", "NaN", " 1e999 "])
def test_json_that_is_no_object_is_refused(text: str):
    with pytest.raises(CustomNotObject):
        canonical(text)


def test_an_object_may_have_as_many_bytes_as_the_limit_and_not_one_more():
    longest = '{"a":"' + "ä" * (CUSTOM_BYTES // 2 - 4) + '"}'
    assert len(canonical(longest).encode()) == CUSTOM_BYTES
    with pytest.raises(CustomTooLarge) as refused:
        canonical(longest.replace('"}', 'x"}'))
    assert refused.value.data == {"limit": CUSTOM_BYTES}


def test_blanks_do_not_count_towards_the_limit_within_reason():
    reason = 8 * CUSTOM_BYTES
    assert canonical("{}".center(reason)) == "{}"
    with pytest.raises(CustomTooLarge) as refused:
        canonical("{}".center(reason + 1))
    assert refused.value.data == {"limit": CUSTOM_BYTES}


@pytest.mark.parametrize(
    "nested", ["[" * 8_000, '{"a":' * 8_000, '{"a":' + "[" * 4_000 + "]" * 4_000 + "}", "[{" * 4_000]
)
def test_thousands_of_brackets_are_refused_like_anything_else(nested: str):
    with pytest.raises(CustomNotPortable):
        canonical(nested)


def test_an_object_may_be_nested_32_deep_and_no_deeper():
    deepest = '{"a":' * 31 + "[]" + "}" * 31
    assert canonical(deepest) == deepest
    with pytest.raises(CustomNotPortable):
        canonical(deepest.replace("[]", "[[]]"))
    side_by_side = '{"a":[' + ",".join(["[]", "{}"] * 40) + "]}"
    assert canonical(side_by_side) == side_by_side


def test_brackets_inside_of_text_are_no_nesting():
    text = '{"a":"' + "[" * 100 + '","b":"\\"' + "{" * 100 + '"}'
    assert canonical(text) == text


@given(text=st.one_of(typed, st.text(), st.text(st.characters(codec=None, categories=None), max_size=40)))
def test_whatever_is_typed_is_kept_in_few_bytes_or_refused(text: str):
    try:
        kept = canonical(text)
    except (CustomNotJson, CustomNotObject, CustomNotPortable, CustomTooLarge):
        return
    assert len(kept.encode()) <= CUSTOM_BYTES


@pytest.mark.parametrize(
    ("template", "override", "answer"),
    [
        (None, None, None),
        ("{}", None, None),
        (None, "{}", None),
        ("{}", "{}", None),
        ('{"a":1}', None, '{"a":1}'),
        (None, '{"a":1}', '{"a":1}'),
        ("{}", '{"a":1}', '{"a":1}'),
        ('{"a":1,"b":2}', '{"c":3,"a":4}', '{"a":4,"b":2,"c":3}'),
        ('{"a":{"b":{"c":1,"d":2}}}', '{"a":{"b":{"d":3}}}', '{"a":{"b":{"c":1,"d":3}}}'),
        ('{"a":{"b":1}}', '{"a":null}', '{"a":null}'),
        ('{"a":{"b":1}}', '{"a":[1]}', '{"a":[1]}'),
        ('{"a":[1,2]}', '{"a":[3]}', '{"a":[3]}'),
        ('{"a":1}', '{"a":{"b":1}}', '{"a":{"b":1}}'),
        ('{"a":1e+21,"b":1e-7}', '{"c":0.1}', '{"a":1e+21,"b":1e-7,"c":0.1}'),
        ('{"ä":"😀"}', '{"b":"\\u0001"}', '{"ä":"😀","b":"\\u0001"}'),
    ],
)
def test_an_override_is_laid_over_the_template_member_by_member(
    template: str | None, override: str | None, answer: str | None
):
    assert merged(template, override) == answer


def naive_merge(below, above):
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    names = [*below, *(name for name in above if name not in below)]
    return {
        name: naive_merge(below[name], above[name]) if name in below and name in above else {**below, **above}[name]
        for name in names
    }


@given(template=objects, override=objects, shared=st.dictionaries(names, objects, max_size=2))
def test_a_merged_answer_is_canonical_and_holds_both_with_the_override_winning(template, override, shared):
    below = canonical(json.dumps(template | shared))
    above = canonical(json.dumps(override | {name: {"n": name, **value} for name, value in shared.items()}))
    answer = merged(below, above)
    expected = naive_merge(json.loads(below), json.loads(above))
    assert answer is None if not expected else (json.loads(answer), canonical(answer)) == (expected, answer)
    assert merged(below, below) == merged(below, None)
