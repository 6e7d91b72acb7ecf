"""What staff change about a license, by command and by button: asked first where it hurts, shown before and after."""

import pytest
from discord.ui import TextDisplay
from discord_shop import Shop

from cogs.ui import layouts
from licensing.choices import ActorKind
from licensing.models import Actor

DAY_S = 86_400


async def panel_of(shop: Shop, key: str):
    return await shop.owner.slash("license view", license=key)


async def test_a_suspension_says_whose_it_is_takes_a_reason_and_is_felt_at_once(shop: Shop):
    api_key = await shop.product(role=shop.holders)
    await shop.owner.slash("license issue", product="Pro", member=shop.bob)
    key = (await shop.bob.wait_for_dm("-")).content
    await shop.has_role(shop.bob)

    question = await shop.owner.slash("license suspend", license=key, reason="Chargeback")
    assert shop.bob.mention in question.text
    assert await shop.validate(api_key, key) == "active"
    done = await question.click("Suspend")

    assert "**Status:** active → suspended\nLicense #1 for Pro is suspended" in done.text
    assert await shop.validate(api_key, key) == "suspended"
    told = await shop.bob.wait_for_dm("was suspended")
    assert "Reason: Chargeback" in told.text
    await shop.has_role(shop.bob, held=False)

    back = await shop.owner.slash("license reinstate", license=key)
    assert "**Status:** suspended → active" in back.text
    assert await shop.validate(api_key, key) == "active"
    await shop.bob.wait_for_dm("is no longer suspended")
    await shop.has_role(shop.bob)


async def test_everything_works_from_the_buttons_of_the_panel_after_a_restart(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com", expiry="10d")
    assert await shop.validate(api_key, key) == "active"
    panel = await panel_of(shop, key)
    assert "`203.0.113.1` · last seen <t:" in panel.text
    await shop.restart_bot()

    question = await panel.click("Suspend…")
    form = await question.click("Give a reason…")
    await form.submit({"Reason": "Abuse"})
    await question.wait_for("is suspended")
    assert (await shop.world.events())[-1].reason == "Abuse"
    await panel.click("Refresh")
    await panel.wait_for("**Status:** suspended")
    await panel.click("Reinstate")
    await panel.wait_for("**Status:** suspended → active")
    await (await panel.click("Extend…")).submit({"How long": "5d"})
    await panel.wait_for(f"<t:{shop.world.now_ms // 1000 + 15 * DAY_S}:f>")
    reset = await panel.click("Reset addresses and devices…")
    assert "It runs on 1 address." in reset.text
    assert "a@example.com" in reset.text
    await reset.click("Reset addresses and devices")
    await reset.wait_for("has no registered addresses or devices any more")
    assert "**Addresses:** 1 (no limit) → 0 (no limit)\n**Freed:**\n- `203.0.113.1`\n" in reset.text
    await panel.click("Refresh")
    await panel.wait_for("**Addresses:** 0")
    assert "Reset addresses and devices…" not in [button.label for button in panel.buttons]


async def test_an_edit_by_command_shows_before_and_after_and_leaves_the_rest(shop: Shop):
    await shop.product()
    key = await shop.stock(notes="old", max_ips=2)

    changed = await shop.owner.slash("license edit", license=key, max_ips=0, notes="order 7")
    assert "**Address limit:** 2 → no limit" in changed.text
    assert "**Notes:** old → order 7" in changed.text
    removed = await shop.owner.slash("license edit", license=key, notes="-")
    assert "**Notes:** order 7 → none" in removed.text
    ended = await shop.owner.slash("license edit", license=key, expiry="2100-01-01")
    assert "**Expires:** never → <t:" in ended.text
    assert "Name something to change" in (await shop.owner.slash("license edit", license=key)).text


async def test_blanks_are_no_reason_no_notes_and_no_end(shop: Shop):
    await shop.product()
    key = await shop.stock(notes="  old ", email="a@example.com")
    asked = [
        await shop.owner.slash(f"license {command}", license=key, reason=" \u3000 ")
        for command in ("suspend", "revoke")
    ]
    for question in asked:
        assert "Reason" not in question.text
    form = await asked[0].click("Give a reason…")
    await form.submit({"Reason": "   "})
    await asked[0].wait_for("is suspended")
    assert (await shop.world.events())[-1].reason is None
    panel = await panel_of(shop, key)
    assert panel.text.endswith("**Notes:** old")

    assert "Name something to change" in (await shop.owner.slash("license edit", license=key, notes="  ")).text
    assert "Type a date or duration" in (await shop.owner.slash("license edit", license=key, expiry="  ")).text
    form = await panel.click("Edit…")
    refused = await form.submit({"Address limit": "x", "Notes": " \n ", "New end": "  "})
    assert "must be between" in refused.text
    assert "-# Notes" not in refused.text


async def test_the_edit_form_is_filled_in_and_a_refused_one_keeps_what_was_typed(shop: Shop):
    await shop.product()
    key = await shop.stock(notes="**VIP** `x` 🚀", max_ips=2)
    panel = await panel_of(shop, key)

    form = await panel.click("Edit…")
    assert [field.value for field in form.modal.fields] == ["2", "**VIP** `x` 🚀", ""]
    refused = await form.submit({"Address limit": "5", "Notes": "new\nlines", "New end": "2001-01-01"})
    assert "`2001-01-01` has passed already" in refused.text
    again = await refused.click("Try again")
    assert [field.value for field in again.modal.fields] == ["5", "new\nlines", "2001-01-01"]
    done = await again.submit({"Address limit": "5", "Notes": "new\nlines", "New end": "30d"})

    await done.wait_for("**Address limit:** 2 → 5")
    found = await shop.world.licenses.view(operator(shop), key)
    assert (found.license.max_ips, found.license.notes) == (5, "new\nlines")


async def test_a_form_left_open_undoes_nothing_that_somebody_else_changed_meanwhile(shop: Shop):
    await shop.product()
    key = await shop.stock(notes="old", max_ips=2)
    panel = await panel_of(shop, key)
    form = await panel.click("Edit…")
    await shop.owner.slash("license edit", license=key, notes="by somebody else")

    await form.submit({"Address limit": "7"})

    await panel.wait_for("**Address limit:** 2 → 7")
    found = await shop.world.licenses.view(operator(shop), key)
    assert (found.license.max_ips, found.license.notes) == (7, "by somebody else")


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("extend", {"duration": "1m"}, "could mean minutes or months"),
        ("extend", {"duration": "2001-01-01"}, "has passed already"),
        ("extend", {"duration": "soon"}, "is no date or duration"),
        ("edit", {"expiry": "1m"}, "could mean minutes or months"),
        ("reinstate", {}, "is not suspended"),
        ("reset-ips", {}, "no registered address"),
    ],
)
async def test_what_cannot_be_is_one_sentence_and_changes_nothing(shop: Shop, command: str, options: dict, said: str):
    await shop.product()
    key = await shop.stock(expiry="10d")
    before = await shop.world.events()

    reply = await shop.owner.slash(f"license {command}", license=key, **options)

    assert said in reply.text
    assert reply.buttons == []
    assert await shop.world.events() == before


async def test_a_license_without_an_end_is_not_extended_and_has_no_button_for_it(shop: Shop):
    await shop.product()
    key = await shop.stock()

    reply = await shop.owner.slash("license extend", license=key, duration="5d")

    assert "has no end to extend" in reply.text
    assert "Extend…" not in [button.label for button in (await panel_of(shop, key)).buttons]


async def test_a_revoked_license_is_refused_before_anything_is_asked(shop: Shop):
    await shop.product()
    key = await shop.stock()
    panel = await panel_of(shop, key)
    done = await (await shop.owner.slash("license revoke", license=key)).click("Revoke for good")
    assert "**Status:** waiting to be claimed → revoked\nLicense #1 for Pro is revoked" in done.text

    for reply in (
        await shop.owner.slash("license revoke", license=key),
        await shop.owner.slash("license suspend", license=key),
        await panel.click("Edit…"),
        await panel.click("Suspend…"),
    ):
        assert "final; issue a new one" in reply.text
        assert reply.buttons == []


async def test_each_change_asks_for_its_own_permission_when_it_is_pressed(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com", expiry="10d")
    await shop.validate(api_key, key)
    await shop.grant("licenses:view", "licenses:edit", "licenses:reset_ips", "licenses:revoke")
    panel = await shop.support.slash("license view", license=key)
    questions = {label: await panel.click(label) for label in ("Suspend…", "Reset addresses and devices…", "Revoke…")}
    form = await panel.click("Extend…")
    taken = "licenses:edit, licenses:reset_ips, licenses:revoke"
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions=taken)
    before = await shop.world.events()

    assert "`licenses:edit`" in (await questions["Suspend…"].click("Suspend")).text
    assert (
        "`licenses:reset_ips`"
        in (await questions["Reset addresses and devices…"].click("Reset addresses and devices")).text
    )
    assert "`licenses:revoke`" in (await questions["Revoke…"].click("Revoke for good")).text
    assert "`licenses:edit`" in (await panel.click("Edit…")).text
    assert "`licenses:edit`" in (await form.submit({"How long": "5d"})).text
    assert await shop.world.events() == before


async def test_a_panel_with_everything_at_its_longest_is_within_discords_limits(shop: Shop):
    name = "*" * 80
    api_key = await shop.product(name)
    key = await shop.stock(name, email=f"{'e' * 64}@{'x' * 180}.example", notes="_" * 1000, expiry="10d")
    for number in range(25):
        seen = await shop.world.validate(api_key, key, f"2001:db8:ffff:{number:04x}::")
        assert seen.valid

    panel = await panel_of(shop, key)
    assert "2001:db8:ffff" in panel.text
    edited = await shop.owner.slash("license edit", license=key, notes="`" * 1000, max_ips=30, expiry="20d")
    assert "**Address limit:** no limit → 30" in edited.text
    question = await shop.owner.slash("license suspend", license=key, reason="@" * 1000)
    assert "@" * 1000 in question.text
    form = await edited.click("Edit…")
    refused = await form.submit({"Address limit": "x" * 100, "Notes": "`" * 1000, "New end": "y" * 100})
    assert "must be between 0 and" in refused.text
    settings = await shop.owner.slash("product settings", product=name)
    assert "### Settings of" in settings.text
    assert "license" in (await shop.owner.slash("product archive", product=name)).text


@pytest.mark.parametrize("texts", [("a" * 5_000,), ("a" * 3_000, "b" * 3_000, "c"), ("a", "b" * 9_000)])
async def test_a_panel_cuts_what_discord_would_refuse(texts: tuple[str, ...]):
    panel = layouts.panel(*texts)

    assert 3_000 < panel.content_length() <= 4_000
    assert all(display.content for display in panel.walk_children() if isinstance(display, TextDisplay))


async def test_names_with_emoji_and_from_right_to_left_are_kept_whole_and_apart(shop: Shop):
    yusuf = shop.guild.add_member("يوسف 🚀 @everyone")
    name, escaped = "כלב *Pro* 💎", r"כלב \*Pro\* 💎"
    await shop.product(name)
    await shop.owner.slash("license issue", product=name, member=yusuf)

    panel = await panel_of(shop, "#1")
    found = await shop.owner.slash("license find", text="يوسف")
    listed = await shop.owner.slash("product list")

    assert f"\u2068{escaped}\u2069 · #1" in panel.text
    assert "1 license found" in found.text
    assert f"\u2068{escaped}\u2069" in listed.text
    assert panel.pings == found.pings == []


def operator(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, kind=ActorKind.OPERATOR)
