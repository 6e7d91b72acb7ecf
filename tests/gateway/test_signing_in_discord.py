"""`/product signing` and `/product key`: what is shown once, what asks first, and what works after a restart."""

import re

from discord_shop import Shop

from licensing.choices import KeyScope, SigningKind
from licensing.keys import api_key_digest
from licensing.models import Actor

DAY_S = 86_400


def by_owner(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, id=shop.owner.id, is_administrator=True)


async def opened(shop: Shop):
    panel = await shop.owner.slash("product signing", product="Pro")
    assert "### How answers of Pro are signed" in panel.text
    assert panel.ephemeral
    return panel


async def keys_of(shop: Shop):
    return await shop.world.store.read(lambda tx: tx.signing_keys.of(1))


async def test_a_shared_secret_is_shown_once_alone_and_with_a_warning(shop: Shop):
    await shop.product()
    panel = await opened(shop)
    assert "A secret inside a program that you ship can be read out of it" in panel.text

    pressed = await panel.click("Turn on HMAC")
    await pressed.wait_for(lambda it: it.content.startswith("kp_sign_"))

    assert re.fullmatch("kp_sign_[0-9a-f]{64}", pressed.content)
    assert pressed.ephemeral
    assert "**HMAC, a shared secret, in the body:** on" in pressed.text
    assert "shown only this once" in pressed.text
    [key] = await keys_of(shop)
    assert f"Key `{key.id}`" in pressed.text
    assert shop.world.signer.secret(key) == pressed.content
    again = await opened(shop)
    assert "kp_sign_" not in again.text
    assert "If the secret is lost, rotate" in again.text
    assert {button.label for button in again.buttons} >= {"Turn off HMAC…", "Rotate HMAC…", "Turn on Ed25519"}


async def test_a_key_pair_shows_its_public_half_and_its_id(shop: Shop):
    await shop.product()
    panel = await opened(shop)

    pressed = await panel.click("Turn on Ed25519")

    await pressed.wait_for("Ed25519 is on: the very next answer is signed.")
    [key] = await keys_of(shop)
    jwk = shop.world.signer.jwk(key)
    for shown in (key.id, f"```\n{jwk['public_key_hex']}\n```", f"```\n{jwk['public_key_pem'].strip()}\n```"):
        assert shown in panel.text
    assert [button.label for button in panel.buttons if button.label.startswith("Rotate")] == ["Rotate Ed25519…"]


async def test_everything_on_and_rotating_fits_into_one_panel(shop: Shop):
    await shop.product("P" * 80)
    for kind in SigningKind:
        await shop.world.signing.turn_on(by_owner(shop), 1, kind)
        await shop.world.signing.rotate(by_owner(shop), 1, kind, grace="7d")
    panel = await shop.owner.slash("product signing", product="P" * 80)
    assert panel.text.count("-----END PUBLIC KEY-----") == 2  # of RSA, which took Ed25519's place
    assert "**License files:** off" in panel.text
    await shop.world.catalog.change_settings(by_owner(shop), 1, license_file_days=14)
    panel = await shop.owner.slash("product signing", product="P" * 80)
    assert panel.text.count("-----END PUBLIC KEY-----") == 4


async def test_what_running_programs_expect_is_turned_off_only_after_asking(shop: Shop):
    await shop.product()
    panel = await opened(shop)
    await panel.click("Turn on Ed25519")
    await panel.wait_for("Ed25519 is on")

    question = await panel.click("Turn off Ed25519…")
    assert "### Stop signing answers of Pro with Ed25519?" in question.text
    assert "believes no answer without it" in question.text
    await question.click("Cancel")
    assert (await shop.world.signing.view(by_owner(shop), "Pro")).is_on(SigningKind.ED25519)

    instead = await panel.click("Turn on RSA…")
    assert "### Sign answers of Pro with RSA in place of Ed25519?" in instead.text
    await shop.restart_bot()
    await instead.click("Turn on RSA")
    await instead.wait_for("RSA is on")
    view = await shop.world.signing.view(by_owner(shop), "Pro")
    assert (view.is_on(SigningKind.RSA), view.is_on(SigningKind.ED25519)) == (True, False)

    await panel.click("Refresh")
    await panel.wait_for("**RSA, a key pair, in the headers:** on")
    off = await panel.click("Turn off RSA…")
    await off.click("Turn off RSA")
    await off.wait_for("RSA is off.")
    left = off.text.rpartition("RSA is off.")[2]
    assert left.count("Its key is kept: turned on again, it signs with the same one.") == 2
    assert "Key `" not in left
    assert "Turn on Ed25519" in {button.label for button in off.buttons}
    assert not (await shop.world.signing.view(by_owner(shop), "Pro")).is_on(SigningKind.RSA)


async def test_a_rotation_asks_for_its_grace_says_what_it_breaks_and_happens_once(shop: Shop):
    await shop.product()
    await shop.stock(email="a@example.com")
    panel = await opened(shop)
    await panel.click("Turn on Ed25519")
    await panel.wait_for("Ed25519 is on")
    [old] = await keys_of(shop)

    wrong = await (await panel.click("Rotate Ed25519…")).submit({"Grace period": "1m"})
    assert "could mean minutes or months" in wrong.text
    form = await wrong.click("Try again")
    question = await form.submit({"Grace period": "24h"})
    assert f"Key `{old.id}` goes on signing until <t:{shop.world.now_ms // 1000 + DAY_S}:f>" in question.text
    assert "give no grace" in question.text
    assert "1 license of this product is in use." in question.text
    assert "License files change keys" not in question.text
    await shop.world.catalog.change_settings(by_owner(shop), 1, license_file_days=14)
    second = await (await panel.click("Rotate Ed25519…")).submit({"Grace period": ""})
    assert f"Key `{old.id}` is gone at once" in second.text
    assert "License files change keys too" in second.text
    assert "give no grace" not in second.text
    await shop.restart_bot()
    done = await question.click("Rotate the key")

    await done.wait_for("There is a new Ed25519 key")
    new = next(key for key in await keys_of(shop) if key.id != old.id)
    assert f"Key `{new.id}` signs from <t:{shop.world.now_ms // 1000 + DAY_S}:f>" in done.text
    assert f"Key `{old.id}` signs until <t:{shop.world.now_ms // 1000 + DAY_S}:f>" in done.text
    assert "was replaced in the meantime" in (await second.click("Rotate the key")).text
    assert len(await keys_of(shop)) == 2


async def test_a_rotated_secret_is_shown_once_as_well(shop: Shop):
    await shop.product()
    first = (await shop.world.signing.turn_on(by_owner(shop), "Pro", SigningKind.HMAC)).secret
    question = await (await (await opened(shop)).click("Rotate HMAC…")).submit({"Grace period": ""})

    done = await question.click("Rotate the key")

    await done.wait_for(lambda it: it.content.startswith("kp_sign_"))
    assert done.content != first


async def test_whoever_may_only_look_sees_the_public_keys_and_changes_nothing(shop: Shop):
    await shop.product()
    await shop.world.signing.turn_on(by_owner(shop), "Pro", SigningKind.ED25519)
    refused = await shop.support.slash("product signing", product="Pro")
    assert "`products:view`" in refused.text
    await shop.grant("products:view")
    before = await shop.world.events()

    panel = await shop.support.slash("product signing", product="Pro")
    assert "-----BEGIN PUBLIC KEY-----" in panel.text
    said = [
        await panel.click("Turn on HMAC"),
        await panel.click("Turn off Ed25519…"),
        await (await panel.click("Rotate Ed25519…")).submit({"Grace period": ""}),
        await shop.support.slash("product key add", product="Pro", name="Jar"),
    ]

    for reply in said:
        assert "You need the permission `products:edit` for this" in reply.text
    assert await shop.world.events() == before


async def test_a_named_key_is_shown_once_and_listed_by_name_and_prefix(shop: Shop):
    primary = await shop.product()
    assert "There is none yet" in (await shop.owner.slash("product key list", product="Pro")).text

    added = await shop.owner.slash("product key add", product="Pro", name="Shipped  *jar*")
    await added.wait_for(lambda it: it.content.startswith("kp_live_"))

    key = added.content
    assert key != primary
    assert added.ephemeral
    assert "It may only validate and fetch license files" in added.text
    assert f"Bearer {key}" in added.text
    found = await shop.world.store.snapshots.product(api_key_digest(key))
    assert found.scope is KeyScope.VALIDATE
    listed = await shop.owner.slash("product key list", product="Pro")
    assert f"Shipped \\*jar\\*: `{key[:12]}…`" in listed.text
    viewed = await shop.owner.slash("product view", product="Pro")
    assert f"**API key Shipped \\*jar\\*:** `{key[:12]}…`, may only validate" in viewed.text
    assert key not in listed.text + viewed.text
    taken = await shop.owner.slash("product key add", product="Pro", name="shipped *JAR*")
    assert "There is already an API key named" in taken.text


async def test_a_named_key_dies_at_once_when_its_removal_is_confirmed(shop: Shop):
    await shop.product()
    license_key = await shop.stock()
    await shop.bob.slash("claim", key=license_key)
    added = await shop.owner.slash("product key add", product="Pro", name="Größe: 1")
    await added.wait_for(lambda it: it.content.startswith("kp_live_"))
    api_key = added.content
    [choice] = await shop.owner.complete("product key remove", "key_name", "grö", product="Pro")
    assert choice.value == "Größe: 1"

    question = await shop.owner.slash("product key remove", product="Pro", key_name=choice.value)
    assert "dies at once" in question.text
    assert await shop.validate(api_key, license_key) == "active"
    await shop.restart_bot()
    await question.click("Remove the key")

    await question.wait_for("whatever uses it is refused from now on")
    assert await shop.validate(api_key, license_key) == "invalid_api_key"
    again = await shop.owner.slash("product key remove", product="Pro", key_name="Größe: 1")
    assert "This product has no API key named `Größe: 1`" in again.text
    assert await shop.owner.complete("product key remove", "key_name", "", product="Pro") == []
