"""Whatever people type or Discord does, they read one clear sentence."""

import pytest
from discord_shop import Gate, Shop

from licensing.ports import Unavailable


@pytest.mark.parametrize(
    ("expiry", "said"),
    [
        ("2027-13-01", "`2027-13-01` is no date or duration"),
        ("1m", "could mean minutes or months"),
        ("2001-01-01", "has passed already"),
        ("99999y", "too far away"),
        ("soon 🚀", "`soon 🚀` is no date or duration"),
        ("'; DROP TABLE licenses", "is no date or duration"),
    ],
)
async def test_a_bad_date_is_explained_and_nothing_is_issued(shop: Shop, expiry: str, said: str):
    await shop.product()
    reply = await shop.owner.slash("license issue", product="Pro", member=shop.bob, expiry=expiry)

    assert said in reply.text
    assert reply.ephemeral
    assert len(reply.messages) == 1
    assert shop.bob.dms == []


async def test_a_person_who_is_no_member_cannot_be_issued_to(shop: Shop):
    await shop.product()
    stranger = shop.sandbox.add_user("Stranger")

    reply = await shop.owner.slash("license issue", product="Pro", member=stranger)

    assert "not in this server" in reply.text


async def test_a_bot_cannot_hold_a_license(shop: Shop):
    await shop.product()

    reply = await shop.owner.slash("license issue", product="Pro", member=shop.client.user.id)

    assert "A bot cannot hold a license" in reply.text


async def test_a_member_and_an_email_at_once_are_one_too_many(shop: Shop):
    await shop.product()

    both = await shop.owner.slash("license issue", product="Pro", member=shop.bob, email="bob@example.com")
    bad = await shop.owner.slash("license issue", product="Pro", email="bob at example")

    assert "not both" in both.text
    assert "`bob at example` is no email address" in bad.text


async def test_a_license_for_an_email_shows_its_key_to_hand_over(shop: Shop):
    api_key = await shop.product()

    key = await shop.stock(email="Bob@Example.com")

    assert await shop.validate(api_key, key) == "active"
    assert "bob@example.com" in (await shop.owner.slash("license view", license=key)).text


async def test_roles_that_the_bot_cannot_give_are_refused_with_what_to_do(shop: Shop):
    high = shop.guild.add_role("Admins", above_bot=True)
    managed = shop.guild.add_managed_role("Booster")

    above = await shop.owner.slash("product create", name="A", role=high)
    foreign = await shop.owner.slash("product create", name="B", role=managed)
    everyone = await shop.owner.slash("product create", name="C", role=shop.guild.everyone)
    shop.guild.set_permissions(shop.guild.bot_role, ["send_messages"])
    powerless = await shop.owner.slash("product create", name="D", role=shop.holders)

    assert "drag my role `KeyPort` above it" in above.text
    assert "belongs to Discord or to an integration" in foreign.text
    assert "pick another role" in everyone.text
    assert "allow my role Manage Roles" in powerless.text
    assert "no product here yet" in (await shop.owner.slash("product list")).text


async def test_product_names_are_kept_as_text_and_format_or_ping_nothing(shop: Shop):
    name = "**Pro** @everyone `x` 🚀 ' OR 1=1 --"
    await shop.product(name)

    listed = await shop.owner.slash("product list")
    viewed = await shop.owner.slash("product view", product=name)

    assert "@everyone" not in listed.text
    assert r"\*\*Pro\*\*" in viewed.text
    assert viewed.pings == []
    assert "already a product named" in (await shop.owner.slash("product create", name=name.upper())).text
    assert "ordinary characters" in (await shop.owner.slash("product create", name="a\u0007b")).text


async def test_a_grace_period_that_is_none_is_refused_before_anything_is_asked(shop: Shop):
    await shop.product()

    for grace in ("soon", "31d"):
        reply = await shop.owner.slash("product rotate-key", product="Pro", grace=grace)
        assert f"`{grace}` is no grace period" in reply.text
        assert reply.buttons == []


async def test_a_store_that_is_away_is_one_sentence_and_nothing_is_lost(shop: Shop, monkeypatch):
    await shop.product()
    key = await shop.stock()

    async def away(*_args: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(type(shop.world.store), "write", away)
        refused = await shop.bob.slash("claim", key=key)

    assert "cannot be reached now; nothing was changed" in refused.text
    assert "yours now" in (await shop.bob.slash("claim", key=key)).text


async def test_an_answer_is_promised_before_the_store_is_asked(shop: Shop, monkeypatch):
    await shop.product()
    key = await shop.stock()
    await shop.delivered()
    gate = Gate(shop.world.store, monkeypatch)

    reply = shop.bob.begin("claim", key=key)
    await reply.wait_for(lambda it: it.interaction.answer is not None)
    assert reply.text == ""

    gate.open()
    await reply.wait_for("yours now")


async def test_an_answer_that_comes_after_its_token_expired_breaks_nothing(shop: Shop, monkeypatch, discord_clock):
    api_key = await shop.product()
    key = await shop.stock()
    await shop.delivered()
    gate = Gate(shop.world.store, monkeypatch)
    reply = shop.bob.begin("claim", key=key)
    await reply.wait_for(lambda it: it.interaction.answer is not None)

    discord_clock.ahead_s = 16 * 60
    gate.open()
    await shop.sandbox.wait_until(lambda: shop.sandbox.requests[-1].status in (401, 404))

    assert await shop.validate(api_key, key) == "active"
    assert "1 license here" in (await shop.bob.slash("licenses")).text


async def test_an_unexpected_error_has_a_reference_that_the_log_carries(shop: Shop, monkeypatch, caplog):
    async def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("kaputt")

    monkeypatch.setattr(type(shop.world.account), "claim", broken)
    monkeypatch.setattr(type(shop.world.account), "list", broken)

    replies = [await shop.bob.slash("claim", key="x"), await shop.bob.slash("licenses")]

    for reply in replies:
        assert "kaputt" not in reply.text
        reference = reply.text.split("`")[1]
        logged = [record for record in caplog.records if reference in record.getMessage()]
        assert logged[0].exc_info is not None
    caplog.clear()


async def test_a_command_whose_channel_is_gone_does_nothing_and_breaks_nothing(shop: Shop):
    await shop.product()
    channel = shop.guild.add_channel("doomed")
    shop.owner.at(channel).begin("license issue", product="Pro", member=shop.bob)
    channel.delete()

    await shop.sandbox.wait_until(lambda: any(each.status == 404 for each in shop.sandbox.requests))

    assert "You hold no license here" in (await shop.bob.slash("licenses")).text


async def test_a_channel_that_goes_while_a_command_runs_takes_only_its_answer_along(shop: Shop):
    await shop.product()
    channel = shop.guild.add_channel("doomed")
    reply = shop.owner.at(channel).begin("license issue", product="Pro", member=shop.bob)
    await reply.wait_for(lambda it: it.interaction.answer is not None)
    channel.delete()

    await shop.bob.wait_for_dm("Pro")

    assert "1 license here" in (await shop.bob.slash("licenses")).text


async def test_no_key_is_ever_shown_in_a_channel_or_logged(shop: Shop, caplog):
    caplog.set_level("INFO")
    caplog.set_level("DEBUG", logger="cogs")
    api_key = await shop.product()
    key = await shop.stock()
    await shop.bob.slash("claim", key=key)
    await (await shop.owner.slash("license view", license=key)).click("Show key")

    assert [message for channel in shop.guild.channels for message in channel.messages] == []
    assert key not in caplog.text
    assert api_key not in caplog.text
