"""Staff look for licenses: page by page, by member, and as a file."""

import csv
import io

from discord_shop import Shop

from licensing.models import Actor
from licensing.services.terms import Terms
from licensing.spreadsheet import COLUMNS, safe
from sandbox.components import walk


def owner_of(shop: Shop) -> Actor:
    return Actor(organization_id=shop.guild.id, id=shop.owner.id, is_administrator=True)


async def issue(shop: Shop, count: int, **terms: object) -> None:
    for number in range(count):
        await shop.world.licenses.issue(owner_of(shop), Terms("Pro", notes=f"order {number}", **terms))


def table(reply) -> list[dict[str, str]]:
    assert list(reply.files) == ["licenses.csv"]
    return list(csv.DictReader(io.StringIO(reply.files["licenses.csv"].decode("utf-8-sig"))))


async def test_five_hundred_licenses_are_paged_through_also_after_a_restart(shop: Shop):
    await shop.product()
    await issue(shop, 500, discord_id=shop.bob.id, holder_name="Bob")

    found = await shop.owner.slash("license find")
    assert "### 500 licenses found" in found.text
    assert "Page 1 of 20" in found.text
    assert len(found.selects[0].options) == 25
    assert [button.label for button in found.buttons] == ["Next", "Export CSV"]
    await found.click("Next")
    await found.wait_for("Page 2 of 20")
    await shop.restart_bot()
    await found.click("Next")
    await found.wait_for("Page 3 of 20")
    assert "`#450`" in found.text
    await found.click("Previous")
    await found.wait_for("Page 2 of 20")
    label = next(iter(found.selects[0].options))
    opened = await found.select("Choose a license to see it", label)
    assert "### Pro · #475" in opened.text


async def test_a_button_of_an_earlier_version_turns_to_the_page_that_it_names(shop: Shop):
    await shop.product()
    await issue(shop, 60, discord_id=shop.bob.id, holder_name="Bob")
    found = await shop.owner.slash("license find", text="bob", product="Pro")

    async def press_old(custom_id: str) -> None:
        button = next(each for each in walk(found.message.components) if each.get("label") == "Export CSV")
        button["custom_id"] = custom_id
        await found.click(custom_id)

    product_id = found.buttons[0].custom_id.split(":")[-2]
    await press_old(f"find:v1:page:2::{product_id}:0")
    await found.wait_for("Page 3 of 3")
    await press_old(f"find:v1:page:9999999:active:{product_id}:0")
    await found.wait_for("**Status:** active")
    assert "Page 3 of 3" in found.text


async def test_more_than_a_thousand_are_paged_through_and_end_at_the_last(shop: Shop, monkeypatch):
    monkeypatch.setattr("licensing.services.finder.COUNTED", 50)
    await shop.product()
    await issue(shop, 80)

    found = await shop.owner.slash("license find")
    assert "### More than 50 licenses found" in found.text
    assert [button.label for button in found.buttons] == ["Next", "Last", "Export CSV"]
    await found.click("Last")
    await found.wait_for("Last page")
    assert "`#1`" in found.text
    await found.click("Previous")
    await found.wait_for("`#26`")
    assert "A page between the first and the last" in found.text
    await found.click("Next")
    await found.wait_for("Last page")
    await shop.restart_bot()
    await found.click("Previous")
    await found.wait_for("`#50`")


async def test_a_search_keeps_its_text_product_and_state_from_page_to_page(shop: Shop):
    await shop.product()
    await shop.product("Lite")
    await issue(shop, 60, email="eve@example.com")
    await shop.stock("Lite", notes="order 1")
    text = "order"

    found = await shop.owner.slash("license find", text=text, product="pro", status="active")
    assert "### 60 licenses found" in found.text
    assert "**Product:** Pro" in found.text
    await found.click("Next")

    await found.wait_for("Page 2 of 3")
    assert "### 60 licenses found" in found.text
    waiting = await shop.owner.slash("license find", status="not_claimed")
    assert "### 1 license found" in waiting.text
    nothing = await shop.owner.slash("license find", text="x" * 300)
    assert "### 0 licenses found" in nothing.text
    assert "Words are found by their start; accents count." in nothing.text
    assert nothing.buttons == []
    assert "no product `Nope`" in (await shop.owner.slash("license find", product="Nope")).text


async def test_an_export_holds_whole_keys_and_no_formula_and_needs_its_permission(shop: Shop):
    await shop.product()
    key = await shop.stock(email="eve@example.com", notes="=HYPERLINK(evil)", expiry="2100-01-01")
    await shop.stock(notes="other")
    await shop.grant("licenses:view")
    denied = await (await shop.support.slash("license find", text="=hyper")).click("Export CSV")
    assert "`licenses:export`" in denied.text
    await shop.grant("licenses:export")

    exported = await (await shop.support.slash("license find", text="=hyper")).click("Export CSV")

    assert exported.ephemeral
    [row] = table(exported)
    assert tuple(row) == COLUMNS
    assert (row["license_key"], row["notes"], row["status"]) == (key, "'=HYPERLINK(evil)", "active")
    assert (row["holder_email"], row["expires_at"]) == ("eve@example.com", "2100-01-01T23:59:59.999Z")
    event = (await shop.world.events())[-1]
    assert (event.action.value, event.actor_id) == ("licenses.exported", shop.support.id)


def test_a_cell_that_a_spreadsheet_would_run_is_quoted_and_others_are_left_alone():
    assert [safe(cell) for cell in ("=1", "+1", "-1", "@x", "\tx", "\rx")] == [
        *("'=1", "'+1", "'-1", "'@x", "'\tx", "'\rx")
    ]
    assert [safe(cell) for cell in ("a=1", 7, None, "", "мир")] == ["a=1", "7", "", "", "мир"]


async def test_an_export_that_is_larger_than_a_file_may_be_says_so(shop: Shop, monkeypatch):
    await shop.product()
    await shop.stock()
    found = await shop.owner.slash("license find")
    guild = type(shop.client.get_guild(shop.guild.id))
    monkeypatch.setattr(guild, "filesize_limit", property(lambda _guild: 10))

    refused = await found.click("Export CSV")

    assert "narrow the search" in refused.text
    assert refused.files == {}


async def test_the_menu_of_a_member_shows_staff_everything_that_they_hold(shop: Shop):
    await shop.product()
    await issue(shop, 30, discord_id=shop.bob.id, holder_name="Bob")
    await issue(shop, 1, discord_id=shop.alice.id, holder_name="Alice")
    await shop.grant("licenses:view")

    held = await shop.support.context_menu("Licenses", shop.bob)

    assert held.ephemeral
    assert "### 30 licenses found" in held.text
    assert f"**Holder:** {shop.bob.mention}" in held.text
    await held.click("Next")
    await held.wait_for("Page 2 of 2")
    assert len(held.selects[0].options) == 5
    opened = await held.select("Choose a license to see it", next(iter(held.selects[0].options)))
    assert shop.bob.mention in opened.text
    nothing = await shop.support.context_menu("Licenses", shop.owner)
    assert "### 0 licenses found" in nothing.text


async def test_the_menu_is_no_way_around_the_permission(shop: Shop):
    reply = await shop.support.context_menu("Licenses", shop.bob)

    assert "`licenses:view`" in reply.text
    assert "Licenses" not in shop.bob.commands
