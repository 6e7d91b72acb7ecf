"""What the bot does by itself: direct messages and roles, at least once and in order, whatever Discord does."""

import asyncio

from discord_shop import Shop

from cogs.outbox import FOLLOWER, Outbox, Outcome
from licensing.events import Event
from licensing.models import Actor, ActorKind
from licensing.ports import Unavailable


async def test_closed_messages_are_told_to_staff_who_get_the_key_to_hand_over(shop: Shop):
    await shop.product(role=shop.holders)
    shop.bob.close_dms()

    reply = await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    await reply.wait_for(lambda it: len(it.messages) == 2)

    assert "takes no direct messages" in reply.text
    assert "yours now" in (await shop.bob.slash("claim", key=reply.content)).text
    await shop.has_role(shop.bob)


async def test_a_role_out_of_reach_is_logged_once_and_holds_nothing_up(shop: Shop, caplog):
    await shop.product(role=shop.holders)
    shop.guild.move_role(shop.holders, shop.guild.bot_role.position + 1)

    for member in (shop.alice, shop.bob):
        await shop.owner.slash("license issue", product="Pro", member=member)
        await member.wait_for_dm("Pro")
    await shop.delivered()

    assert shop.bob.role_names == []
    assert sum("out of the bot's reach" in record.message for record in caplog.records) == 1


async def test_a_role_that_was_deleted_holds_nothing_up(shop: Shop):
    await shop.product(role=shop.holders)
    shop.guild.remove_role(shop.holders)

    reply = await shop.owner.slash("license issue", product="Pro", member=shop.bob)

    assert "sent the key" in reply.text


async def test_a_role_that_somebody_else_gave_is_never_taken(shop: Shop):
    await shop.product(role=shop.holders)
    shop.bob.add_role(shop.holders)
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)

    question = await shop.owner.slash("license revoke", license="#1")
    await question.click("Revoke for good")
    await shop.bob.wait_for_dm("was revoked")
    await shop.delivered()

    assert shop.bob.role_names == [shop.holders.name]


async def test_a_role_stays_while_another_license_still_gives_it(shop: Shop):
    await shop.product(role=shop.holders)
    for _ in range(2):
        await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    await shop.has_role(shop.bob)

    await (await shop.owner.slash("license revoke", license="#1")).click("Revoke for good")
    await shop.delivered()
    assert shop.bob.role_names == [shop.holders.name]

    await (await shop.owner.slash("license revoke", license="#2")).click("Revoke for good")
    await shop.has_role(shop.bob, held=False)


async def test_a_role_is_not_forgotten_because_the_member_may_not_be_seen_for_a_moment(shop: Shop, caplog):
    await shop.product(role=shop.holders)
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    await shop.has_role(shop.bob)
    shop.sandbox.fail_requests(status=403, code=50001, method="GET", path_prefix=f"/guilds/{shop.guild.id}/members/")
    await (await shop.owner.slash("license revoke", license="#1")).click("Revoke for good")
    await shop.delivered()
    assert shop.bob.role_names == [shop.holders.name]

    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    await (await shop.owner.slash("license revoke", license="#2")).click("Revoke for good")

    await shop.has_role(shop.bob, held=False)
    assert sum("out of the bot's reach" in record.message for record in caplog.records) == 1


async def test_a_member_who_left_holds_nothing_up(shop: Shop):
    await shop.product(role=shop.holders)
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    shop.bob.leave()

    await (await shop.owner.slash("license revoke", license="#1")).click("Revoke for good")
    await shop.delivered()

    assert "sent the key" in (await shop.owner.slash("license issue", product="Pro", member=shop.alice)).text


async def test_what_happened_while_the_bot_was_away_is_delivered_once_it_is_back(shop: Shop):
    await shop.product(role=shop.holders)
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    await shop.has_role(shop.bob)
    await shop.delivered()
    await shop.stop_bot()
    await shop.world.licenses.revoke(_operator(shop), "#1", reason="By command line")

    await shop.start_bot()

    assert "By command line" in (await shop.bob.wait_for_dm("was revoked")).text
    await shop.has_role(shop.bob, held=False)
    await shop.delivered()
    assert len(shop.bob.dms) == 3  # the license, its key, its end: nothing twice


async def test_an_outage_of_discord_delays_a_message_and_loses_none(shop: Shop, monkeypatch):
    sleep = asyncio.sleep  # discord.py's own five attempts at a 503 would take 25 s
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: sleep(min(seconds, 0.01)))
    await shop.product(role=shop.holders)
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    await shop.delivered()
    before = len(shop.bob.dms)

    with shop.sandbox.outage():
        await shop.world.licenses.revoke(_operator(shop), "#1")
        shop.client.context.outbox.wake.set()
        await shop.sandbox.wait_until(lambda: not shop.sandbox.bot_connected)
        await shop.sandbox.wait_until(lambda: _attempts(shop) > 0)

    await shop.bob.wait_for_dm("was revoked", timeout=20)
    await shop.has_role(shop.bob, held=False)
    await shop.delivered()
    assert len(shop.bob.dms) == before + 1


async def test_a_server_that_removed_the_bot_keeps_its_data_and_validates(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock()
    await shop.bob.slash("claim", key=key)
    shop.guild.remove_bot()
    await shop.world.licenses.revoke(_operator(shop), "#1")
    await shop.delivered()

    assert await shop.validate(api_key, key) == "revoked"

    shop.guild.add_bot()
    await shop.sandbox.wait_until(lambda: shop.client.get_guild(shop.guild.id) is not None)
    await shop.delivered()
    assert "Pro" in (await shop.owner.slash("product list")).text
    joined = [each.action.value for each in await shop.world.events() if "organization" in each.action.value]
    assert joined == ["organization.joined", "organization.left", "organization.joined"]


async def test_a_server_that_is_away_for_a_while_did_not_remove_the_bot(shop: Shop):
    await shop.product(role=shop.holders)
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    await shop.delivered()

    shop.guild.fall_out()
    await shop.sandbox.wait_until(lambda: shop.client.get_guild(shop.guild.id).unavailable)
    await shop.world.licenses.revoke(_operator(shop), "#1")
    await shop.bob.wait_for_dm("was revoked")
    shop.guild.come_back()
    await shop.has_role(shop.bob, held=False)

    assert "organization.left" not in [each.action.value for each in await shop.world.events()]


class Desk:
    """Delivers to nobody, failing as told."""

    def __init__(self, failures: dict[int, list[Exception]]) -> None:
        self.failures = failures
        self.seen: list[int] = []

    async def deliver(self, event: Event) -> Outcome:
        self.seen.append(event.id)
        if self.failures.get(event.id):
            raise self.failures[event.id].pop(0)
        return Outcome.DELIVERED


async def _events(world, count: int) -> None:
    for number in range(count):
        await world.organizations.joined(100 + number, name=f"Shop {number}")


async def test_nothing_overtakes_an_event_that_has_to_wait(world):
    await _events(world, 3)
    desk, outbox = Desk({2: [Unavailable(), OSError()]}), Outbox(world.store, pauses_s=(0,), poll_s=0.01)
    outbox.start(desk.deliver)

    assert await outbox.outcome(3, within_s=10) is Outcome.DELIVERED
    await outbox.stop()

    assert desk.seen == [1, 2, 2, 2, 3]


async def test_a_restart_repeats_at_most_the_event_in_hand(world):
    await _events(world, 3)
    reached = asyncio.Event()
    first = Desk({})

    async def hang_at_the_second(event: Event) -> Outcome:
        outcome = await first.deliver(event)
        if event.id == 2:
            reached.set()
            await asyncio.Event().wait()
        return outcome

    outbox = Outbox(world.store)
    outbox.start(hang_at_the_second)
    await reached.wait()
    await outbox.stop()

    second, again = Desk({}), Outbox(world.store)
    again.start(second.deliver)
    await again.outcome(3, within_s=10)
    await again.stop()

    assert first.seen == [1, 2]
    assert second.seen == [2, 3]
    assert await world.store.read(lambda tx: tx.ledger.position(FOLLOWER)) == 3


async def test_an_outcome_that_does_not_come_in_time_is_pending(world):
    outbox = Outbox(world.store)

    assert await outbox.outcome(1, within_s=0.01) is Outcome.PENDING


def _operator(shop: Shop):
    return Actor(organization_id=shop.guild.id, kind=ActorKind.OPERATOR)


def _attempts(shop: Shop) -> int:
    return sum(request.status == 503 for request in shop.sandbox.requests)
