"""Guarantees about the bytes of a validation's answer, and about the sentences for a bad request."""

import json

import pytest
from factories import make_product, make_product_snapshot, make_settings
from hypothesis import given
from hypothesis import strategies as st

from bot.api.answers import answer_body, explanation
from bot.api.errors import Refused
from bot.api.schemas import parse_validate
from licensing.custom import canonical
from licensing.models import License
from licensing.services.answers import Answer
from licensing.spreadsheet import iso_moment
from licensing.verdict import STRICT, Status, Verdict

FIELDS = [
    "valid", "status", "expires", "ip_registered", "ip_count", "max_ips",
    "version", "version_valid", "custom", "signature",
]  # fmt: skip
TIMES = st.integers(0, 253_000_000_000_000)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=256)
LICENSES = st.builds(
    License,
    id=st.integers(1, 2**62),
    organization_id=st.integers(1, 2**62),
    product_id=st.integers(1, 2**62),
    expires_at_ms=st.none() | TIMES,
    max_ips=st.none() | st.integers(1, 100_000),
    created_at_ms=TIMES,
    updated_at_ms=TIMES,
)
VERDICTS = st.builds(
    Verdict,
    st.sampled_from(Status),
    st.none() | LICENSES,
    st.none() | st.booleans(),
    st.none() | st.integers(0, 100_000),
    version=st.none() | TEXTS,
    version_valid=st.none() | st.booleans(),
)
CUSTOM = {"tier": "gold", "größe": [1, 2.5, {"x": None}], "on": True}
REFUSED = [status for status in Status if status is not Status.ACTIVE]


def written(members):
    """Return what a JSON library writes."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def product_that(**settings):
    return make_product_snapshot(make_product(settings=make_settings(**settings)))


@given(VERDICTS, st.none() | st.just(CUSTOM), st.none() | TEXTS, st.none() | st.just("ab" * 32))
def test_the_answer_is_what_a_json_library_would_write_in_the_contracts_order(verdict, custom, nonce, signature):
    signed = []
    if verdict.status is Status.LICENSE_NOT_FOUND:  # of what is not found nothing is told
        verdict = verdict._replace(license=None, ip_registered=None, ip_count=None)
    license_ = verdict.license

    def sign(data):
        signed.append(data)
        return signature

    ends = license_ is not None and license_.expires_at_ms is not None
    counted = license_ is not None and verdict.ip_count is not None
    values = [
        verdict.status is Status.ACTIVE,
        verdict.status.value,
        iso_moment(license_.expires_at_ms) if ends else None,
        verdict.ip_registered,
        verdict.ip_count,
        license_.max_ips if counted else None,
        verdict.version,
        verdict.version_valid,
        custom,
        signature,
    ]
    expected = dict(zip(FIELDS, values, strict=True)) | ({} if nonce is None else {"nonce": nonce})
    answer = Answer(verdict, custom=canonical(json.dumps(custom)) if custom else None)
    assert answer_body(answer, nonce=nonce, sign=sign if signature else None) == written(expected)
    assert signed == (
        [written({name: it for name, it in expected.items() if name != "signature"})] if signature else []
    )


@pytest.mark.parametrize("status", REFUSED)
@pytest.mark.parametrize("nonce", [None, "n"])
def test_a_product_that_explains_says_more_at_the_end_of_a_refusal(status, nonce):
    answer = Answer(Verdict(status), product_that(explain=True), support_code="K7QF-2MXR")
    body = json.loads(answer_body(answer, nonce=nonce))
    assert list(body) == [*FIELDS, *(["nonce"] if nonce else []), "message", "support_code"]
    assert (body["message"], body["support_code"]) == (explanation(status), "K7QF-2MXR")
    silent = answer._replace(product=product_that())
    assert list(json.loads(answer_body(silent, nonce=nonce))) == [*FIELDS, *(["nonce"] if nonce else [])]


@pytest.mark.parametrize("status", Status)
def test_a_product_that_is_strict_names_keyports_statuses_alone(status):
    strict = Answer(Verdict(status), product_that(strict_statuses=True))
    assert json.loads(answer_body(strict, nonce=None))["status"] == STRICT.get(status, status)
    assert json.loads(answer_body(strict._replace(product=product_that()), nonce=None))["status"] == status


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (1_798_761_599_999, "2026-12-31T23:59:59.999Z"),
        (253_370_764_800_000, "9999-01-01T00:00:00.000Z"),
    ],
)
def test_times_are_iso_8601_with_milliseconds_and_z(at_ms, text):
    assert iso_moment(at_ms) == text


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (b"", 400, "JSON"),
        (b"{", 400, "JSON"),
        (b"license_key=x", 400, "JSON"),
        (b'{"license_key":"\xff"}', 400, "JSON"),
        (b'{"license_key":"\\ud800"}', 400, "JSON"),
        (b'{"license_key":"x","z":NaN}', 400, "JSON"),
        (b'{"license_key":"x","z":-Infinity}', 400, "JSON"),
        (b'{"license_key":"x","z":' + b"[" * 9_000 + b"]" * 9_000 + b"}", 400, "JSON"),
        ('{"license_key":"x"}'.encode("utf-16"), 400, "JSON"),
        (b"[]", 422, "object"),
        (b'"key"', 422, "object"),
        (b"null", 422, "object"),
        (b"{}", 422, "license_key"),
        (b'{"license_key":null}', 422, "license_key"),
        (b'{"license_key":12345}', 422, "license_key"),
        (b'{"license_key":["x"]}', 422, "license_key"),
        (b'{"license_key":""}', 422, "license_key"),
        (b'{"license_key":"%s"}' % (b"k" * 257), 422, "license_key"),
        (b'{"license_key":"x","version":2}', 422, "version"),
        (b'{"license_key":"x","version":"%s"}' % (b"1" * 10_000), 422, "version"),
        (b'{"license_key":"x","device_id":{}}', 422, "device_id"),
        (b'{"license_key":"x","nonce":true}', 422, "nonce"),
        (b'{"license_key":"x","device_id":"a\\u0000b"}', 422, "NUL"),
        (b'{"license_key":"x","version":"\\u0000"}', 422, "version"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_by_a_sentence_that_names_what_is_wrong(body, code, named):
    with pytest.raises(Refused) as caught:
        parse_validate(body)
    assert (caught.value.code, caught.value.status) == (code, Status.INVALID_REQUEST)
    assert named in caught.value.message


@pytest.mark.parametrize(
    "key",
    ["k" * 256, "NaN-Infinity", "a\0b", "🔑" * 64, "'; DROP TABLE licenses; --", " ", "\u2028", "Ключ"],
)
def test_any_text_within_the_limits_is_a_key(key):
    body = json.dumps({"license_key": key, "version": None, "unknown": {"more": [1.5]}}).encode()
    assert parse_validate(body).license_key == key
