"""Custom responses: kept compact, refused where programs read them differently, and merged."""

import json

import pytest
from hypothesis import given
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
