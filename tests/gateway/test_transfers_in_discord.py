"""A license changes hands between members, by commands and by buttons in the server and in direct messages."""

from discord_shop import Shop
from discord_transfers import accepted, ends, offered, sold

from licensing.choices import ActorKind, TransferRule
from licensing.models import Actor

DAY_MS = 86_400_000


async def test_the_recipients_acceptance_is_enough_where_the_product_says_so(shop: Shop):
    api_key, key = await sold(shop, TransferRule.RECIPIENT)
    [choice] = await shop.alice.complete("transfer request", "license", "pro", member=shop.bob)
    assert choice.name == f"#1 …-{key[-4:]} · Pro · active"

    reply = await shop.alice.slash("transfer request", license=choice.value, member=shop.bob)
    assert "They are asked by direct message" in reply.text
    assert reply.ephemeral
    message = await shop.bob.wait_for_dm("offers you a license for **Pro** from **Shop**")
    assert shop.alice.mention in message.text
    done = await message.click("Accept")

    assert "The license is yours now" in done.text
    await shop.alice.wait_for_dm("now belongs to")
    await shop.bob.wait_for_dm("is yours now; its key is under `/licenses`")
    await shop.has_role(shop.bob)
    await shop.has_role(shop.alice, held=False)
    assert await shop.validate(api_key, key) == "active"
    assert "You hold no license here yet" in (await shop.alice.slash("licenses")).text
    assert "1 license here" in (await shop.bob.slash("licenses")).text


async def test_staff_approve_and_the_license_its_role_and_its_addresses_move(shop: Shop):
    api_key, key = await sold(shop)
    await shop.validate(api_key, key)
    await shop.alice.slash("transfer request", license="#1", member=shop.bob)
    message = await shop.bob.wait_for_dm("offers you")
    assert "Nothing waits for a decision" in (await shop.owner.slash("approvals")).text
    done = await message.click("Accept")
    assert "once the staff of the server approve" in done.text
    await shop.alice.wait_for_dm("accepted your license #1")

    waiting = await shop.owner.slash("approvals")
    assert f"{shop.alice.mention} (Alice) → {shop.bob.mention} (Bob)" in waiting.text
    await waiting.click("Approve")

    await waiting.wait_for("Approved: **Pro** · #1")
    assert "Nothing waits for a decision" in waiting.text
    await shop.has_role(shop.bob)
    await shop.has_role(shop.alice, held=False)
    view = await shop.owner.slash("license view", license="#1")
    assert shop.bob.mention in view.text
    assert "203.0.113.1" in view.text


async def test_every_button_works_after_a_restart_of_the_bot(shop: Shop):
    _, message = await offered(shop)
    await shop.restart_bot()
    await message.click("Accept")
    await shop.alice.wait_for_dm("now its staff decide")
    waiting = await shop.owner.slash("approvals")
    await shop.restart_bot()

    form = await waiting.click("Deny…")
    await shop.restart_bot()
    await form.submit({"Reason": "*Bob* is @everyone's problem"})

    await waiting.wait_for("Denied: **Pro** · #1")
    for member in (shop.alice, shop.bob):
        told = await member.wait_for_dm("denied the transfer")
        assert "problem" in told.text
        assert told.pings == []
    assert await ends(shop) == ["license.transfer_rejected"]


async def test_a_transfer_is_declined_from_the_list_and_cancelled_by_command(shop: Shop):
    await offered(shop)
    listed = await shop.bob.slash("transfer list")
    assert "waits for the recipient until" in listed.text
    assert [button.label for button in listed.buttons] == ["Accept", "Decline"]

    assert "You declined" in (await listed.click("Decline")).text

    await shop.alice.wait_for_dm("declined your license #1")
    await shop.alice.slash("transfer request", license="#1", member=shop.bob)
    mine = await shop.alice.slash("transfer list")
    assert [button.label for button in mine.buttons] == ["Cancel the transfer"]
    [choice] = await shop.alice.complete("transfer cancel", "license", "")
    assert choice == ("#1 · Pro → @Bob", "#1")
    assert "the license stays yours" in (await shop.alice.slash("transfer cancel", license=choice.value)).text
    await shop.bob.wait_for_dm("has ended without it")
    assert "no such transfer" in (await shop.alice.slash("transfer cancel", license="#1")).text
    assert "Nothing is being transferred" in (await shop.bob.slash("transfer list")).text


async def test_a_member_hands_a_license_on_from_the_panel_of_their_own(shop: Shop):
    await sold(shop, TransferRule.RECIPIENT)
    overview = await shop.alice.slash("licenses")
    panel = await overview.select("Choose a license to see it", next(iter(overview.selects[0].options)))
    question = await panel.click("Transfer…")

    offer = await question.select("Choose a member", shop.bob)
    assert "They are asked by direct message" in offer.text
    assert "the license stays yours" in (await offer.click("Cancel the transfer")).text
    await shop.bob.wait_for_dm("has ended without it")
    late = (await shop.bob.wait_for_dm("offers you")).click("Accept")
    assert "This transfer has ended already" in (await late).text


async def test_what_cannot_be_transferred_is_one_sentence(shop: Shop):
    await sold(shop)
    stranger = shop.sandbox.add_user("Stranger")
    request = shop.alice.slash

    assert "not in this server" in (await request("transfer request", license="#1", member=stranger)).text
    bot = shop.client.user.id
    assert "A bot cannot hold" in (await request("transfer request", license="#1", member=bot)).text
    assert (
        "You hold this license already" in (await request("transfer request", license="#1", member=shop.alice)).text
    )
    theirs = await shop.bob.slash("transfer request", license="#1", member=shop.alice)
    assert "No such license" in theirs.text
    await request("transfer request", license="#1", member=shop.bob)
    again = await request("transfer request", license="#1", member=shop.support)
    assert "is being transferred already" in again.text


async def test_where_transfers_are_off_there_is_no_button_and_a_sentence(shop: Shop):
    await sold(shop, TransferRule.OFF)
    overview = await shop.alice.slash("licenses")
    panel = await overview.select("Choose a license to see it", next(iter(overview.selects[0].options)))

    assert "Transfer…" not in [button.label for button in panel.buttons]
    reply = await shop.alice.slash("transfer request", license="#1", member=shop.bob)
    assert "cannot be transferred" in reply.text


async def test_closed_messages_block_nobody(shop: Shop):
    await sold(shop)
    shop.alice.close_dms()
    shop.bob.close_dms()
    await shop.alice.slash("transfer request", license="#1", member=shop.bob)

    await (await shop.bob.slash("transfer list")).click("Accept")
    await (await shop.owner.slash("approvals")).click("Approve")

    await shop.has_role(shop.bob)
    await shop.has_role(shop.alice, held=False)
    await shop.delivered()


async def test_one_with_closed_messages_leaves_the_other_told(shop: Shop):
    await accepted(shop)
    shop.alice.close_dms()

    await (await shop.owner.slash("approvals")).click("Approve")

    await shop.bob.wait_for_dm("is yours now")


async def test_who_left_the_server_accepts_nothing_from_an_old_message(shop: Shop):
    _, message = await offered(shop)
    shop.bob.leave()

    refused = await message.click("Accept")

    assert "no longer a member of the server" in refused.text
    assert await ends(shop) == []


async def test_an_old_message_of_a_server_without_the_bot_says_so(shop: Shop):
    _, message = await offered(shop)
    shop.guild.remove_bot()
    await shop.sandbox.wait_until(lambda: shop.client.get_guild(shop.guild.id) is None)

    assert "not in this server myself" in (await message.click("Accept")).text


async def test_whoever_may_not_decide_sees_and_presses_nothing(shop: Shop):
    await accepted(shop)
    await shop.grant("transfers:decide")
    waiting = await shop.support.slash("approvals")
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="transfers:decide")

    assert "`transfers:decide`" in (await waiting.click("Approve")).text
    assert "`transfers:decide`" in (await (await waiting.click("Deny…")).submit({})).text
    assert "`transfers:decide`" in (await shop.support.slash("approvals")).text
    assert "approvals" not in shop.bob.commands
    assert await ends(shop) == []


async def test_an_offer_that_nobody_took_lapses_and_both_are_told(shop: Shop):
    _, message = await offered(shop)
    shop.world.now_ms += 3 * DAY_MS

    assert "This transfer has ended already" in (await message.click("Accept")).text
    await shop.world.upkeep.sweep()
    await shop.delivered()

    assert "not decided in time" in (await shop.alice.wait_for_dm("The transfer of your license")).text
    await shop.bob.wait_for_dm("has ended without it")


async def test_many_that_wait_are_listed_page_by_page_within_discords_limits_also_after_a_restart(shop: Shop):
    name = "*" * 80
    await shop.product(name)
    operator = Actor(organization_id=shop.guild.id, kind=ActorKind.OPERATOR)
    alice = Actor(organization_id=shop.guild.id, id=shop.alice.id, name="A" * 32)
    bob = Actor(organization_id=shop.guild.id, id=shop.bob.id, name="_" * 32)
    for _ in range(12):
        issued = await shop.world.issue(name, by=operator, discord_id=alice.id, holder_name="*" * 32)
        license_id = issued.view.license.id
        offer = await shop.world.transfers.offer(alice, license_id, to_discord_id=bob.id, to_name="_" * 32)
        await shop.world.transfers.accept(bob, offer.transfer.id)

    waiting, listed = await shop.owner.slash("approvals"), await shop.bob.slash("transfer list")
    await shop.restart_bot()
    for pages in (waiting, listed):
        assert "Page 1 of 2" in pages.text
        assert "#8:" in pages.text
        assert "#9:" not in pages.text
        await pages.click("Next")
        await pages.wait_for("Page 2 of 2")
        assert "#12:" in pages.text
        assert "#8:" not in pages.text
    await listed.click("Previous")
    await listed.wait_for("Page 1 of 2")
    await waiting.click("approval:v1:9:approve")
    await waiting.wait_for("Approved: ")
    assert "Page 1 of 2" in waiting.text


async def test_a_page_that_is_gone_shows_the_last_one_that_is_left(shop: Shop):
    await shop.product()
    operator = Actor(organization_id=shop.guild.id, kind=ActorKind.OPERATOR)
    alice = Actor(organization_id=shop.guild.id, id=shop.alice.id, name="Alice")
    for _ in range(9):
        issued = await shop.world.issue("Pro", by=operator, discord_id=alice.id, holder_name="Alice")
        await shop.world.transfers.offer(alice, issued.view.license.id, to_discord_id=shop.bob.id, to_name="Bob")
    listed = await shop.alice.slash("transfer list")
    await shop.alice.slash("transfer cancel", license="#9")

    await listed.click("Next")

    await listed.wait_for(lambda it: "Page" not in it.text and "#8:" in it.text)
