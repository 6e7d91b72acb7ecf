"""Versions: how they are typed and ordered, what a product's list says of them, and what a pin lets through."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from nodesemver import satisfies

from licensing.choices import UnlistedVersions, VersionState
from licensing.errors import Refusal
from licensing.input_errors import VersionInvalid, VersionRangeInvalid
from licensing.ranges import intervals, spaced
from licensing.versions import (
    VERSION_LENGTH,
    Finding,
    VersionList,
    is_newer,
    is_range,
    matches,
    parse_pin,
    pin_allows,
    pin_text,
    tidy_spec,
    tidy_version,
)

LATEST, ALLOWED, DEPRECATED, BLOCKED = VersionState
REFUSE, ALLOW, ALLOW_NEWER = UnlistedVersions

ASCENDING = [
    "0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
    "1.0.0-rc.1", "1.0.0", "1.0.0.1", "1.0.0.2-rc.1", "1.0.0.2", "1.0.1", "v1.2", "1.10", "2", "2024.2", "2024.11",
]  # fmt: skip
RANGES = [
    ">=2.1 <2.4",
    "1.x",
    "1.4.*",
    "~1.4",
    "^2",
    "^0.3.1",
    ">=1 <2 || 3.x",
    "2.1 - 2.4",
    "*",
    "<=1.4.0",
    ">1.4.0",
]

few = st.integers(0, 3)
releases = st.lists(few, min_size=1, max_size=4).map(lambda numbers: ".".join(map(str, numbers)))
stages = st.sampled_from(["", "-beta", "-beta.2", "-beta.11", "-rc.1", "+5", "-rc.1+5"])
versions = st.tuples(st.sampled_from(["", "v"]), releases, stages).map("".join)
full_releases = st.tuples(few, few, few).map(lambda numbers: ".".join(map(str, numbers)))
pre_releases = st.tuples(full_releases, st.sampled_from(["-beta", "-beta.2", "-rc.1"])).map("".join)
partials = st.lists(few, min_size=1, max_size=2).map(lambda numbers: ".".join(map(str, numbers)))
lines = st.sampled_from(["1.x", "0.x", "2.1.x", "*"])
operators = st.sampled_from([">=", ">", "<", "<=", "~", "~>", "^"])
bounds = st.one_of(st.tuples(operators, st.one_of(full_releases, partials, lines)).map("".join), lines)
exact = st.one_of(full_releases, full_releases.map("={}".format))


def joined(parts):
    alternatives = st.lists(parts, min_size=1, max_size=2).map(" ".join)
    return st.lists(alternatives, min_size=1, max_size=2).map(" || ".join).filter(is_range)


ranges = joined(st.one_of(bounds, exact))
scribbles = st.one_of(st.text(max_size=80), st.text(st.sampled_from("0123.vxX*-+<>=~^| \tab"), max_size=80))
states = st.sampled_from(VersionState)


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
