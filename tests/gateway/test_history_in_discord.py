"""What validations left behind, as people see it: checks in words, the last validations, and why one was refused."""

from ipaddress import ip_address
from pathlib import Path

import pytest
from discord_shop import Shop
from storage_world import World
from stored_rows import rows_of

from licensing.choices import ActorKind, AutoRegister, UnlistedVersions, VersionMode, VersionState
from licensing.models import PLATFORM, Actor
from licensing.verdict import Call

HOME, ELSEWHERE = "203.0.113.1", "203.0.113.9"


async def refused(shop: Shop, api_key: str, key: str, address: str = ELSEWHERE, **named: str) -> str:
    """Have a validation refused and return its code, written down."""
    answer = await shop.world.validation.validate(api_key, Call(key, address, **named))
    await shop.world.refusals.flush(shop.world.store)
    assert answer.support_code is not None
    return answer.support_code


async def held_by_bob(shop: Shop, **options: object) -> tuple[str, str]:
    api_key = await shop.product(**options)
    key = await shop.stock()
    await shop.bob.slash("claim", key=key)
    return api_key, key


def boss(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, id=shop.owner.id, is_administrator=True)


def database(world: World) -> Path:
    rows = world.store.snapshots._connection.execute("PRAGMA database_list").fetchall()
    return Path(rows[0][2])


async def test_a_check_shows_every_check_in_its_order_with_the_fact_that_decided(shop: Shop):
    api_key, key = await held_by_bob(shop, max_ips=1)
    assert await shop.validate(api_key, key) == "active"

    full = await shop.owner.slash("license check", license=key, address=ELSEWHERE, version="1.4.0", device="pc")

    lines = [line for line in full.text.splitlines() if "**" in line]
    assert lines == [
        "✅ **Product:** active",
        "✅ **Server:** not suspended",
        "✅ **Key:** belongs to this product",
        "✅ **License:** neither suspended nor revoked",
        "✅ **Holder:** there is one",
        "✅ **End:** never",
        "✅ **Blacklist:** not on it",
        f"❌ **Addresses:** 1 of 1 taken; `{ELSEWHERE}` is not one of them",
        "⏭️ **Devices:** not looked at any more",
        "⏭️ **Version:** not looked at any more",
        "**Answer:** `status` is `ip_limit_reached`, `version_valid` is `null`.",
    ]
    known = await shop.owner.slash("license check", license=key, address=HOME)
    assert f"✅ **Addresses:** 1 of 1 taken; `{HOME}` is one of them" in known.text
    assert "✅ **Devices:** not limited\n✅ **Version:** not looked at" in known.text
    assert "`status` is `active`" in known.text


async def test_a_check_tells_what_clients_of_a_strict_product_would_be_told(shop: Shop):
    _, key = await held_by_bob(shop)
    switches = {
        "versions": VersionMode.ENFORCE,
        "unlisted_versions": UnlistedVersions.REFUSE,
        "strict_statuses": True,
        "max_devices": 2,
    }
    await shop.world.catalog.change_settings(boss(shop), 1, **switches)
    await shop.world.versions.set(boss(shop), "Pro", spec="<2.0", state=VersionState.BLOCKED)

    told = await shop.owner.slash("license check", license=key, version="1.4.0", device="`pc` <@1>")

    assert "❌ **Version:** `1.4.0` is blocked (`<2.0`)" in told.text
    assert "0 of 2 taken; `'pc' <@1>` would" in told.text
    assert "`status` is `product_disabled`, `version_valid` is `false`" in told.text
    assert "With strict statuses on, `version_not_allowed` is answered so." in told.text


async def test_a_check_changes_nothing_and_counts_nothing(shop: Shop):
    api_key, key = await held_by_bob(shop, max_ips=1)
    await shop.world.catalog.change_settings(boss(shop), 1, max_devices=1)
    before = rows_of(database(shop.world), shop.guild.id)
    hits = len(shop.world.attempts), len(shop.world.refusals)

    for address in (HOME, ELSEWHERE):
        await shop.owner.slash("license check", license=key, address=address, device="pc", version="9")

    assert (len(shop.world.attempts), len(shop.world.refusals)) == hits
    for log in (shop.world.usage, shop.world.seen, shop.world.attempts, shop.world.refusals):
        await log.flush(shop.world.store)
    assert rows_of(database(shop.world), shop.guild.id) == before
    assert await shop.validate(api_key, key) == "active"


async def test_the_last_validations_stand_behind_a_button_for_who_may_see_them(shop: Shop):
    api_key, key = await held_by_bob(shop, max_ips=1)
    panel = await shop.owner.slash("license view", license=key)
    assert "Nothing has asked about it lately." in (await panel.click("Last validations")).text
    for number in range(14):
        shop.world.now_ms += 1_000
        call = Call(key, HOME, f"1.{number}", "pc <@1>")
        await shop.world.validation.validate(api_key, call)
    shop.world.now_ms += 1_000
    for _ in range(3):
        await shop.world.validation.validate(api_key, Call(key, ELSEWHERE))
    await shop.world.attempts.flush(shop.world.store)
    await shop.restart_bot()

    seen = await panel.click("Last validations")

    lines = seen.text.splitlines()[1:]
    assert lines[:1] == ["Page 1 of 2"]
    assert len(lines) == 11
    assert lines[1] == (
        f"❌ **address limit reached** · `{ELSEWHERE}` · 3 times, last <t:{shop.world.now_ms // 1000}:R>"
    )
    assert lines[2].startswith(f"✅ **active** · `{HOME}` · version `1.13` · device `pc <@1>` · ")
    assert seen.ephemeral
    await shop.restart_bot()
    await seen.click("Next")
    await seen.wait_for("Page 2 of 2")
    assert "version `1.0`" in seen.text
    assert len(seen.text.splitlines()) == 7
    await seen.click("Previous")
    await seen.wait_for("Page 1 of 2")
    await shop.grant("licenses:view")
    theirs = await shop.support.slash("license view", license=key)
    pages = await theirs.click("Last validations")
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="all")
    for pressed in (await theirs.click("Last validations"), await pages.click("Next")):
        assert "`licenses:view`" in pressed.text


async def test_the_holder_learns_in_two_sentences_why_and_what_to_do(shop: Shop):
    api_key, key = await held_by_bob(shop, max_ips=1)
    assert await shop.validate(api_key, key) == "active"
    code = await refused(shop, api_key, key)
    await refused(shop, api_key, key)

    told = await shop.bob.slash("why", code=code.lower().replace("-", " "))

    assert told.ephemeral
    assert "#1 · `••••-" in told.text
    assert (
        "The license ran on 1 of 1 addresses already, and the one that asked was not among them. "
        "Run it where it ran before, or ask the staff of this server to reset the addresses."
    ) in told.text
    assert "-# Refused 2 times, last <t:" in told.text
    assert ELSEWHERE not in told.text
    assert key not in told.text


async def test_staff_see_the_whole_trace_and_who_called(shop: Shop):
    api_key, key = await held_by_bob(shop, max_ips=1)
    assert await shop.validate(api_key, key) == "active"
    code = await refused(shop, api_key, key, device_id="pc", version="1.2")
    await shop.grant("licenses:view")

    told = await shop.support.slash("why", code=code)

    assert "`/license reset-ips` frees the seats; `/license edit` raises the limit." in told.text
    assert f"❌ **Addresses:** 1 of 1 taken; `{ELSEWHERE}` is not one of them" in told.text
    assert f"**Address:** `{ELSEWHERE}`\n**Device:** `pc`\n**Version:** `1.2`" in told.text
    opened = await told.click("Open license")
    assert "### Pro · #1" in opened.text
    assert "Reset addresses and devices…" in {button.label for button in opened.buttons}
    unknown = await refused(shop, api_key, "NO-SUCH-KEY")
    assert "belongs to no license of Pro" in (await shop.support.slash("why", code=unknown)).text


async def test_where_no_address_registers_nobody_is_told_to_free_the_seats(shop: Shop):
    api_key, key = await held_by_bob(shop)
    assert await shop.validate(api_key, key) == "active"
    await shop.world.catalog.change_settings(boss(shop), 1, auto_register=AutoRegister.OFF)
    code = await refused(shop, api_key, key)

    told = [(await person.slash("why", code=code)).text for person in (shop.bob, shop.owner)]

    assert "Pro lets none register by itself. Run it where it ran before, or ask the staff" in told[0]
    assert "`/product settings`, *New addresses*, lets addresses register" in told[1]
    assert not any("reset" in text for text in told)
    await shop.world.catalog.change_settings(boss(shop), 1, auto_register=AutoRegister.FIRST)
    only_first = await refused(shop, api_key, key, "203.0.113.10")
    assert "`/license reset-ips` frees the seats" in (await shop.owner.slash("why", code=only_first)).text


async def test_what_the_operator_blocks_is_told_without_the_range(shop: Shop):
    api_key, key = await held_by_bob(shop)
    operator = Actor(organization_id=PLATFORM, kind=ActorKind.OPERATOR)
    await shop.world.blacklist.add(operator, network="203.0.113.0/24", reason="secret")
    code = await refused(shop, api_key, key, ip=ip_address(ELSEWHERE))

    check = await shop.owner.slash("license check", license=key, address=ELSEWHERE)
    staff = await shop.owner.slash("why", code=code)
    mine = await shop.bob.slash("why", code=code)

    for told in (check, staff):
        assert "❌ **Blacklist:** blocked by the operator for everybody" in told.text
    assert "`/blacklist` cannot take that back" in staff.text
    assert "blocked by whoever runs this bot. Ask whoever runs this bot." in mine.text
    assert not any("203.0.113.0" in told.text or "secret" in told.text for told in (check, staff, mine))
    assert [button.label for button in mine.buttons] == []


async def test_a_call_that_named_no_version_is_told_that_it_named_none(shop: Shop):
    api_key, key = await held_by_bob(shop)
    await shop.world.catalog.change_settings(boss(shop), 1, versions=VersionMode.ENFORCE)
    code = await refused(shop, api_key, key)

    assert "The call named no version" in (await shop.bob.slash("why", code=code)).text
    assert "makes a version the latest" in (await shop.owner.slash("why", code=code)).text


async def test_nobody_else_learns_even_that_there_is_such_a_code(shop: Shop):
    api_key, key = await held_by_bob(shop, max_ips=1)
    assert await shop.validate(api_key, key) == "active"
    code = await refused(shop, api_key, key)

    answers = [(await shop.alice.slash("why", code=text)).text for text in (code, "2222-2222")]

    assert answers[0] == answers[1]
    assert "Nothing is known under this code here" in answers[0]
    for _ in range(3):
        await shop.alice.slash("why", code="2222-2222")
    assert "Too many wrong codes; wait 60 s" in (await shop.alice.slash("why", code=code)).text
    assert "Refused once" in (await shop.bob.slash("why", code=code)).text


@pytest.mark.parametrize("code", ["🔑", "' OR 1=1 --", "A" * 100, "\x00", "`@everyone`", "-"])
async def test_whatever_is_typed_as_a_code_is_answered_by_one_sentence(shop: Shop, code: str):
    reply = await shop.bob.slash("why", code=code)

    assert "Nothing is known under this code here" in reply.text
    assert reply.ephemeral


async def test_what_was_mended_meanwhile_is_said_to_be(shop: Shop):
    api_key, key = await held_by_bob(shop)
    await (await shop.owner.slash("license suspend", license=key)).click("Suspend")
    question = await shop.owner.slash("product disable", product="Pro")
    await question.click("Disable")
    off = await refused(shop, api_key, key)
    await shop.owner.slash("product enable", product="Pro")
    paused = await refused(shop, api_key, key)
    assert (
        "Pro was switched off, so none of its licenses validates. That has changed since: try again."
        in (await shop.bob.slash("why", code=off)).text
    )
    assert "The license was suspended. Ask the staff" in (await shop.bob.slash("why", code=paused)).text

    await shop.owner.slash("license reinstate", license=key)

    assert (
        "The license was suspended. That has changed since: try again."
        in (await shop.bob.slash("why", code=paused)).text
    )


async def test_hashes_are_shown_short_and_explained(shop: Shop):
    api_key, key = await held_by_bob(shop, max_ips=1)
    await shop.world.catalog.change_settings(boss(shop), 1, max_devices=1)
    pseudonym = shop.world.store.vault.pseudonym
    home, other, device = pseudonym(HOME), pseudonym(ELSEWHERE), pseudonym("pc")
    await shop.world.validation.validate(api_key, Call(key, home, device_id=device))
    code = await refused(shop, api_key, key, other)
    await shop.world.attempts.flush(shop.world.store)
    panel = await shop.owner.slash("license view", license=key)
    seen = await panel.click("Last validations")
    told = await shop.owner.slash("why", code=code)

    for text, names in ((panel.text, (home, device)), (seen.text, (home, other, device)), (told.text, (other,))):
        for name in names:
            assert f"`{name[:9]}…`" in text
            assert name not in text
        assert "are kept only as hashes here" in text
