"""What a product's list of versions says of one, and what a pin lets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from version_samples import (
    ALLOW,
    ALLOW_NEWER,
    ALLOWED,
    BLOCKED,
    DEPRECATED,
    LATEST,
    RANGES,
    REFUSE,
    bounds,
    ranges,
    scribbles,
    versions,
)

from licensing.choices import UnlistedVersions, VersionState
from licensing.errors import Refusal
from licensing.input_errors import VersionInvalid, VersionRangeInvalid
from licensing.ranges import spaced
from licensing.versions import VERSION_LENGTH, Finding, VersionList, matches, parse_pin, pin_allows, pin_text

states = st.sampled_from(VersionState)


def test_an_exact_rule_beats_every_range():
    listed = VersionList([("1.x", BLOCKED), ("1.4", ALLOWED), (">=2", ALLOWED), ("2.1.0", BLOCKED)], REFUSE)
    assert listed.judge("v1.4.0") == Finding("v1.4.0", ALLOWED, "1.4", allowed=True)
    assert listed.judge("1.5") == Finding("1.5", BLOCKED, "1.x", allowed=False)
    assert listed.judge("2.1") == Finding("2.1", BLOCKED, "2.1.0", allowed=False)
    assert listed.judge("2.2") == Finding("2.2", ALLOWED, ">=2", allowed=True)


@given(
    rules=st.permutations([(">=1", ALLOWED), (">=2", DEPRECATED), (">=3", BLOCKED)]),
    version=st.sampled_from(["1.5", "2.5", "3.5"]),
)
def test_the_strictest_of_the_ranges_that_match_wins_in_whatever_order_they_are_listed(rules, version: str):
    expected = {"1.5": ALLOWED, "2.5": DEPRECATED, "3.5": BLOCKED}[version]
    assert VersionList(rules, REFUSE).judge(version).state is expected


SPELLINGS = [("1.4", ALLOWED), ("v1.4.0.0", LATEST), ("v1.4", DEPRECATED), ("1.4.0", BLOCKED)]


@given(rules=st.lists(st.sampled_from(SPELLINGS), min_size=1, unique=True))
def test_the_strictest_of_several_spellings_of_a_version_wins(rules):
    strictest = max(rules, key=SPELLINGS.index)
    listed = VersionList(rules, ALLOW)
    assert listed.judge("1.4") == Finding("1.4", strictest[1], strictest[0], allowed=strictest[1] is not BLOCKED)
    assert listed.current == (strictest[0] if strictest[1] is LATEST else None)


@pytest.mark.parametrize("state", VersionState)
def test_only_a_blocked_version_of_the_list_is_not_allowed(state: VersionState):
    assert VersionList([("1.4", state)], REFUSE).judge("1.4").allowed == (state is not BLOCKED)


def test_an_omitted_version_is_the_latest_one():
    listed = VersionList([("1.4", ALLOWED), ("1.5", LATEST), ("1.x", BLOCKED)], REFUSE)
    assert listed.current == "1.5"
    assert listed.judge(None) == Finding("1.5", LATEST, "1.5", allowed=True)


@pytest.mark.parametrize(("unlisted", "allowed"), [(REFUSE, False), (ALLOW, True), (ALLOW_NEWER, False)])
def test_an_omitted_version_counts_as_not_listed_where_none_is_the_latest(
    unlisted: UnlistedVersions, *, allowed: bool
):
    listed = VersionList([("1.4", ALLOWED)], unlisted)
    assert listed.current is None
    assert listed.judge(None) == Finding(None, None, None, allowed=allowed)


@pytest.mark.parametrize("version", ["0.1", "1.4.1", "9.0", "build-77", "", "\ud800", "x" * 256])
@pytest.mark.parametrize(("unlisted", "allowed"), [(REFUSE, False), (ALLOW, True)])
def test_a_version_that_is_not_listed_is_what_the_product_says(
    unlisted: UnlistedVersions, version: str, *, allowed: bool
):
    assert VersionList([("1.4", LATEST)], unlisted).judge(version) == Finding(version, None, None, allowed=allowed)


@pytest.mark.parametrize(
    ("rules", "newer", "not_newer"),
    [
        ([("1.4", LATEST), ("2.0", ALLOWED)], "1.4.0.1 1.5 1.5.0-beta 3.0", "1.3 1.4.0-beta build-77"),
        ([("1.4", ALLOWED), ("2.0", BLOCKED)], "2.0.1 3.0 4.9", "1.5 1.9 2.0.0-rc.1 build-77"),
        ([("1.4", ALLOWED), (">=5", DEPRECATED)], "", "1.5 3.0 build-77"),
        ([("1.4", ALLOWED), ("build-77", ALLOWED)], "1.5", "1.3 build-78"),
        ([(">=2.1 <2.4", ALLOWED)], "2.4 3.0", "1.0 2.0.9 build-77"),
        ([("build-77", ALLOWED)], "", "1.5 build-78"),
        ([("build-77", LATEST), ("1.4", ALLOWED)], "", "1.5 build-78"),
        ([("<1", BLOCKED)], "1.0 2.0", "build-77"),
    ],
)
def test_where_newer_versions_are_allowed_an_unlisted_one_must_be_newer(rules, newer: str, not_newer: str):
    listed = VersionList(rules, ALLOW_NEWER)
    assert [listed.judge(version) for version in newer.split()] == [
        Finding(version, None, None, allowed=True) for version in newer.split()
    ]
    assert [version for version in not_newer.split() if listed.judge(version).allowed] == []


@given(rules=st.lists(st.tuples(st.one_of(versions, st.sampled_from(RANGES)), states), max_size=6), version=versions)
def test_a_list_never_finds_a_rule_that_does_not_match(rules, version: str):
    found = VersionList(rules, REFUSE).judge(version)
    matching = [(spec, state) for spec, state in rules if matches(spec, version)]
    assert (
        ((found.rule, found.state) in matching) if matching else found == Finding(version, None, None, allowed=False)
    )


def test_a_list_remembers_a_bounded_number_of_versions_and_answers_the_same_ever_after():
    listed = VersionList([("<1000", ALLOWED), ("1000", LATEST)], REFUSE)
    first = [listed.judge(str(number)) for number in range(3_000)]
    assert len(listed._memory) <= 1_024
    assert [listed.judge(str(number)) for number in range(3_000)] == first
    assert [finding.allowed for finding in first] == [number <= 1_000 for number in range(3_000)]


@given(version=st.one_of(st.none(), versions, scribbles))
def test_no_pin_lets_every_version_through(version: str | None):
    assert pin_allows(version, pinned=None, minimum=None, maximum=None)


@pytest.mark.parametrize(
    ("pin", "inside", "outside"),
    [
        (("1.4.0", None, None), "1.4 v1.4.0", "1.4.1 1.4.0-beta"),
        (("build-77", None, None), "build-77", "build-78 77"),
        ((None, "2.1", "2.4"), "2.1 2.3.9 2.3.0-beta", "2.0 2.4 2.4.0-beta build-77"),
        ((None, "2.1", None), "2.1 9.0", "2.0.9 build-77"),
        ((None, None, "2.4"), "0.1 2.3", "2.4 2.4.0-rc.1 build-77"),
        ((None, "v2.1", "V2.4.0"), "2.1.0 2.3", "2.4"),
    ],
)
def test_a_pin_lets_one_version_through_or_those_from_its_minimum_up_to_its_maximum(pin, inside: str, outside: str):
    names = dict(zip(("pinned", "minimum", "maximum"), pin, strict=True))
    assert [version for version in inside.split() if not pin_allows(version, **names)] == []
    assert [version for version in outside.split() if pin_allows(version, **names)] == []
    assert not pin_allows(None, **names)


@pytest.mark.parametrize(
    ("typed", "pin"),
    [
        ("", (None, None, None)), ("  ", (None, None, None)), (" 1.4.0 ", ("1.4.0", None, None)),
        ("=1.4", ("1.4", None, None)), ("build-77", ("build-77", None, None)), (">=2.1 <2.4", (None, "2.1", "2.4")),
        (">= v2.1.0, < 2.4", (None, "v2.1.0", "2.4")), ("<2.4 >=2.1", (None, "2.1", "2.4")),
        (">=2.1", (None, "2.1", None)), ("<2.4", (None, None, "2.4")), ("<=2.4", (None, None, "2.5")),
        (">=2.1.0-beta.2", (None, "2.1.0-beta.2", None)), ("2.x", (None, "2.0", "3.0")),
        ("~1.4.2", (None, "1.4.2", "1.5")), ("^0.3", (None, "0.3", "0.4")),
        ("^2.1.0-rc.2", (None, "2.1-rc.2", "3.0")),
        ("2.1 - 2.4", (None, "2.1", "2.5")),
    ],
)  # fmt: skip
def test_a_pin_is_read_as_it_is_typed(typed: str, pin: tuple[str | None, str | None, str | None]):
    assert parse_pin(typed) == pin


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("1 4", VersionInvalid), ("1.4\x00", VersionInvalid), ("1" * 65, VersionInvalid),
        (">=2.4 <2.1", VersionRangeInvalid), ("<=2.4.0", VersionRangeInvalid), (">2.4.0", VersionRangeInvalid),
        ("1.x || 3.x", VersionRangeInvalid), ("*", VersionRangeInvalid), (">=build-77", VersionRangeInvalid),
        ("<2.4 >=", VersionRangeInvalid), ("~", VersionRangeInvalid), (">=" + "1" * 65, VersionRangeInvalid),
        ("<" + "1" * 10_000, VersionRangeInvalid), (">=1 " * 50 + "<2", VersionRangeInvalid),
    ],
)  # fmt: skip
def test_what_is_no_pin_is_refused(typed: str, refusal: type[Refusal]):
    with pytest.raises(refusal) as refused:
        parse_pin(typed)
    assert refused.value.data == {"text": typed}


@given(text=st.one_of(scribbles, bounds, ranges, versions), version=versions)
def test_a_pin_lets_through_what_was_typed_and_reads_back_as_itself(text: str, version: str):
    try:
        pin = parse_pin(text)
    except (VersionInvalid, VersionRangeInvalid):
        return
    pinned, minimum, maximum = pin
    assert parse_pin(pin_text(*pin)) == pin
    assert all(bound is None or 0 < len(bound) <= VERSION_LENGTH for bound in pin)
    spec = spaced(text)
    allowed = pin_allows(version, pinned=pinned, minimum=minimum, maximum=maximum)
    assert allowed == (matches(spec, version) if spec else True)
