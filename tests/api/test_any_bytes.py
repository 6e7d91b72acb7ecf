"""Whatever bytes are sent, nothing is a fault of ours or changes what it may not; the database is looked at."""

import json
import sqlite3
from contextlib import closing

import pytest
from factories import ADDRESS, UNKNOWN_KEY
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from raw_http import ask

from licensing.choices import VersionMode
from licensing.services.usage import fold_seen

ONE_SERVER = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
# What a call may leave behind: that it was, and how it ended. A good one may take a seat besides.
LEFT_BEHIND = {"usage_daily", "attempts", "refusals"}
# Last-seen times go through a log, which is empty again, but for how far its ids went.
SEATS = {"license_addresses", "license_devices", "sqlite_sequence", "touched_log"}


def rows(folder):
    """Everything that is stored, by table."""
    with closing(sqlite3.connect(folder / "keyport.db")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in tables}


async def settled(shop, folder):
    """Everything that is stored once nothing waits to be written any more."""
    for waiting in (shop.usage, shop.traces.seen, shop.traces.attempts, shop.traces.refusals):
        await waiting.flush(shop.store)
    await fold_seen(shop.store)
    return rows(folder)


def differing(before, after):
    return {table for table in before.keys() | after.keys() if before.get(table) != after.get(table)}


def may_have_changed(code, body):
    """The tables that a call may change which was answered so."""
    if code != 200:
        return set()
    return LEFT_BEHIND | SEATS if body["valid"] else LEFT_BEHIND


def held_to_its_shape(code, body):
    if code == 200:
        assert list(body)[:2] == ["valid", "status"]
    else:
        assert list(body) == ["valid", "status", "message"]
        assert body["valid"] is False


@pytest.fixture
async def sold(shop):
    """A product with every check on, and the keys of a good license, a revoked one and one of nobody."""
    product = await shop.product(max_devices=2, versions=VersionMode.REPORT, explain=True)
    good, revoked = await shop.issue(max_ips=2), await shop.issue()
    await shop.licenses.revoke(shop.staff, revoked.key)
    return product.api_key, (good.key, revoked.key, UNKNOWN_KEY)


texts = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
# `KEY 0` and so on stand for the keys that the test has.
members = st.dictionaries(
    st.sampled_from(("license_key", "version", "device_id", "nonce", "other")),
    st.sampled_from(("KEY 0", "KEY 1", "KEY 2", "1.4.0", "")) | values,
)
good_bodies = st.fixed_dictionaries(
    {"license_key": st.sampled_from(("KEY 0", "KEY 1", "KEY 2"))},
    optional={"version": texts, "device_id": texts, "nonce": texts},
)
written = (members | good_bodies).map(lambda body: json.dumps(body).encode())


@st.composite
def damaged(draw):
    """Something well-formed with a piece cut out and another put in its place."""
    body = draw(written)
    start, end = sorted((draw(st.integers(0, len(body))), draw(st.integers(0, len(body)))))
    return body[:start] + draw(st.binary(max_size=8)) + body[end:]


bodies = st.one_of(
    written,
    damaged(),
    st.binary(max_size=300),
    st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.integers(16_000, 20_000).map(lambda size: b'{"license_key":"KEY 0","pad":"' + b"a" * size + b'"}'),
)


def with_keys(body, keys):
    for number, key in enumerate(keys):
        body = body.replace(b"KEY %d" % number, key.encode())
    return body


@given(body=bodies)
@example(body=b'{"license_key":"KEY 0","device_id":"one"}')
@ONE_SERVER
async def test_no_bytes_as_a_body_are_a_fault_of_ours_or_change_what_is_stored(shop, sold, tmp_path, body):
    api_key, keys = sold
    before = await settled(shop, tmp_path)
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json", "X-Forwarded-For": ADDRESS}
    reply = await shop.post(with_keys(body, keys), headers)
    assert reply.code in {200, 400, 413, 422}
    held_to_its_shape(reply.code, reply.body)
    assert differing(before, await settled(shop, tmp_path)) <= may_have_changed(reply.code, reply.body)


NAMES = (
    "Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Encoding", "Content-Type", "Cookie",
    "Forwarded", "Host", "Keep-Alive", "Origin", "Range", "TE", "Trailer", "Upgrade", "User-Agent", "X-Forwarded-For",
    "X-Http-Method-Override", "X-Request-Id", "X-Signature-Timestamp",
)  # fmt: skip
# Those of a body's length are left out: with them a body can be one that never ends, which has tests of its own.
header_names = st.sampled_from(NAMES).map(str.encode) | st.from_regex(
    rb"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True
)
header_values = st.one_of(
    st.sampled_from(
        (b"", b"application/json", b"text/plain", b"gzip", b"close", b"Bearer x", b"203.0.113.7", b"h2c")
    ),
    st.binary(max_size=60).map(lambda value: value.translate(None, b"\r\n")),
    texts.map(str.encode).map(lambda value: value.translate(None, b"\r\n")),
)
header_lines = st.lists(st.tuples(header_names, header_values), max_size=6)


@given(lines=header_lines, api_key_stands=st.sampled_from((0, 1, 1, 1, 2)))
@ONE_SERVER
async def test_no_headers_are_a_fault_of_ours_or_change_what_is_stored(shop, sold, tmp_path, lines, api_key_stands):
    api_key, (good, *_others) = sold
    body = json.dumps({"license_key": good}).encode()
    own = [(b"Host", b"x"), (b"Content-Length", str(len(body)).encode())]
    own += [(b"Authorization", f"Bearer {api_key}".encode())] * api_key_stands
    head = [b"POST /api/v1/validate HTTP/1.1", *(name + b": " + value for name, value in (*own, *lines)), b"", b""]
    before = await settled(shop, tmp_path)
    answer = await ask(shop.url, b"\r\n".join(head) + body)
    assert answer.code in {200, 400, 401, 415}
    held_to_its_shape(answer.code, answer.body)
    assert answer.one("X-Request-Id")
    assert differing(before, await settled(shop, tmp_path)) <= may_have_changed(answer.code, answer.body)
