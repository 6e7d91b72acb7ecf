"""What the bot does by itself: direct messages and roles, at least once and in order, whatever Discord does."""

import asyncio
from dataclasses import replace

from discord_shop import Shop

from cogs.deliveries import Deliveries
from cogs.issue_answers import Waits
from cogs.letters import Letters
from cogs.licenses import Licenses
from cogs.outbox import Outbox, Outcome, Patience
from cogs.role_keeper import RoleKeeper
from licensing.choices import ActorKind
from licensing.models import Actor
from licensing.services.terms import Terms


async def test_closed_messages_are_told_to_staff_who_get_the_key_to_hand_over(shop: Shop):
    await shop.product(role=shop.holders)
    shop.bob.close_dms()

    reply = await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    await reply.wait_for(lambda it: len(it.messages) == 2)

    assert "takes no direct messages" in reply.text
    assert "yours now" in (await shop.bob.slash("claim", key=reply.content)).text
    await shop.has_role(shop.bob)


async def test_too_many_new_messages_at_once_are_sent_later_and_not_taken_for_closed_ones(shop: Shop):
    await shop.product()
    outbox = await _own_outbox(shop, Patience(too_fast_pause_s=0.05))
    shop.sandbox.fail_requests(2, status=403, code=40003, method="POST", path_prefix="/users/@me/channels")

    issued = await shop.world.licenses.issue(_operator(shop), Terms(product="Pro", discord_id=shop.bob.id))

    assert await outbox.outcome(issued.event_id, within_s=10) is Outcome.DELIVERED
    assert len(shop.bob.dms) == 2
    await outbox.stop()


async def test_a_command_does_not_hurry_an_outbox_that_discord_finds_too_fast(shop: Shop):
    await shop.product()
    outbox = await _own_outbox(shop, Patience(too_fast_pause_s=60))
    shop.sandbox.fail_requests(2, status=403, code=40003, method="POST", path_prefix="/users/@me/channels")
    issued = await shop.world.licenses.issue(_operator(shop), Terms(product="Pro", discord_id=shop.bob.id))
    await outbox.outcome(issued.event_id, within_s=0.2)

    assert await outbox.outcome(issued.event_id, within_s=0.2) is Outcome.PENDING
    assert sum(each.path == "/users/@me/channels" for each in shop.sandbox.requests) == 1
    await outbox.stop()


async def test_a_message_that_discord_finds_malformed_is_reported_and_the_next_one_arrives(shop: Shop, caplog):
    await shop.product()
    shop.sandbox.fail_requests(3, status=400, code=50035, method="POST", path_prefix="/users/@me/channels")

    reply = await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    await reply.wait_for(lambda it: len(it.messages) == 2)

    assert "could not be sent" in reply.text
    assert "sent the key" in (await shop.owner.slash("license issue", product="Pro", member=shop.alice)).text
    reports = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(reports) == 3
    assert all(record.exc_info for record in reports)
    caplog.clear()


async def test_a_message_that_stays_on_its_way_is_told_to_staff_once_it_has_arrived(shop: Shop):
    await shop.product()
    shop.sandbox.fail_requests(1, status=403, code=40003, method="POST", path_prefix="/users/@me/channels")
    outbox = await _own_outbox(shop, Patience(too_fast_pause_s=0.5))
    await _impatient_answers(shop, Waits(first_s=0.05), outbox)

    reply = await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    assert "is on its way" in reply.text
    await reply.wait_for(lambda it: "sent the key" in it.text)

    assert len(reply.messages) == 1
    await outbox.stop()


async def test_a_message_that_turns_out_refused_after_the_answer_gives_staff_the_key(shop: Shop):
    await shop.product()
    shop.sandbox.fail_requests(1, status=403, code=40003, method="POST", path_prefix="/users/@me/channels")
    outbox = await _own_outbox(shop, Patience(too_fast_pause_s=0.5))
    await _impatient_answers(shop, Waits(first_s=0.05), outbox)
    shop.bob.close_dms()

    reply = await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    assert "is on its way" in reply.text
    await reply.wait_for(lambda it: len(it.messages) == 2)

    assert "takes no direct messages" in reply.text
    assert "yours now" in (await shop.bob.slash("claim", key=reply.content)).text
    await outbox.stop()


async def test_staff_are_told_before_the_answer_ends_that_the_message_is_still_on_its_way(shop: Shop):
    await shop.product()
    outbox = shop.client.context.outbox
    await outbox.stop()
    await _impatient_answers(shop, Waits(first_s=0.05, longest_s=0.5), outbox)

    reply = await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    await reply.wait_for(lambda it: "still on its way" in it.text)

    assert "press Show key" in reply.text


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


async def test_an_outage_is_blamed_on_no_event_however_long_it_lasts(shop: Shop, monkeypatch):
    sleep = asyncio.sleep  # discord.py waits for seconds before it connects again
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: sleep(min(seconds, 0.01)))
    await shop.product()
    outbox = await _own_outbox(shop, Patience(give_up_s=0))

    with shop.sandbox.outage():
        await shop.sandbox.wait_until(lambda: not shop.client.ws.open)
        issued = await shop.world.licenses.issue(_operator(shop), Terms(product="Pro", discord_id=shop.bob.id))
        await shop.sandbox.wait_until(lambda: _attempts(shop) > 1)

    assert await outbox.outcome(issued.event_id, within_s=20) is Outcome.DELIVERED
    await outbox.stop()


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


async def _own_outbox(shop: Shop, patience: Patience) -> Outbox:
    """Deliver in the client's place, with other waits."""
    await shop.client.context.outbox.stop()
    services = shop.client.context.services
    letters = Letters(services, clock=shop.world.clock)
    deliveries = Deliveries(shop.client, letters, RoleKeeper(services.roles))
    outbox = Outbox(shop.world.store, poll_s=0.05, patience=patience)
    outbox.start(deliveries.deliver)
    return outbox


async def _impatient_answers(shop: Shop, waits: Waits, outbox: Outbox) -> None:
    """Have `/license issue` watch this outbox, and for no longer than this."""
    await shop.client.add_cog(Licenses(replace(shop.client.context, outbox=outbox), waits), override=True)


def _operator(shop: Shop):
    return Actor(organization_id=shop.guild.id, kind=ActorKind.OPERATOR)


def _attempts(shop: Shop) -> int:
    return sum(request.status == 503 for request in shop.sandbox.requests)
