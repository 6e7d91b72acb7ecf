"""Versions: how they and ranges of them are typed, how they are ordered, and what a range holds."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from nodesemver import satisfies
from version_samples import (
    ALLOW_NEWER,
    ALLOWED,
    LATEST,
    RANGES,
    bounds,
    full_releases,
    joined,
    pre_releases,
    ranges,
    releases,
    scribbles,
    versions,
)

from licensing.input_errors import VersionInvalid, VersionRangeInvalid
from licensing.ranges import intervals
from licensing.versions import (
    VERSION_LENGTH,
    VersionList,
    is_newer,
    is_range,
    matches,
    parse_pin,
    pin_allows,
    tidy_spec,
    tidy_version,
)

ASCENDING = [
    "0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
    "1.0.0-rc.1", "1.0.0", "1.0.0.1", "1.0.0.2-rc.1", "1.0.0.2", "1.0.1", "v1.2", "1.10", "2", "2024.2", "2024.11",
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" 1.4.0\n", "1.4.0"), ("v2.3", "v2.3"), ("2", "2"), ("build-77", "build-77"), ("2024.11", "2024.11"),
        ("2.1.0-beta.2", "2.1.0-beta.2"), ("1.4.0.3", "1.4.0.3"), ("Größe-1", "Größe-1"),
        ("x" + "1" * 63, "x" + "1" * 63),
    ],
)  # fmt: skip
def test_a_version_is_kept_as_it_was_typed_but_for_blanks_around_it(typed: str, kept: str):
    assert tidy_version(typed) == kept
    assert tidy_spec(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "  ", "1 4", "1.4\t0", "1.4\x00", "1.4\u200b", "1" * 65, "1" * 10_000, "1.x", ">=2", "*"]
)
def test_what_is_blank_broken_unprintable_too_long_or_a_range_is_no_version(typed: str):
    with pytest.raises(VersionInvalid):
        tidy_version(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (">= 2.1   < 2.4", ">=2.1 <2.4"), (">=2.1,<2.4", ">=2.1 <2.4"), (">=2.1<2.4", ">=2.1 <2.4"), ("1.x", "1.x"),
        ("~ 1.4", "~1.4"), ("^2", "^2"), ("1.4||1.6", "1.4 || 1.6"), ("= 1.4", "1.4"), ("2.1 - 2.4", "2.1 - 2.4"),
    ],
)  # fmt: skip
def test_a_range_is_kept_with_single_blanks(typed: str, kept: str):
    assert tidy_spec(typed) == kept


def test_a_range_may_be_as_long_as_a_version_and_a_pin_twice_that():
    longest = "<" + "1" * (VERSION_LENGTH - 1)
    assert tidy_spec(longest) == longest
    low, high = "1" * VERSION_LENGTH, "2" * VERSION_LENGTH
    assert parse_pin(f">={low} <{high}") == (None, low, high)


def test_a_version_of_256_characters_has_its_order():
    assert is_newer("1" * 256, "1" * 255)
    assert matches("*", "1" * 256)


@pytest.mark.parametrize(
    "typed",
    [
        ">=2 <1", ">=2.4 <2.4.0", "<0", ">*", "<*", "1.x 2.x <3", ">=", "<>", ">=2 foo", ">=build-77", "1.x ||", "||",
        ">=2 <1 || 3.x", ">=1.2.3.4.5", "> =2", ">=1.4 -", "<" + "1" * VERSION_LENGTH, ">=" + "1" * 10_000,
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_read_or_holds_nothing_is_refused(typed: str):
    with pytest.raises(VersionRangeInvalid) as refused:
        tidy_spec(typed)
    assert refused.value.data == {"text": typed}


@given(text=scribbles)
def test_whatever_is_typed_becomes_a_tidy_spec_that_stays_as_it_is_or_a_refusal(text: str):
    try:
        spec = tidy_spec(text)
    except (VersionInvalid, VersionRangeInvalid):
        return
    assert tidy_spec(spec) == spec
    assert 0 < len(spec) <= VERSION_LENGTH


@given(spec=scribbles, version=st.one_of(versions, scribbles), other=scribbles)
@example(spec=">=" + "9" * 5_000 + ".x", version="9" * 5_000, other="1." + "9" * 5_000)
@example(spec="1", version="\u0661", other="1\ud800")
def test_nothing_that_a_caller_sends_raises(spec: str, version: str, other: str):
    matches(spec, version)
    is_newer(version, other)
    pin_allows(version, pinned=None, minimum=spec, maximum=other)
    VersionList([(spec, ALLOWED), (other, LATEST)], ALLOW_NEWER).judge(version)


def test_versions_are_ordered_as_semantic_versioning_says_with_a_fourth_number():
    for at, version in enumerate(ASCENDING):
        assert [is_newer(version, than) for than in ASCENDING] == [place < at for place in range(len(ASCENDING))]


@pytest.mark.parametrize(
    "version", ["build-77", "latest", "1.2.3.4.5", "", "1..2", "-1", "1.0-", "\u0661.0", "1" * 257]
)
def test_a_version_without_an_order_is_neither_newer_nor_older_nor_in_any_range(version: str):
    assert not is_newer(version, "1.0")
    assert not is_newer("1.0", version)
    assert not matches("*", version)


@pytest.mark.parametrize("equal", ["1.4", "v1.4.0", "V1.4", "1.4.0.0", "1.4.0+5", "01.04", " 1.4 "])
def test_an_exact_rule_names_every_spelling_of_its_version(equal: str):
    assert matches("1.4.0", equal)
    assert matches(equal, "1.4.0")


@pytest.mark.parametrize("other", ["1.4.1", "1.4.0-beta", "1.4.0.1", "1.40", "build-77", ""])
def test_an_exact_rule_names_no_other_version(other: str):
    assert not matches("1.4.0", other)


def test_versions_without_an_order_equal_only_themselves():
    assert matches("build-77", "build-77")
    assert matches("build-77", " build-77 ")
    assert not matches("build-77", "build-078")
    assert not matches("build-77+1", "build-77+2")


@pytest.mark.parametrize(
    ("spec", "inside", "outside"),
    [
        (">=2.1 <2.4", "2.1 v2.3 2.3.9.9 2.3.0-beta 2.1.0-beta.2", "2.0.9 2.4 2.4.0-beta 2.4.0-rc.1 3.0"),
        (">=1.4 <1.5", "1.4 1.4.0.3 1.4.9", "1.5 1.3.9.9"),
        (">=1.4.0", "1.4 1.4.0.3 1.4.0-beta 2024.11", "1.3.9"),
        ("<2.4.0", "2.3.9 0", "2.4.0-beta 2.4"),
        (">=2.4.0-beta.2", "2.4.0-beta.2 2.4.0-beta.11 2.4.0-rc.1 2.4", "2.4.0-beta.1 2.3"),
        ("<2.4.0-beta.2", "2.4.0-beta.1 2.3", "2.4.0-beta.2 2.4"),
        ("<=1.4", "1.4 1.4.7", "1.5 1.5.0-beta"),
        ("<=1.4.0", "1.4 1.4.0-beta", "1.4.0.1 1.4.1"),
        (">1.4", "1.5 1.5.0-beta", "1.4 1.4.7"),
        (">1.4.0", "1.4.0.1 1.4.1", "1.4 1.4.0-beta"),
        (">1.4.0.3", "1.4.0.4 1.4.1", "1.4.0.3 1.4.0.3-beta"),
        ("1.x", "1.0 1.9.9.9 1.0.0-beta 1.9", "0.9 2.0 2.0.0-beta"),
        ("1.4.0.x", "1.4.0 1.4.0.3", "1.4.1 1.3"),
        ("~1.4.2", "1.4.2 1.4.9", "1.4.1 1.5"),
        ("~1", "1.0 1.9", "2.0 0.9"),
        ("~1.4.0.3", "1.4.0.3 1.4.9", "1.4.0.2 1.5"),
        ("^2.3", "2.3 2.9", "2.2 3.0 3.0.0-beta"),
        ("^0.3.1", "0.3.1 0.3.9", "0.3.0 0.4"),
        ("^0.0.3", "0.0.3 0.0.3.1", "0.0.4 0.0.2"),
        ("^0", "0.0.1 0.9", "1.0"),
        ("2.1 - 2.4", "2.1 2.4 2.4.9", "2.0 2.5"),
        ("2.1 - 2.4.0", "2.1 2.4", "2.4.1"),
        ("1.4 || 1.6 || >=2 <3", "1.4 1.6.0 2.5", "1.5 1.4.1 3.0"),
        ("*", "0 1.0 2024.11 1.0.0-beta", "build-77"),
    ],
)
def test_a_range_holds_what_it_says(spec: str, inside: str, outside: str):
    assert tidy_spec(spec) == spec
    assert [version for version in inside.split() if not matches(spec, version)] == []
    assert [version for version in outside.split() if matches(spec, version)] == []


@given(spec=ranges, version=full_releases)
def test_ranges_hold_the_releases_that_node_semver_says(spec: str, version: str):
    assume(intervals(spec))  # an alternative that holds nothing is refused here
    assert matches(spec, version) == satisfies(version, spec, loose=True, include_prerelease=True)


@given(spec=joined(bounds), version=pre_releases)
def test_ranges_hold_the_pre_releases_that_node_semver_says(spec: str, version: str):
    assume(intervals(spec))
    assert matches(spec, version) == satisfies(version, spec, loose=True, include_prerelease=True)


@given(bound=releases, version=versions)
def test_every_version_is_either_below_a_release_or_from_it_on(bound: str, version: str):
    assert matches(f"<{bound}", version) != matches(f">={bound}", version)
    assert matches(f"<={bound}", version) != matches(f">{bound}", version)


@given(one=versions, other=versions, third=versions)
def test_the_order_of_versions_is_total(one: str, other: str, third: str):
    assert is_newer(one, other) + is_newer(other, one) + matches(one, other) == 1
    if is_newer(one, other) and is_newer(other, third):
        assert is_newer(one, third)


@pytest.mark.parametrize("spec", RANGES)
def test_a_range_is_told_from_a_version(spec: str):
    assert is_range(spec)


@pytest.mark.parametrize("spec", ["1.4", "v2", "build-77", "1.4.0-beta.x", "xenon", "X11", "2.1.0-rc-1"])
def test_a_version_is_told_from_a_range(spec: str):
    assert not is_range(spec)
