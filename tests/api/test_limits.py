"""Guarantees of the limits over HTTP: no more than the rate, an honest Retry-After, guessers alone turned away."""

import sqlite3
from contextlib import closing

import pytest
from factories import ADDRESS, DAY_MS, NOW_MS, make_plan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing.services.limits import MINUTE_MS, Limits, Rates

ELSEWHERE = "198.51.100.9"
UNKNOWN = "ABCD-EFGH-JKMN-PQRS"
NOBODYS = "kp_live_" + "x" * 64
ONE_SERVER = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def ask(shop, api_key, key, times, **call):
    """Ask as often, at one moment; return the codes."""
    return [(await shop.validate(api_key, key, **call)).code for _ in range(times)]


async def guess(shop, api_key, times, address=ADDRESS):
    """Try as many keys that no license has."""
    for number in range(times):
        assert (await shop.validate(api_key, f"{UNKNOWN}{number}", address=address)).body["status"] in (
            "license_not_found",
            "rate_limit_exceeded",
        )


async def counted(shop, folder):
    """The usage as it is stored, by status."""
    await shop.usage.flush(shop.store)
    with closing(sqlite3.connect(folder / "keyport.db")) as connection:
        return dict(connection.execute("SELECT status, SUM(calls) FROM usage_daily GROUP BY status"))


async def begun_anew(shop, rates):
    """Run with these limits as if the process had just begun, and sell one more product; return its keys."""
    shop.validation._limits = shop.validation.regulars._limits = Limits(rates)
    name = f"Product {await shop.store.read(lambda tx: tx.products.count(shop.staff.organization_id))}"
    product = await shop.product(name)
    return product.api_key, [(await shop.issue(name)).key for _ in range(2)]


@pytest.mark.parametrize("rates", [Rates(address_per_minute=7), Rates(license_per_minute=7)], ids=str)
@given(gaps=st.lists(st.integers(0, 20_000), min_size=10, max_size=25))
@ONE_SERVER
async def test_in_no_stretch_of_time_do_more_pass_than_the_rate_allows(shop, rates, gaps):
    api_key, [key, _other] = await begun_anew(shop, rates)
    passed, period_ms = [], MINUTE_MS // 7
    for gap in gaps:
        shop.clock.now_ms += gap
        if (await shop.validate(api_key, key)).code == 200:
            passed.append(shop.clock.now_ms)
    for first, since_ms in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= 7 + (passed[last] - since_ms) // period_ms


FEW = st.sampled_from((0, 1, 2, 3))
ASKS = st.lists(
    st.tuples(st.sampled_from(("good", "other", "unknown", "look up")), st.sampled_from((ADDRESS, ELSEWHERE))),
    min_size=4,
    max_size=12,
)


@pytest.fixture(params=[None, 4], ids=lambda quota: f"quota {quota}")
async def metered(open_shop, request):
    """A server whose products have so many calls a day."""
    async with open_shop(plan=make_plan(calls_per_product_per_day=request.param)) as shop:
        yield shop


@given(rates=st.builds(Rates, FEW, FEW, FEW), asks=ASKS)
@ONE_SERVER
async def test_whoever_waits_exactly_as_long_as_told_is_let_through_and_not_a_second_sooner(metered, rates, asks):
    shop = metered
    api_key, [good, other] = await begun_anew(shop, rates)
    for what, address in asks:
        path = f"license/{good}" if what == "look up" else {"good": good, "other": other, "unknown": UNKNOWN}[what]
        code, wait_s = await asked(shop, api_key, path, address)
        if code == 429:
            shop.clock.now_ms += wait_s * 1_000 - 1_000
            assert (await asked(shop, api_key, path, address))[0] == 429
            shop.clock.now_ms += 1_000
            assert (await asked(shop, api_key, path, address))[0] != 429


async def asked(shop, api_key, what, address):
    """Validate, or look up what begins like an address; return the code and how long one is told to wait."""
    if what.startswith("license/"):
        headers = {"Authorization": f"Bearer {api_key}", "X-Forwarded-For": address}
        async with shop.http.get(f"{shop.url}/api/v1/{what}", headers=headers) as answer:
            code, told, body = answer.status, answer.headers.get("Retry-After"), await answer.json()
    else:
        reply = await shop.validate(api_key, what, address=address)
        code, told, body = reply.code, reply.headers.get("Retry-After"), reply.body
    assert (told is not None) == (code == 429)
    assert told is None or told == str(body["retry_after"]) > "0"
    return code, body.get("retry_after")


async def test_whoever_asks_too_often_uses_up_nobody_elses_calls(open_shop):
    async with open_shop(rates=Rates(address_per_minute=3, license_per_minute=4)) as shop:
        product, mine, theirs = await shop.product(), await shop.issue(), await shop.issue()
        gadget, at_gadget = await shop.product("Gadget"), await shop.issue("Gadget")
        assert await ask(shop, product.api_key, mine.key, 20) == [200] * 3 + [429] * 17
        assert await ask(shop, product.api_key, mine.key, 2, address=ELSEWHERE) == [200, 429]
        assert await ask(shop, product.api_key, theirs.key, 1, address=ELSEWHERE) == [200]
        assert await ask(shop, gadget.api_key, at_gadget.key, 1) == [200]


async def test_calls_that_are_turned_away_cost_the_product_nothing(open_shop, tmp_path):
    rates, plan = Rates(address_per_minute=5, failures_per_minute=2), make_plan(calls_per_product_per_day=10)
    async with open_shop(rates=rates, plan=plan) as shop:
        product, issued = await shop.product(), await shop.issue()
        assert await ask(shop, product.api_key, issued.key, 20, address=ELSEWHERE) == [200] * 5 + [429] * 15
        await guess(shop, product.api_key, 12)
        assert await counted(shop, tmp_path) == {"active": 5, "license_not_found": 2, "rate_limit_exceeded": 25}
        shop.clock.now_ms += MINUTE_MS
        assert await ask(shop, product.api_key, issued.key, 4, address=ELSEWHERE) == [200] * 3 + [429]


async def test_a_guesser_is_turned_away_whatever_they_ask_and_told_nothing_about_the_right_key_either(open_shop):
    async with open_shop(rates=Rates(failures_per_minute=5)) as shop:
        product, right = await shop.product(license_file_days=7), await shop.issue()
        await guess(shop, product.api_key, 5)
        unknown = await shop.validate(product.api_key, UNKNOWN)
        known = await shop.validate(product.api_key, right.key)
        assert unknown.seen == known.seen == (429, "rate_limit_exceeded")
        assert unknown.body == known.body
        headers = {"Authorization": f"Bearer {product.api_key}", "X-Forwarded-For": ADDRESS}
        for path in (f"{right.key}/file", f"{UNKNOWN}/file"):
            async with shop.http.get(f"{shop.url}/api/v1/license/{path}", headers=headers) as reply:
                assert (reply.status, (await reply.json())["retry_after"]) == (429, 12), path
        nobodys = await shop.validate(NOBODYS, right.key)
        assert nobodys.seen == (401, "invalid_api_key")  # who does not know the product counts for themselves
        assert (await shop.validate(product.api_key, right.key, address=ELSEWHERE)).seen == (200, "active")


async def test_unknown_api_keys_are_guesses_too(open_shop):
    async with open_shop(rates=Rates(failures_per_minute=3)) as shop:
        product, issued = await shop.product(), await shop.issue()
        codes = [(await shop.validate(f"kp_live_{number}", issued.key)).code for number in range(5)]
        assert codes == [401, 401, 401, 429, 429]
        assert (await shop.validate(product.api_key, issued.key)).seen == (200, "active")
        shop.clock.now_ms += MINUTE_MS // 3
        assert (await shop.validate(NOBODYS, issued.key)).code == 401


async def test_a_customer_with_a_seat_behind_a_guessers_address_is_still_served(open_shop):
    async with open_shop(rates=Rates(failures_per_minute=4)) as shop:
        product = await shop.product()
        here, elsewhere = await shop.issue(), await shop.issue()
        assert (await shop.validate(product.api_key, here.key)).seen == (200, "active")
        assert (await shop.validate(product.api_key, elsewhere.key, address=ELSEWHERE)).seen == (200, "active")
        await guess(shop, product.api_key, 20)
        assert await ask(shop, product.api_key, here.key, 3) == [200] * 3
        assert (await shop.validate(product.api_key, elsewhere.key)).code == 429
        await shop.licenses.revoke(shop.staff, here.key)
        assert (await shop.validate(product.api_key, here.key)).seen == (200, "revoked")


async def test_guessing_that_slows_down_is_believed_again(open_shop):
    async with open_shop(rates=Rates(failures_per_minute=4)) as shop:
        product, issued = await shop.product(), await shop.issue()
        await guess(shop, product.api_key, 20)
        refused = await shop.validate(product.api_key, issued.key)
        assert refused.code == 429
        shop.clock.now_ms += refused.body["retry_after"] * 1_000
        assert (await shop.validate(product.api_key, issued.key)).seen == (200, "active")


async def test_the_limits_of_one_product_say_nothing_about_a_day_that_is_over(open_shop):
    async with open_shop(plan=make_plan(calls_per_product_per_day=2)) as shop:
        product, issued = await shop.product(), await shop.issue()
        for day in range(3):
            shop.clock.now_ms = NOW_MS + day * DAY_MS
            assert await ask(shop, product.api_key, issued.key, 4) == [200, 200, 429, 429]
