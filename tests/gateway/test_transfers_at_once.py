"""Two who press at once, over one transfer: exactly one of them decides, and the license is where it says."""

import asyncio

import pytest
from discord_shop import Shop
from discord_transfers import accepted, ends, offered

from licensing.choices import TransferRule


@pytest.mark.parametrize("order", [1, -1])
async def test_of_accepting_and_cancelling_at_once_exactly_one_happens(shop: Shop, order: int):
    mine, theirs = await offered(shop, TransferRule.RECIPIENT)
    presses = [theirs.click("Accept"), mine.click("Cancel the transfer")][::order]

    accept, cancel = (await asyncio.gather(*presses))[::order]

    await shop.delivered()
    end = await ends(shop)
    assert len(end) == 1
    moved = end == ["license.transferred"]
    loser = cancel if moved else accept
    assert "This transfer has ended already" in loser.text
    await shop.has_role(shop.bob, held=moved)
    await shop.has_role(shop.alice, held=not moved)


async def test_accepting_twice_at_once_moves_the_license_once(shop: Shop):
    _, message = await offered(shop, TransferRule.RECIPIENT)
    listed = await shop.bob.slash("transfer list")

    texts = [reply.text for reply in await asyncio.gather(message.click("Accept"), listed.click("Accept"))]

    assert sum("The license is yours now" in text for text in texts) == 1
    assert sum("This transfer has ended already" in text for text in texts) == 1
    assert await ends(shop) == ["license.transferred"]


@pytest.mark.parametrize("order", [1, -1])
async def test_of_revoking_and_approving_at_once_the_license_ends_revoked_and_nobody_keeps_the_role(
    shop: Shop, order: int
):
    await accepted(shop)
    waiting = await shop.owner.slash("approvals")
    question = await shop.owner.slash("license revoke", license="#1")

    await asyncio.gather(*[waiting.click("Approve"), question.click("Revoke for good")][::order])

    await shop.delivered()
    assert len(await ends(shop)) == 1
    view = await shop.owner.slash("license view", license="#1")
    assert "**Status:** revoked" in view.text
    assert shop.alice.role_names == shop.bob.role_names == []


async def test_two_staff_who_decide_at_once_decide_once(shop: Shop):
    await accepted(shop)
    first, second = await shop.owner.slash("approvals"), await shop.owner.slash("approvals")

    form = await second.click("Deny…")
    approved, denied = await asyncio.gather(first.click("Approve"), form.submit({"Reason": "No"}))

    end = await ends(shop)
    assert len(end) == 1
    loser = denied if end == ["license.transferred"] else approved
    assert "This transfer has ended already" in loser.text
