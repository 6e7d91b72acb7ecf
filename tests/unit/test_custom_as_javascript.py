"""Custom responses that are typed in every way: kept byte for byte as JavaScript writes them, or refused."""

import json
import math
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from licensing.custom import CUSTOM_BYTES, canonical
from licensing.input_errors import CustomNotJson, CustomNotObject, CustomNotPortable, CustomTooLarge

NODE = shutil.which("node")
ECHO = """
require("readline").createInterface({input: process.stdin}).on("line", (line) => {
  let written = null;
  try { written = JSON.stringify(JSON.parse(JSON.parse(line))); } catch (error) { written = null; }
  process.stdout.write(JSON.stringify(written) + "\\n");
});
"""
SAFE = 2**53

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


@given(text=st.one_of(typed, st.text(), st.text(st.characters(codec=None, categories=None), max_size=40)))
def test_whatever_is_typed_is_kept_in_few_bytes_or_refused(text: str):
    try:
        kept = canonical(text)
    except (CustomNotJson, CustomNotObject, CustomNotPortable, CustomTooLarge):
        return
    assert len(kept.encode()) <= CUSTOM_BYTES
