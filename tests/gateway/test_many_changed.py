"""Many licenses changed at once: after a question, as they were shown, and nobody told unless it was asked for."""

import asyncio
import copy
import re

from discord_shop import Shop
from many_licenses import issue, many_delivered, owner, stuck_at_the_third

from cogs import bulk_questions
from cogs.bulk_questions import Meant, Now
from licensing.services import bulk
from licensing.services.bulk import BulkService
from licensing.verdict import Status


async def states(shop: Shop) -> list[str]:
    count = await shop.world.store.read(lambda tx: tx.licenses.count(shop.guild.id))
    views = [await shop.world.licenses.view(owner(shop), f"#{number}") for number in range(1, count + 1)]
    return [view.license.state.value for view in views]


async def test_a_bulk_revocation_says_whom_it_hits_asks_takes_the_roles_and_tells_nobody(shop: Shop):
    api_key = await shop.product(role=shop.holders)
    await shop.product("Lite")
    key, *_others = await issue(shop, 3, discord_id=shop.bob.id, holder_name="Bob")
    await issue(shop, 22, discord_id=shop.alice.id, holder_name="Alice")
    await shop.stock("Lite")
    await shop.has_role(shop.bob)
    await shop.has_role(shop.alice)

    question = await shop.owner.slash("bulk revoke", product="pro", reason="Sold by a thief")
    assert question.ephemeral
    for said in ("**Licenses:** 25", "**People who hold them:** 2", "**Product:** Pro", "Nobody is told", "`#5` Pro"):
        assert said in question.text
    await issue(shop, 1, email="later@example.com")
    await shop.restart_bot()
    await question.click("Revoke for good (25)")
    await question.wait_for("### Revoked: 25 of 25 licenses")

    assert question.buttons == []
    assert await shop.validate(api_key, key) == "revoked"
    assert await states(shop) == ["revoked"] * 25 + ["active"] * 2
    await shop.has_role(shop.bob, held=False)
    await shop.has_role(shop.alice, held=False)
    await many_delivered(shop)
    assert shop.bob.dms == shop.alice.dms == []
    revoked = (await shop.world.events())[-1]
    assert (revoked.action.value, revoked.actor_id, revoked.reason) == (
        *("license.revoked", shop.owner.id, "Sold by a thief"),
    )


async def test_holders_are_told_if_that_was_asked_for_and_only_what_is_still_so(shop: Shop):
    await shop.product()
    await issue(shop, 1, discord_id=shop.bob.id, holder_name="Bob")
    await issue(shop, 1, discord_id=shop.alice.id, holder_name="Alice")
    await shop.world.changes.suspend(owner(shop), "#2")

    question = await shop.owner.slash("bulk suspend", product="Pro", reason="Audit", tell_members=True)
    assert "**Left alone:** 1, suspended or revoked already" in question.text
    assert "The holders are told by direct message" in question.text
    assert "as the holders will read it" in question.text
    await question.click("Suspend (1)")
    told = await shop.bob.wait_for_dm("was suspended")

    assert "Reason: Audit" in told.text
    back = await shop.owner.slash("bulk reinstate", status="suspended", tell_members=True)
    assert "every product of this server" in back.text
    await back.click("Reinstate (2)")
    await back.wait_for("### Reinstated: 2 of 2 licenses")
    await shop.bob.wait_for_dm("is no longer suspended")
    await shop.alice.wait_for_dm("is no longer suspended")
    assert await states(shop) == ["active", "active"]


async def test_a_change_that_was_taken_back_before_it_could_be_told_is_not_told(shop: Shop):
    await shop.product()
    await issue(shop, 1, discord_id=shop.bob.id, holder_name="Bob")
    await shop.stop_bot()
    everything = bulk.Selection(product="Pro")
    await shop.world.bulk.change(owner(shop), bulk.BulkChange.SUSPEND, everything, tell=True)
    await shop.world.changes.reinstate(owner(shop), "#1")
    await shop.start_bot()

    await shop.bob.wait_for_dm("is no longer suspended")
    await many_delivered(shop)

    assert len(shop.bob.dms) == 1


async def test_a_permission_that_was_taken_between_question_and_press_is_missed_and_nothing_happens(shop: Shop):
    await shop.product()
    await issue(shop, 2)
    await shop.grant("licenses:revoke")
    question = await shop.support.slash("bulk revoke", product="Pro")
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions="licenses:revoke")

    refused = await question.click("Revoke for good (2)")

    assert "`licenses:revoke`" in refused.text
    assert await states(shop) == ["active", "active"]
    assert "`licenses:revoke`" in (await shop.support.slash("bulk revoke", product="Pro")).text
    assert await shop.support.complete("bulk revoke", "product", "P") == []
    assert [each.name for each in await shop.owner.complete("bulk revoke", "product", "P")] == ["Pro"]


async def test_a_command_that_names_nothing_is_refused_and_one_that_finds_nothing_has_no_button(shop: Shop):
    await shop.product()
    await issue(shop, 2)

    assert "name a product, a status or a holder" in (await shop.owner.slash("bulk revoke", reason="all")).text
    nothing = await shop.owner.slash("bulk reinstate", product="Pro")

    assert "None of these licenses can be reinstated; nothing was changed" in nothing.text
    assert "**Product:** Pro" in nothing.text
    assert "**Left alone:** 2, not suspended" in nothing.text
    assert nothing.buttons == []


async def test_a_press_that_finds_other_numbers_asks_again_and_a_second_one_finds_nothing_left(shop: Shop):
    await shop.product()
    await issue(shop, 3, discord_id=shop.bob.id, holder_name="Bob")
    twice = [await shop.owner.slash("bulk suspend", holder=shop.bob, status="active") for _ in range(2)]
    await shop.world.changes.suspend(owner(shop), "#1")

    await twice[0].click("Suspend (3)")
    await twice[0].wait_for("there were 3 when you were asked")
    assert await states(shop) == ["suspended", "active", "active"]
    await asyncio.gather(twice[0].click("Suspend (2)"), twice[0].click("Suspend (2)"))
    await twice[0].wait_for("### Suspended: 2 of 2 licenses")
    await twice[1].click("Suspend (3)")
    await twice[1].wait_for("nothing was changed")

    assert twice[1].buttons == []
    assert len([event for event in await shop.world.events() if event.action.value == "license.suspended"]) == 3


async def test_a_press_that_finds_as_many_other_licenses_asks_again(shop: Shop):
    await shop.product()
    await issue(shop, 5)
    await shop.world.changes.suspend(owner(shop), "#1")
    await shop.world.changes.suspend(owner(shop), "#4")
    question = await shop.owner.slash("bulk revoke", status="not_claimed")
    for number in ("#2", "#3"):
        await shop.world.changes.suspend(owner(shop), number)
    for number in ("#1", "#4"):
        await shop.world.changes.reinstate(owner(shop), number)

    await question.click("Revoke for good (3)")
    await question.wait_for("other licenses were meant when you were asked")
    assert await states(shop) == ["active", "suspended", "suspended", "active", "active"]
    await question.click("Revoke for good (3)")
    await question.wait_for("### Revoked: 3 of 3 licenses")
    assert await states(shop) == ["revoked", "suspended", "suspended", "revoked", "revoked"]


def test_the_longest_id_of_a_button_fits_what_discord_allows_and_is_read_back():
    selection = bulk.Selection(
        product=10**12 - 1, status=Status.NOT_CLAIMED, discord_id=2**64 - 1, up_to_id=10**12 - 1
    )
    meant = Meant(bulk.BulkChange.REINSTATE, selection, tell=True, count=10**9 - 1, digest=2**32 - 1)

    assert len(meant.custom_id) <= 100
    read = re.fullmatch(bulk_questions.Now.__discord_ui_compiled_template__, meant.custom_id)
    assert Now(**read.groupdict())._meant == meant


async def test_a_late_press_on_what_is_done_leaves_its_outcome_to_be_read(shop: Shop):
    await shop.product()
    await issue(shop, 2)
    question = await shop.owner.slash("bulk suspend", product="Pro")
    as_it_was = copy.deepcopy(question.message.components)
    await question.click("Suspend (2)")
    await question.wait_for("### Suspended: 2 of 2 licenses")
    outcome = list(question.message.components)

    question.message.components[:] = as_it_was
    late = await question.click("Suspend (2)")
    question.message.components[:] = outcome

    assert "done already" in late.text
    assert "### Suspended: 2 of 2 licenses" in question.text


async def test_a_fault_in_between_asks_anew_about_what_is_left(shop: Shop, monkeypatch, caplog):
    await shop.product()
    await issue(shop, 5)
    monkeypatch.setattr(bulk, "CHANGED_AT_ONCE", 2)
    changing, chunks = BulkService._changing, iter(range(100))

    def faulty_at_the_second(*given, **more):
        if next(chunks) == 1:
            raise RuntimeError("a fault")
        return changing(*given, **more)

    monkeypatch.setattr(BulkService, "_changing", faulty_at_the_second)
    question = await shop.owner.slash("bulk suspend", product="Pro")
    await question.click("Suspend (5)")
    await question.wait_for("there were 5 when you were asked")
    async with asyncio.timeout(10):
        while "unexpected error, reference" not in caplog.text:
            await asyncio.sleep(0.01)
    caplog.clear()  # the fault is logged, with the reference that is shown

    await question.click("Suspend (3)")
    await question.wait_for("### Suspended: 3 of 3 licenses")


async def test_one_message_tells_a_holder_of_all_their_licenses_of_a_product(shop: Shop):
    await shop.product()
    await issue(shop, 60, discord_id=shop.bob.id, holder_name="Bob")
    question = await shop.owner.slash("bulk suspend", holder=shop.bob, reason="Audit", tell_members=True)
    await question.click("Suspend (60)")

    told = await shop.bob.wait_for_dm("60 of your licenses for **Pro**")
    await many_delivered(shop)

    assert "Reason: Audit" in told.text
    assert len(shop.bob.dms) == 1


async def test_nobody_is_said_to_be_told_of_licenses_that_nobody_in_discord_holds(shop: Shop):
    await shop.product()
    await issue(shop, 2)
    stock = await shop.owner.slash("bulk suspend", product="Pro", tell_members=True)
    await issue(shop, 2, email="ann@example.com")
    mailed = await shop.owner.slash("bulk suspend", product="Pro", reason="Audit", tell_members=True)
    await issue(shop, 2, discord_id=shop.bob.id, holder_name="Bob")
    mixed = await shop.owner.slash("bulk suspend", product="Pro", tell_members=True)

    assert "Nobody is told by direct message." in stock.text
    assert "Nobody is told: of the holders, only email addresses are known" in mailed.text
    assert "oles follow" not in stock.text + mailed.text
    assert "**Reason, which is only written down:**" in mailed.text
    assert "The holders in Discord (1) are told" in mixed.text


async def test_a_bot_that_is_stopped_in_between_says_how_far_it_came_and_the_command_goes_on(shop: Shop, monkeypatch):
    await shop.product()
    await issue(shop, 6)
    monkeypatch.setattr(bulk, "CHANGED_AT_ONCE", 2)
    question = await shop.owner.slash("bulk suspend", product="Pro")
    with stuck_at_the_third(monkeypatch, "_changing") as stuck:
        await question.click("Suspend (6)")
        await stuck.wait()
        await shop.stop_bot()
    assert "Suspending… 4 of 6" in question.text
    assert "The bot was stopped here" in question.text

    await shop.start_bot()
    again = await shop.owner.slash("bulk suspend", product="Pro")
    await again.click("Suspend (2)")
    await again.wait_for("### Suspended: 2 of 2 licenses")


async def test_a_license_for_one_does_not_wait_behind_the_roles_of_many(shop: Shop):
    await shop.product(role=shop.holders)
    await issue(shop, 1, discord_id=shop.alice.id, holder_name="Alice")
    await shop.has_role(shop.alice)
    shop.sandbox.fail_requests(1_000, status=503, method="DELETE", path_prefix=f"/guilds/{shop.guild.id}/members/")
    question = await shop.owner.slash("bulk revoke", product="Pro")
    await question.click("Revoke for good (1)")
    await question.wait_for("### Revoked: 1 of 1 licenses")

    reply = await shop.owner.slash("license issue", product="Pro", member=shop.bob)

    assert "was sent the key" in reply.text
    assert shop.holders.name in shop.alice.role_names
    assert shop.holders.name in shop.bob.role_names
