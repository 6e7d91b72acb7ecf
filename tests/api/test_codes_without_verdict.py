"""Calls that came to no verdict: what was turned away has a support code too, a bad request has none."""

import json

import pytest
from factories import make_plan

from licensing.services.limits import Rates


@pytest.mark.parametrize(
    ("reason", "limits"),
    [
        ("address", {"rates": Rates(address_per_minute=1)}),
        ("license", {"rates": Rates(license_per_minute=1)}),
        ("failures", {"rates": Rates(failures_per_minute=1)}),
        ("quota", {"plan": make_plan(calls_per_product_per_day=1)}),
    ],
)
async def test_what_is_turned_away_carries_a_code_too_and_one_for_everybody_at_that_address(
    open_shop, reason, limits
):
    async with open_shop(**limits) as shop:
        product, issued = await shop.product(explain=True), await shop.issue()
        await shop.validate(product.api_key, "NO-SUCH-KEY" if reason == "failures" else issued.key)
        first = await shop.validate(product.api_key, issued.key)
        again = await shop.validate(product.api_key, issued.key)
        assert first.seen == (429, "rate_limit_exceeded")
        assert list(first.body) == ["valid", "status", "message", "retry_after"]
        assert first.headers["X-Support-Code"] == again.headers["X-Support-Code"]
        refusal = await shop.refusal(first.headers["X-Support-Code"])
        [step] = json.loads(refusal.trace)
        assert (refusal.license_id, refusal.count) == (None, 2)
        assert (step["check"], step["outcome"], step["fact"]["reason"]) == ("limits", "failed", reason)
        assert step["fact"]["retry_after_s"] == first.body["retry_after"]


async def test_a_look_up_and_a_license_file_that_are_turned_away_carry_a_code_too(open_shop):
    async with open_shop(plan=make_plan(calls_per_product_per_day=1)) as shop:
        product, issued = await shop.product(license_file_days=7), await shop.issue()
        await shop.validate(product.api_key, issued.key)
        for path in ("", "/file"):
            reply = await shop.get(f"/api/v1/license/{issued.key}{path}", product.api_key)
            assert reply.code == 429
            assert await shop.refusal(reply.headers["X-Support-Code"]) is not None


async def test_a_bad_api_key_and_a_bad_request_have_no_code_since_nobody_could_look_it_up(shop):
    product = await shop.product()
    for reply in (await shop.validate("kp_live_no", "x"), await shop.validate(product.api_key, "")):
        assert reply.code in {401, 422}
        assert "X-Support-Code" not in reply.headers
