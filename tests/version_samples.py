"""Versions and ranges for generated tests, and short names for what a product says of them."""

from hypothesis import strategies as st

from licensing.choices import UnlistedVersions, VersionState
from licensing.versions import is_range

LATEST, ALLOWED, DEPRECATED, BLOCKED = VersionState
REFUSE, ALLOW, ALLOW_NEWER = UnlistedVersions
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
