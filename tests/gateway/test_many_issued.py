"""Many licenses issued at once: their keys come into the hands of whoever issued them, whatever happens."""

import asyncio
import csv
import io

from discord_shop import DiscordClock, Shop
from many_licenses import issue, many_delivered, stuck_at_the_third

from cogs import bulk_answers, bulk_issue
from licensing.models import Plan
from licensing.ports import Unavailable
from licensing.services import bulk
from licensing.spreadsheet import COLUMNS
from storage.statements.bulk import BulkStatements
from storage.store import SqliteStore


def rows(reply) -> list[dict[str, str]]:
    assert list(reply.files) == ["licenses.csv"]
    return list(csv.DictReader(io.StringIO(reply.files["licenses.csv"].decode("utf-8-sig"))))


async def test_three_are_issued_with_each_key_alone_in_a_message_and_the_member_is_told_nothing(shop: Shop):
    api_key = await shop.product(role=shop.holders)

    reply = await shop.owner.slash("license issue", product="Pro", member=shop.bob, count=3)
    await reply.wait_for(lambda it: len(it.messages) == 4)

    assert reply.ephemeral
    assert "### Issued: 3 of 3 licenses" in reply.text
    assert "**Numbers:** #1 to #3" in reply.text
    assert "The member was not told" in reply.text
    keys = [message.content for message in reply.messages[1:]]
    assert [await shop.validate(api_key, key) for key in keys] == ["active"] * 3
    await shop.has_role(shop.bob)
    await many_delivered(shop)
    assert shop.bob.dms == []


async def test_twenty_five_come_as_a_file_whose_keys_work_and_which_is_an_export(shop: Shop):
    api_key = await shop.product()

    reply = await shop.owner.slash(
        "license issue", product="pro", email="a@example.com", expiry="2100-01-01", notes="=1", count=25
    )
    await reply.wait_for(lambda it: it.files)

    assert reply.ephemeral
    assert "file below. Nothing is mailed" in reply.text
    found = rows(reply)
    assert tuple(found[0]) == COLUMNS
    assert [row["license_id"] for row in found] == [str(number) for number in range(1, 26)]
    assert len({row["license_key"] for row in found}) == 25
    assert {(row["product"], row["status"], row["notes"]) for row in found} == {("Pro", "active", "'=1")}
    assert await shop.validate(api_key, found[7]["license_key"]) == "active"
    found_later = await shop.owner.slash("license find")
    exported = await found_later.click("Export CSV")
    assert sorted(map(repr, rows(exported))) == sorted(map(repr, found))


async def test_what_was_issued_before_the_store_went_away_is_handed_over_and_said(shop: Shop, monkeypatch):
    api_key = await shop.product()
    monkeypatch.setattr(bulk, "ISSUED_AT_ONCE", 4)
    insert, chunks = BulkStatements.insert, iter(range(100))

    def away_after_two(*given):
        if next(chunks) >= 2:
            raise Unavailable
        return (yield from insert(*given))

    monkeypatch.setattr(BulkStatements, "insert", away_after_two)

    reply = await shop.owner.slash("license issue", product="Pro", email="a@example.com", count=25)
    await reply.wait_for(lambda it: len(it.messages) == 9)

    assert "### Issued: 8 of 25 licenses" in reply.text
    assert "could not be reached any more" in reply.text
    assert await shop.validate(api_key, reply.messages[-1].content) == "active"


async def test_keys_that_are_ready_when_the_answer_can_no_longer_be_changed_go_by_direct_message(
    shop: Shop, discord_clock: DiscordClock, monkeypatch
):
    await shop.product()
    hand_over_late(monkeypatch, discord_clock)

    reply = shop.owner.begin("license issue", product="Pro", count=11)
    file = await shop.owner.wait_for_dm("11 licenses with their whole keys")

    assert len(rows(file)) == 11
    assert "### Issued: 11 of 11 licenses" in shop.owner.dms[-2].text
    assert not reply.files


async def test_a_file_that_would_be_too_large_leaves_out_the_notes_and_no_key(shop: Shop, monkeypatch):
    await shop.product()
    guild = type(shop.client.get_guild(shop.guild.id))
    monkeypatch.setattr(guild, "filesize_limit", property(lambda _guild: 5_000))

    reply = await shop.owner.slash("license issue", product="Pro", notes="x" * 1_000, count=11)
    await reply.wait_for(lambda it: it.files)

    assert len({row["license_key"] for row in rows(reply)}) == 11
    assert {row["notes"] for row in rows(reply)} == {""}
    assert "notes" in reply.text


async def test_progress_is_shown_while_it_takes_long(shop: Shop, monkeypatch):
    await shop.product()
    monkeypatch.setattr(bulk, "ISSUED_AT_ONCE", 5)
    seen, write = asyncio.Event(), SqliteStore.write

    async def waits_until_it_was_seen(store: SqliteStore, work):
        if await store.read(lambda tx: tx.licenses.count(shop.guild.id)) == 5:
            await seen.wait()
        return await write(store, work)

    monkeypatch.setattr(SqliteStore, "write", waits_until_it_was_seen)
    monkeypatch.setattr(bulk_answers.LongAnswer.__init__, "__kwdefaults__", {"every_s": 0.01})

    reply = await shop.owner.slash("license issue", product="Pro", count=15)
    await reply.wait_for("Issuing… 5 of 15")
    seen.set()
    await reply.wait_for("### Issued: 15 of 15 licenses")
    assert "Issuing" not in reply.text


async def test_a_fault_in_between_loses_no_key_that_was_issued(shop: Shop, monkeypatch, caplog):
    api_key = await shop.product()
    monkeypatch.setattr(bulk, "ISSUED_AT_ONCE", 4)
    insert, chunks = BulkStatements.insert, iter(range(100))

    def faulty_at_the_second(*given):
        if next(chunks) == 1:
            raise RuntimeError("a fault")
        return (yield from insert(*given))

    monkeypatch.setattr(BulkStatements, "insert", faulty_at_the_second)
    reply = await shop.owner.slash("license issue", product="Pro", count=9)
    await reply.wait_for("tell whoever runs this bot the reference")
    caplog.clear()  # the fault is logged, with the reference that is shown

    assert "### Issued: 4 of 9 licenses" in reply.text
    assert await shop.validate(api_key, reply.messages[1].content) == "not_claimed"


async def test_a_bot_that_is_stopped_while_it_issues_says_what_is_issued_and_who_has_the_keys(
    shop: Shop, monkeypatch
):
    await shop.product()
    await shop.grant("licenses:create")
    monkeypatch.setattr(bulk, "ISSUED_AT_ONCE", 5)
    with stuck_at_the_third(monkeypatch, "_issuing") as stuck:
        reply = shop.support.begin("license issue", product="Pro", count=15)
        await stuck.wait()
        await shop.stop_bot()

    assert "10 of 15 licenses were issued (#1 to #10)" in reply.text
    assert "`licenses:export`" in reply.text


async def test_keys_that_can_be_handed_to_nobody_are_named_in_the_log_by_their_numbers(
    shop: Shop, discord_clock: DiscordClock, monkeypatch, caplog
):
    await shop.product()
    hand_over_late(monkeypatch, discord_clock)
    shop.owner.close_dms()
    shop.owner.begin("license issue", product="Pro", count=11)

    async with asyncio.timeout(10):
        while "11 licenses (#1 to #11)" not in caplog.text:
            await asyncio.sleep(0.01)


async def test_a_plan_without_room_for_all_says_how_many_it_has_room_for(shop: Shop):
    await shop.product()
    shop.world.plans["default"] = Plan(licenses=20)
    await issue(shop, 15)

    too_many = await shop.owner.slash("license issue", product="Pro", count=6)
    await issue(shop, 5)
    full = await shop.owner.slash("license issue", product="Pro", count=2)

    assert "allows 20 licenses and has room for 5 more" in too_many.text
    assert "allows 20 licenses, and all are used" in full.text


def hand_over_late(monkeypatch, discord_clock: DiscordClock) -> None:
    """Let a quarter of an hour pass before keys are handed over: answers can no longer be changed by then."""
    handed_over = bulk_issue._table

    def after_a_quarter_of_an_hour(*given, **more):
        discord_clock.ahead_s += 16 * 60
        return handed_over(*given, **more)

    monkeypatch.setattr(bulk_issue, "_table", after_a_quarter_of_an_hour)
