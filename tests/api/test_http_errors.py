"""Guarantees about everything that is no verdict: one shape, the documented code, a sentence that helps."""

import json

import pytest
from api_sentences import (
    CONTENT_TYPE,
    LONG_KEY,
    NO_BEARER,
    NO_OBJECT,
    NOT_JSON,
    ODD_BEARER,
    TOO_LARGE,
    UNKNOWN_BEARER,
)
from factories import KEY, make_plan
from hypothesis import given
from hypothesis import strategies as st
from raw_http import GOOD
from yarl import URL

from bot.api.errors import Refused
from bot.api.limits import BODY_LIMIT
from bot.api.schemas import parse_validate


def error(status, message):
    text = json.dumps({"valid": False, "status": status, "message": message}, ensure_ascii=False)
    return text.replace('": ', '":', 2).replace(', "', ',"', 2).replace('"message": ', '"message":').encode()


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, NO_BEARER),
        ("", ODD_BEARER),
        ("Bearer", ODD_BEARER),
        ("Bearer  ", ODD_BEARER),
        ("Basic {api_key}", ODD_BEARER),
        ("{api_key}", ODD_BEARER),
        ("Bearer kp_live_unknown", UNKNOWN_BEARER),
        ("Bearer {api_key}x", UNKNOWN_BEARER),
        ("Bearer 'OR 1=1; --", UNKNOWN_BEARER),
        ("Bearer \u00fc\u00fc", UNKNOWN_BEARER),
    ],
)
async def test_without_the_right_bearer_the_answer_is_401(shop, api_key, authorization, message):
    headers = {"Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization.format(api_key=api_key)
    reply = await shop.post(GOOD, headers)
    assert (reply.code, reply.raw) == (401, error("invalid_api_key", message))
    assert reply.headers["WWW-Authenticate"] == "Bearer"


async def test_several_authorization_headers_are_401_even_if_one_is_right(shop, api_key):
    headers = [("Authorization", f"Bearer {api_key}"), ("Authorization", "Bearer kp_live_other")]
    reply = await shop.post(GOOD, headers)
    assert (reply.code, reply.raw) == (401, error("invalid_api_key", NO_BEARER))


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer ", "bEaReR"])
async def test_the_scheme_is_read_in_any_case(shop, api_key, scheme):
    headers = {"Authorization": f"{scheme} {api_key}", "Content-Type": "application/json"}
    reply = await shop.post(GOOD, headers)
    assert reply.seen == (200, "license_not_found")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"", 400, NOT_JSON),
        (b'{"license_key":', 400, NOT_JSON),
        (b'{"license_key":"\xff\xfe"}', 400, NOT_JSON),
        (b'{"license_key":"\\udc00"}', 400, NOT_JSON),
        (b'{"license_key":"x","a":NaN}', 400, NOT_JSON),
        (b"[" * 8_000 + b"]" * 8_000, 400, NOT_JSON),
        (b"\0" * 100, 400, NOT_JSON),
        (b'["license_key"]', 422, NO_OBJECT),
        (b"{}", 422, "license_key is missing; send the license key to be validated."),
        (b'{"license_key":5}', 422, "license_key must be a string."),
        (b'{"license_key":""}', 422, "license_key must not be empty."),
        (b'{"license_key":"' + b"A" * 10_000 + b'"}', 422, LONG_KEY),
        (b'{"license_key":"x","version":1.5}', 422, "version must be a string."),
        (b'{"license_key":"x","device_id":[]}', 422, "device_id must be a string."),
        (
            b'{"license_key":"x","nonce":"' + b"n" * 257 + b'"}',
            422,
            "nonce must have at most 256 characters.",
        ),
        (b'{"license_key":"x","a":"' + b"a" * 1_000_000 + b'"}', 413, TOO_LARGE),
    ],
)
async def test_a_bad_body_is_refused_in_the_one_shape(shop, api_key, body, code, message):
    reply = await shop.post(body, {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"})
    assert (reply.code, reply.raw) == (code, error("invalid_request", message))
    assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("length", [BODY_LIMIT, BODY_LIMIT + 1])
async def test_the_body_limit_is_exact(shop, api_key, length):
    body = GOOD + b" " * (length - len(GOOD))
    reply = await shop.post(body, {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"})
    assert reply.code == (200 if length == BODY_LIMIT else 413)


@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        ("application/json", True),
        ("Application/JSON; charset=UTF-8", True),
        ('application/json;charset="utf-8"', True),
        ("application/json; version=1", True),
        ("application/json; charset=iso-8859-1", False),
        ("application/x-www-form-urlencoded", False),
        ("text/plain", False),
        ("nonsense", False),
    ],
)
async def test_only_json_in_utf_8_is_taken(shop, api_key, content_type, accepted):
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": content_type}
    reply = await shop.post(GOOD, headers)
    if accepted:
        assert reply.seen == (200, "license_not_found")
    else:
        assert (reply.code, reply.raw) == (415, error("invalid_request", CONTENT_TYPE))


async def test_a_compressed_body_is_refused_unopened(shop, api_key):
    headers = {
        "Authorization": f"Bearer {api_key}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
    }
    reply = await shop.post(b"\x1f\x8b" + b"\0" * 100, headers)
    assert reply.seen == (415, "invalid_request")


@pytest.mark.parametrize(
    "key",
    [
        "null\0byte",
        "🔑🔑🔑🔑",
        "'; DROP TABLE licenses; --",
        '" OR ""="',
        "../../etc/passwd",
        "%s%n%x",
        "\u202egnp.exe",
        "\u0130" * 256,
    ],
)
async def test_any_odd_text_is_just_an_unknown_key(shop, api_key, key):
    assert (await shop.validate(api_key, key)).seen == (200, "license_not_found")


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [
        ("ABCD-EFGH-JKMN-PQR8", 404, "license_not_found"),
        ("%00", 404, "license_not_found"),
        ("%F0%9F%94%91", 404, "license_not_found"),
        ("%FF%FE", 404, "license_not_found"),
        ("%ED%A0%80", 404, "license_not_found"),
        ("a%2Fb", 404, "license_not_found"),
        ("%27%20OR%201%3D1", 404, "license_not_found"),
        ("A" * 257, 422, "invalid_request"),
        ("A" * 10_000, 422, "invalid_request"),
        ("a/b", 404, "invalid_request"),
        ("", 404, "invalid_request"),
    ],
)
async def test_an_odd_look_up_is_answered_in_the_one_shape(shop, api_key, path, code, status):
    address = URL(f"{shop.url}/api/v1/license/{path}", encoded=True)
    async with shop.http.get(address, headers={"Authorization": f"Bearer {api_key}"}) as response:
        body = await response.json()
    assert (response.status, body["status"], list(body)) == (code, status, ["valid", "status", "message"])


@pytest.mark.parametrize(
    ("method", "path", "code", "allow"),
    [
        ("GET", "/api/v1/validate", 405, "POST, OPTIONS"),
        ("PUT", "/api/v1/validate", 405, "POST, OPTIONS"),
        ("DELETE", f"/api/v1/license/{KEY}", 405, "GET, OPTIONS"),
        ("POST", "/healthz", 405, "GET, HEAD, OPTIONS"),
        ("OPTIONS", "/api/v1/validate", 204, "POST, OPTIONS"),
        ("OPTIONS", f"/api/v1/license/{KEY}", 204, "GET, OPTIONS"),
        ("GET", "/", 404, None),
        ("GET", "/api/v2/validate", 404, None),
        ("POST", "/api/v1/validate/", 404, None),
        ("PATCH", "/api/v1/validate", 405, "POST, OPTIONS"),
    ],
)
async def test_another_address_or_method_is_told_so(shop, method, path, code, allow):
    reply = await shop.get(path, method=method)
    assert (reply.code, reply.headers.get("Allow")) == (code, allow)
    if code != 204:
        assert reply.seen == (code, "invalid_request")


async def test_head_answers_as_get_without_a_body_where_it_costs_nothing(shop):
    for path in ("/healthz", "/readyz"):
        reply = await shop.get(path, method="HEAD")
        assert (reply.code, reply.raw) == (200, b"")


async def test_head_on_a_look_up_is_refused_and_spends_no_quota(open_shop):
    async with open_shop(plan=make_plan(calls_per_product_per_day=1)) as shop:
        api_key = (await shop.product()).api_key
        path = f"/api/v1/license/{(await shop.issue()).key}"
        for _ in range(3):
            assert (await shop.get(path, api_key, method="HEAD")).code == 405
        assert (await shop.get(path, api_key)).code == 200


MALFORMED = {
    "no JSON": (b"{", {}),
    "no license key": (b"{}", {}),
    "no object": (b"[]", {}),
    "too large": (b" " * (BODY_LIMIT + 1), {}),
    "another type": (GOOD, {"Content-Type": "text/plain"}),
    "compressed": (GOOD, {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("fault", MALFORMED)
async def test_whoever_has_no_key_is_told_so_before_what_is_wrong_with_the_body(shop, api_key, fault):
    body, headers = MALFORMED[fault]
    for bearer, told in (("kp_live_unknown", "invalid_api_key"), (api_key, "invalid_request")):
        sent = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"} | headers
        reply = await shop.post(body, sent)
        assert reply.body["status"] == told
        assert (reply.code == 401) == (told == "invalid_api_key")


async def test_an_endless_body_without_a_known_key_is_cut_off_with_401(shop):
    async def endless():
        for _ in range(BODY_LIMIT):
            yield b" " * 64

    headers = {"Authorization": "Bearer kp_live_unknown", "Content-Type": "application/json"}
    async with shop.http.post(f"{shop.url}/api/v1/validate", data=endless(), headers=headers) as response:
        assert (response.status, (await response.json())["status"]) == (401, "invalid_api_key")


async def test_a_rotated_key_is_told_so_before_what_is_wrong_with_the_body(shop, api_key):
    await shop.catalog.rotate_key(shop.staff, name="Widget")
    reply = await shop.post(b"{", {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"})
    assert reply.seen == (401, "invalid_api_key")


async def test_an_overlong_key_in_a_look_up_is_401_without_a_known_bearer(shop):
    assert (await shop.get(f"/api/v1/license/{'A' * 300}", "kp_live_unknown")).seen == (401, "invalid_api_key")


def refusal_of(body: bytes) -> Refused | None:
    try:
        parse_validate(body)
    except Refused as refused:
        return refused
    return None


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_as_a_body_are_understood_or_refused(body):
    refused = refusal_of(body)
    assert refused is None or refused.code in (400, 422)


TEXTS = st.text(st.characters(codec="utf-8"))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["license_key", "version", "device_id", "nonce", "other"])


@given(st.dictionaries(MEMBERS, JSON_VALUES))
def test_any_json_object_as_a_body_is_understood_or_refused_by_a_sentence(members):
    refused = refusal_of(json.dumps(members).encode())
    assert refused is None or (refused.code in (400, 422) and refused.message)
