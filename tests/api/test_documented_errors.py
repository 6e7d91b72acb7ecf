"""Every error of the documentation, brought about over real HTTP and answered as it stands there."""

import json
import re
from pathlib import Path

import pytest
from api_sentences import CONTENT_TYPE, NOT_JSON, TOO_LARGE, UNKNOWN_BEARER
from factories import KEY, make_actor, make_plan
from raw_http import GOOD, ask, posted

from bot.api.answers import explanation
from bot.api.limits import BODY_LIMIT
from licensing.choices import KeyScope
from licensing.keys import api_key_digest
from licensing.models import ApiKey
from licensing.ports import Unavailable
from licensing.verdict import Status

DOCS = Path(__file__).parents[2] / "docs"


async def named_key(shop) -> str:
    """Give the only product a key to ship, which may validate and nothing else."""
    key = ApiKey(prefix="kp_live_ship", created_at_ms=0, name="ship", scope=KeyScope.VALIDATE)
    await shop.store.write(lambda tx: tx.products.insert_api_key(1, key, digest=api_key_digest("kp_live_ship")))
    return "kp_live_ship"


async def post_with(shop, api_key, body=GOOD, **headers):
    sent = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"} | headers
    reply = await shop.post(body, sent)
    return reply.code, reply.raw


async def bad_json(shop, api_key):
    return await post_with(shop, api_key, b"{")


async def bad_key(shop, _api_key):
    return await post_with(shop, "kp_live_unknown")


async def narrow_key(shop, _api_key):
    reply = await shop.get(f"/api/v1/license/{KEY}", await named_key(shop))
    return reply.code, reply.raw


async def no_license(shop, api_key):
    reply = await shop.get(f"/api/v1/license/{KEY}", api_key)
    return reply.code, reply.raw


async def no_file(shop, api_key):
    found = (await shop.catalog.list(make_actor()))[0]
    await shop.catalog.change_settings(make_actor(), found.id, license_file_days=7)
    issued = await shop.issue()
    await shop.licenses.revoke(make_actor(), issued.key)
    reply = await shop.get(f"/api/v1/license/{issued.key}/file", api_key)
    return reply.code, reply.raw


async def nowhere(shop, _api_key):
    reply = await shop.get("/api/v2/validate")
    return reply.code, reply.raw


async def other_method(shop, _api_key):
    reply = await shop.get("/api/v1/validate")
    return reply.code, reply.raw


async def half_a_body(shop, api_key):
    answer = await ask(shop.url, posted(api_key, b"", "Content-Length: 100", length=False))
    return answer.code, answer.raw


async def long_body(shop, api_key):
    return await post_with(shop, api_key, b" " * (BODY_LIMIT + 1))


async def another_type(shop, api_key):
    return await post_with(shop, api_key, **{"Content-Type": "text/plain"})


async def another_expectation(shop, api_key):
    answer = await ask(shop.url, posted(api_key, GOOD, "Expect: a miracle"))
    return answer.code, answer.raw


async def no_member(shop, api_key):
    return await post_with(shop, api_key, b"{}")


async def once_too_often(shop, api_key):
    await post_with(shop, api_key)
    return await post_with(shop, api_key)


async def store_away(shop, api_key):
    async def away(_digest):
        raise Unavailable

    shop.store.snapshots.product = away
    return await post_with(shop, api_key)


UNAVAILABLE = "Licenses cannot be checked right now. This says nothing about the license; try again."
USED_UP = "This product's calls for today are used up; they are counted anew at 00:00 UTC."
GOLDEN = {
    ("400", "`invalid_request`"): (bad_json, NOT_JSON),
    ("401", "`invalid_api_key`"): (bad_key, UNKNOWN_BEARER),
    ("403", "`invalid_api_key`"): (
        narrow_key,
        "This API key may only validate; look licenses up with the product's own.",
    ),
    ("403", "`revoked`"): (no_file, explanation(Status.REVOKED)),
    ("404", "`license_not_found`"): (no_license, "This product has no license with this key."),
    ("404", "`invalid_request`"): (
        nowhere,
        "There is nothing at this address; see POST /api/v1/validate and GET /api/v1/license/KEY.",
    ),
    ("405", "`invalid_request`"): (other_method, "This address takes POST, OPTIONS only."),
    ("408", "`invalid_request`"): (half_a_body, "The body did not arrive within 0.05 seconds."),
    ("413", "`invalid_request`"): (long_body, TOO_LARGE),
    ("415", "`invalid_request`"): (another_type, CONTENT_TYPE),
    ("417", "`invalid_request`"): (
        another_expectation,
        "The only Expect header that is understood is: Expect: 100-continue.",
    ),
    ("422", "`invalid_request`"): (no_member, "license_key is missing; send the license key to be validated."),
    ("429", "`rate_limit_exceeded`"): (once_too_often, USED_UP),
    ("503", "`unavailable`"): (store_away, UNAVAILABLE),
}


@pytest.mark.parametrize("kind", GOLDEN, ids=" ".join)
async def test_each_documented_error_is_answered_so_and_in_the_one_shape(open_shop, kind, monkeypatch):
    monkeypatch.setattr("bot.api.handlers.BODY_TIMEOUT_S", 0.05)
    code, status = kind
    provoked, message = GOLDEN[kind]
    async with open_shop(plan=make_plan(calls_per_product_per_day=1)) as shop:
        answered, raw = await provoked(shop, (await shop.product()).api_key)
    body = json.loads(raw)
    assert (str(answered), body["message"]) == (code, message)
    assert list(body) == ["valid", "status", "message", *(["retry_after"] if code == "429" else [])]
    assert body["valid"] is False
    assert body["status"] == (status.strip("`") if "`" in status else "license_not_found")


def test_every_error_of_the_documentation_has_its_golden_answer():
    text = (DOCS / "integrators.md").read_text("utf-8").partition("\n## Errors\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (\d{3}) \| (.+?) \|", text, re.MULTILINE) == list(GOLDEN)
