"""Members: claim, look at what is theirs, and nothing else."""

import asyncio

import pytest
from discord_shop import Shop

from licensing.keys import ALPHABET
from licensing.models import Actor
from licensing.services.terms import Terms


def with_a_typo(key: str) -> str:
    return ("A" if key[0] != "A" else "B") + key[1:]


async def test_stock_validates_only_after_its_claim_and_brings_the_role(shop: Shop):
    api_key = await shop.product(role=shop.holders)
    key = await shop.stock()
    assert await shop.validate(api_key, key) == "not_claimed"

    claimed = await shop.bob.slash("claim", key=f"  {key.lower().replace('-', ' ')} ")

    assert claimed.ephemeral
    assert key not in claimed.text
    assert await shop.validate(api_key, key) == "active"
    await shop.has_role(shop.bob)
    assert await (await claimed.click("Show key")).wait_for(key)


async def test_a_key_of_somebody_else_is_refused_and_stays_theirs(shop: Shop):
    await shop.product(role=shop.holders)
    key = await shop.stock()
    await shop.bob.slash("claim", key=key)

    refused = await shop.alice.slash("claim", key=key)

    assert "belongs to another member" in refused.text
    assert "already claimed" in (await shop.bob.slash("claim", key=key)).text
    await shop.delivered()
    assert shop.alice.role_names == []


async def test_a_typo_is_named_as_one_and_an_unknown_key_is_not(shop: Shop):
    await shop.product()
    key = await shop.stock()

    assert "mistyped" in (await shop.bob.slash("claim", key=with_a_typo(key))).text
    assert "No license with this key" in (await shop.bob.slash("claim", key="order-4711")).text


@pytest.mark.parametrize(
    "key",
    ["🔑🔑🔑", "' OR 1=1; DROP TABLE licenses; --", "A" * 6000, "\x00\x00", "`@everyone`", "ÄÖÜ" * 80],
    ids=["emoji", "sql", "long", "null", "markdown", "unicode"],
)
async def test_whatever_is_typed_as_a_key_is_answered_by_one_sentence(shop: Shop, key: str):
    reply = await shop.bob.slash("claim", key=key)

    assert "No license with this key was found" in reply.text
    assert reply.ephemeral


async def test_after_five_wrong_keys_even_a_right_one_has_to_wait(shop: Shop):
    await shop.product()
    key = await shop.stock()
    for symbol in ALPHABET[:5]:
        await shop.bob.slash("claim", key=symbol * 8)

    assert "Too many wrong keys; wait 60 s" in (await shop.bob.slash("claim", key=key)).text
    assert "yours now" in (await shop.alice.slash("claim", key=key)).text


async def test_of_two_who_claim_at_once_one_wins(shop: Shop):
    await shop.product()
    key = await shop.stock()
    both = [shop.alice.begin("claim", key=key), shop.bob.begin("claim", key=key)]

    texts = [reply.text for reply in await asyncio.gather(*(reply.settled() for reply in both))]

    assert sum("yours now" in text for text in texts) == 1
    assert sum("belongs to another member" in text for text in texts) == 1


async def test_a_member_sees_their_own_licenses_and_picks_one(shop: Shop):
    await shop.product()
    key = await shop.stock()
    await shop.stock()
    await shop.bob.slash("claim", key=key)

    overview = await shop.bob.slash("licenses")
    assert "You hold 1 license here" in overview.text
    label = next(iter(overview.selects[0].options))
    assert label == f"#1 …-{key[-4:]} · Pro · active"
    detail = await overview.select("Choose a license to see it", label)

    assert "**Expires:** never" in detail.text
    assert "Notes" not in detail.text
    assert (await detail.click("Show key")).content == key
    assert "You hold no license here yet" in (await shop.alice.slash("licenses")).text


async def test_a_member_with_many_licenses_turns_pages(shop: Shop):
    await shop.product()
    owner = Actor(organization_id=shop.guild.id, id=shop.owner.id, is_administrator=True)
    for _ in range(30):
        await shop.world.licenses.issue(owner, Terms("Pro", discord_id=shop.bob.id, holder_name="Bob"))

    overview = await shop.bob.slash("licenses")
    assert "Page 1 of 2" in overview.text
    assert len(overview.selects[0].options) == 25
    await overview.click("Next")

    await overview.wait_for("Page 2 of 2")
    assert len(overview.selects[0].options) == 5
    await overview.click("Previous")
    await overview.wait_for("Page 1 of 2")


async def test_a_license_that_changed_hands_is_no_longer_shown_by_an_old_panel(shop: Shop):
    await shop.product()
    key = await shop.stock()
    panel = await shop.bob.slash("claim", key=key)
    license_id = (await shop.world.events())[-1].license_id
    await shop.world.store.write(lambda tx: _hand_over(tx, shop, license_id))

    assert "No such license" in (await panel.click("Show key")).text


def _hand_over(tx, shop, license_id):
    license_ = yield from tx.licenses.lock(shop.guild.id, license_id)
    yield from tx.licenses.save(license_.model_copy(update={"customer_id": None}))


async def test_commands_work_in_a_server_only(shop: Shop):
    assert "claim" in shop.bob.commands
    assert shop.bob.in_dm.commands == []
