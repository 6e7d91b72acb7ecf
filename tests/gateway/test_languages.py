"""Languages: everybody is answered in their own, at the same time, and a server is written to in its own."""

import asyncio
from collections.abc import Iterator

import pytest
from discord_shop import Shop

from i18n import gettext, languages, using_locale
from i18n.refusals import SENTENCES
from licensing.errors import KeyNotFound

STAFF = "products:edit products:view licenses:view licenses:create licenses:revoke licenses:reveal"


@pytest.mark.parametrize("language", sorted(languages()))
async def test_a_member_is_refused_in_the_language_of_their_client(shop: Shop, language: str):
    reader = shop.guild.add_member("Reader", locale=language)
    with using_locale(language):
        expected = gettext(SENTENCES[KeyNotFound])

    replies = [await reader.slash("claim", key="nothing"), await shop.bob.slash("claim", key="nothing")]

    assert replies[0].text == expected
    assert replies[1].text == SENTENCES[KeyNotFound]


async def test_two_members_at_the_same_time_are_answered_each_in_their_own_language(shop: Shop):
    greta = shop.guild.add_member("Greta", locale="de")
    eric = shop.guild.add_member("Eric", locale="en-US")
    await shop.product()

    async def both(path: str, **options: object) -> tuple[str, str]:
        begun = [member.begin(path, **options) for member in (greta, eric)]
        german, english = await asyncio.gather(*(reply.settled() for reply in begun))
        return german.text, english.text

    german, english = await both("claim", key="order-4711")
    assert "Eine Lizenz mit diesem Schlüssel wurde hier nicht gefunden" in german
    assert "No license with this key was found here" in english
    german, english = await both("licenses")
    assert "Du hast hier noch keine Lizenz" in german
    assert "You hold no license here yet" in english


async def test_a_member_who_reads_german_claims_and_looks_at_a_license_in_german(shop: Shop):
    greta = shop.guild.add_member("Greta", locale="de")
    await shop.product()
    key = await shop.stock()

    claimed = await greta.slash("claim", key=key)
    overview = await greta.slash("licenses")
    detail = await overview.select("Wähle eine Lizenz, um sie zu sehen", next(iter(overview.selects[0].options)))

    assert "Diese Lizenz gehört jetzt dir." in claimed.text
    assert "### Du hast hier 1 Lizenz" in overview.text.splitlines()
    assert "**Status:** aktiv" in detail.text
    assert "**Läuft ab:** nie" in detail.text
    assert (await detail.click("Schlüssel zeigen")).content == key
    assert "**Status:** active" in (await shop.owner.slash("license view", license=key)).text


async def test_staff_who_read_german_work_in_german_down_to_forms_and_refusals(shop: Shop):
    greta = shop.guild.add_member("Greta", roles=[shop.support_role], locale="de")
    await shop.grant(*STAFF.split())
    api_key = await shop.product(by=greta)
    key = await shop.stock(by=greta)

    panel = await greta.slash("license view", license=key)
    question = await panel.click("Widerrufen…")
    assert "**Inhaber:** noch niemand (Bestand)" in panel.text
    assert "Diese Lizenz endgültig widerrufen?" in question.text
    form = await question.click("Grund angeben…")
    assert form.modal is not None
    assert form.modal.title == "Lizenz #1 widerrufen"
    done = await form.submit({"Grund": "Erstattet"})

    await done.wait_for("Lizenz #1 für Pro ist widerrufen")
    assert await shop.validate(api_key, key) == "revoked"
    assert "bitte einen Admin um `/staff grant`" in (await greta.slash("staff list")).text
    [choice] = await greta.complete("license view", "license", key[:4])
    assert choice.name.endswith("· Pro · Bestand · widerrufen")


async def test_staff_who_read_german_set_switches_and_members_hand_on_in_german(shop: Shop):
    await shop.product()
    greta = shop.guild.add_member("Greta", roles=[shop.support_role], locale="de")
    await shop.grant("products:edit", "licenses:view", "transfers:decide")
    panel = await greta.slash("product settings", product="Pro")
    assert "### Einstellungen von Pro" in panel.text
    await panel.click("product:v1:1:page:seats")
    refused = await (await panel.click("Limit setzen…")).submit({"Adressen je Lizenz": "x"})
    assert "Das Adresslimit muss zwischen 0 und 100000 liegen" in refused.text
    again = await refused.click("Noch einmal versuchen")
    await again.submit({"Adressen je Lizenz": "3"})
    await again.wait_for(lambda it: it.modal is None)
    await panel.click("Aktualisieren")
    await panel.wait_for("**Adressen je Lizenz:** 3")
    await panel.click("product:v1:1:page:general")
    await panel.click("Nicht mehr durchsetzen")
    await panel.wait_for("**Ablauf:** wird durchgesetzt → wird gezeigt, aber nicht durchgesetzt")

    await shop.owner.slash("license issue", product="Pro", member=greta)
    offer = await greta.slash("transfer request", license="#1", member=shop.bob)
    assert "Bis zur Annahme und zur Zustimmung des Teams ändert sich nichts." in offer.text
    message = await shop.bob.wait_for_dm("offers you a license")
    assert "You accepted" in (await message.click("Accept")).text
    decided = await greta.slash("approvals")
    await decided.click("Genehmigen")
    await decided.wait_for("Genehmigt: **Pro** · #1")
    found = await greta.slash("license find")
    assert "### 1 Lizenz gefunden" in found.text


async def test_a_button_answers_whoever_presses_it_after_a_restart_in_their_language(shop: Shop):
    greta = shop.guild.add_member("Greta", locale="de")
    api_key, key = await shop.product(), await shop.stock()
    panel = await greta.slash("claim", key=key)
    assert "**Adressen:** 0 (unbegrenzt)" in panel.text

    await shop.restart_bot()
    await shop.validate(api_key, key)
    await panel.click("Aktualisieren")

    await panel.wait_for("**Adressen:** 1 (unbegrenzt)")


async def test_direct_messages_are_in_the_language_of_the_server(shop: Shop):
    guild = shop.sandbox.add_guild("Laden", owner="Otto", locale="de")
    await guild.owner.slash("product create", name="Pro")
    emma = guild.add_member("Emma")

    await guild.owner.slash("license issue", product="Pro", member=emma)

    told = await emma.wait_for_dm("Du hast eine Lizenz für **Pro** von **Laden**.")
    assert "Läuft ab: nie" in told.text


async def test_commands_are_registered_with_their_descriptions_in_every_language(shop: Shop):
    commands = shop.sandbox.commands()

    for each in (each for command in commands for each in walk(command) if command["type"] == 1):
        assert set(each["description_localizations"]) == languages(), each["name"]
        for language, text in each["description_localizations"].items():
            with using_locale(language):
                assert gettext(each["description"]) == text
        assert not each.get("name_localizations"), each["name"]
    german = {each["name"]: each["description_localizations"]["de"] for each in commands if each["type"] == 1}
    assert german["claim"].startswith("Löst einen Lizenzschlüssel ein")


def walk(command: dict) -> Iterator[dict]:
    yield command
    for option in command.get("options", ()):
        yield from walk(option)
