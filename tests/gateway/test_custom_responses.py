"""Custom responses in Discord: typed, uploaded, refused with everything kept, shown as they are answered."""

import json

import discord
import pytest
from discord_shop import Shop

from licensing.custom import CUSTOM_BYTES
from licensing.verdict import Call

TYPED = '{\n  "tier": "gold",\n  "limit": 1.50\n}'
KEPT = '{"tier":"gold","limit":1.5}'


def settings_of(shop: Shop):
    return shop.world.store.read(lambda tx: tx.products.by_name(shop.guild.id, "Pro"))


async def answered(shop: Shop, api_key: str, key: str) -> str | None:
    return (await shop.world.validation.validate(api_key, Call(key, "203.0.113.1"))).custom


async def test_a_response_is_typed_into_a_form_and_shown_as_it_is_answered(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    form = await shop.owner.slash("product response", product="Pro")
    assert form.modal.fields[0].value == ""

    done = await form.submit({"Custom response": TYPED})

    assert done.ephemeral
    assert f"**Pro** answers valid licenses with this (27 of 8192 bytes):\n```json\n{KEPT}\n```" in done.text
    assert await answered(shop, api_key, key) == KEPT
    event = (await shop.world.events())[-1]
    assert (event.before, event.after) == ({"custom": None}, {"custom": KEPT})
    again = await shop.owner.slash("product response", product="Pro")
    assert again.modal.fields[0].value == '{\n  "tier": "gold",\n  "limit": 1.5\n}'
    unchanged = await again.submit()
    assert "It is so already" in unchanged.text
    emptied = await (await unchanged.click("Try again")).submit({"Custom response": " \n"})
    assert "**Pro** has no custom response any more." in emptied.text
    assert await answered(shop, api_key, key) is None


async def test_a_response_is_uploaded_as_a_file_and_taken_away(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    long = {f"member{number}": "ä" * 80 for number in range(45)}
    text = "\ufeff" + json.dumps(long, indent=4, ensure_ascii=False)
    assert len(text) > 4_000

    done = await shop.owner.slash("product response", product="Pro", file=("r.json", text.encode()))

    kept = await answered(shop, api_key, key)
    assert json.loads(kept) == long
    assert done.files == {"response.json": kept.encode()}
    cleared = await shop.owner.slash("product response", product="Pro", clear=True)
    assert "has no custom response any more" in cleared.text
    assert await answered(shop, api_key, key) is None
    assert "It is so already" in (await shop.owner.slash("product response", product="Pro", clear=True)).text


async def test_what_no_form_can_hold_is_handed_over_as_a_file_to_change_and_upload(shop: Shop):
    await shop.product()
    key = await shop.stock()
    text = json.dumps({"words": "x" * 4_500, "ticks": "```"}, separators=(",", ":"))
    upload = ("r.json", text.encode())

    done = await shop.owner.slash("product response", product="Pro", file=upload)
    mine = await shop.owner.slash("license response", license=key, file=upload)

    assert done.files == {"response.json": text.encode()}
    await mine.wait_for(lambda it: it.files == {"response.json": text.encode()})
    panel = await shop.owner.slash("license view", license=key)
    for reply in (
        await shop.owner.slash("product response", product="Pro"),
        await shop.owner.slash("license response", license=key),
        await panel.click("Response…"),
    ):
        assert "longer than a form may be" in reply.text
        assert reply.files == {"response.json": text.encode()}
        assert reply.ephemeral
        assert reply.modal is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ('{"tier": gold}', "That is no JSON: look at line 1, column 10."),
        ("[1, 2]", "That is JSON, but no object"),
        ('{"1": true}', "`1` is named like a whole number"),
        ('{"n": 9007199254740993}', "`n` is a whole number beyond 2^53"),
        ('{"n": NaN}', "`n` is no number that JSON has"),
        ('{"a": 1, "a": 2}', "`a` is there twice; name each member once."),
        ('{"a": "\\ud800"}', "`a` holds half of a character"),
        ('{"a":' * 50 + "1" + "}" * 50, "In line 1, more than 32 objects and lists lie within each other"),
        ('{"a": "' + "x" * 3_900 + '"', "That is no JSON: look at line 1"),
    ],
)
async def test_what_is_refused_can_be_corrected_with_everything_filled_in(shop: Shop, typed: str, said: str):
    await shop.product()
    form = await shop.owner.slash("product response", product="Pro")

    refused = await form.submit({"Custom response": typed})

    assert said in refused.text
    assert refused.ephemeral
    assert (await settings_of(shop)).custom is None
    again = await refused.click("Try again")
    assert again.modal.fields[0].value == typed
    await again.submit({"Custom response": '{"ok":true}'})
    assert (await settings_of(shop)).custom == '{"ok":true}'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}" + b" " * 70_000, f"has at most {CUSTOM_BYTES} bytes"),
        (json.dumps({"a": "x" * CUSTOM_BYTES}).encode(), f"has at most {CUSTOM_BYTES} bytes"),
        ('{"a":"ä"}'.encode("latin-1"), "`r.json` cannot be read as text; save it in UTF-8"),
        ('{"a":1}'.encode("utf-16"), "`r.json` cannot be read as text"),
        (b"\x00\x01", "That is no JSON"),
        (b'{"a":\n}', "That is no JSON: look at line 2, column 1."),
        (b" \n", "`r.json` is blank; to take the response away, set `clear` to yes instead."),
        (b"", "`r.json` is blank"),
        ("\ufeff\n".encode(), "`r.json` is blank"),
    ],
)
async def test_a_file_that_cannot_be_used_is_one_sentence_and_changes_nothing(shop: Shop, content: bytes, said: str):
    await shop.product()
    key = await shop.stock()
    both = (("product", {"product": "Pro"}), ("license", {"license": key}))
    for command, options in both:
        await shop.owner.slash(f"{command} response", file=("r.json", b'{"tier":"gold"}'), **options)
    before = await shop.world.events()

    for command, options in both:
        reply = await shop.owner.slash(f"{command} response", file=("r.json", content), **options)
        assert said in reply.text
        reply = await shop.owner.slash(f"{command} response", file=("r.json", content), clear=True, **options)
        assert "Name a file or `clear`, not both." in reply.text

    assert await shop.world.events() == before


async def test_a_file_too_large_is_never_downloaded(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    await shop.product()
    read, downloaded = discord.Attachment.read, []

    async def counted(attachment: discord.Attachment, **options: bool) -> bytes:
        downloaded.append(attachment.filename)
        return await read(attachment, **options)

    monkeypatch.setattr(discord.Attachment, "read", counted)
    for name, content in (("large.json", b" " * 70_000), ("small.json", b'{"a":1}')):
        await shop.owner.slash("product response", product="Pro", file=(name, content))

    assert downloaded == ["small.json"]


async def test_a_license_overrides_the_response_of_its_product_from_its_panel(shop: Shop):
    api_key = await shop.product()
    key = await shop.stock(email="a@example.com")
    await shop.owner.slash("product response", product="Pro", file=("r.json", b'{"tier":"basic","on":{"a":1,"b":2}}'))
    panel = await shop.owner.slash("license view", license=key)
    form = await panel.click("Response…")

    shown = await form.submit({"Custom response": '{"tier": "gold", "on": {"b": 3}}'})

    await panel.wait_for('**Custom response:** none → `{"tier":"gold","on":{"b":3}}`')
    await shown.wait_for('merged over the product\'s custom response:\n```json\n{"tier":"gold","on":{"b":3}}\n```')
    assert await answered(shop, api_key, key) == '{"tier":"gold","on":{"a":1,"b":3}}'
    refused = await (await panel.click("Response…")).submit({"Custom response": "x" * 4_000})
    await (await refused.click("Try again")).submit({"Custom response": '{"tier":"silver"}'})
    assert await answered(shop, api_key, key) == '{"tier":"silver","on":{"a":1,"b":2}}'
    cleared = await shop.owner.slash("license response", license=key, clear=True)
    assert '**Custom response:** `{"tier":"silver"}` → none' in cleared.text
    typed = await (await shop.owner.slash("license response", license=key)).submit({"Custom response": '{"z":1}'})
    assert '**Custom response:** none → `{"z":1}`' in typed.text

    switches = await shop.owner.slash("product settings", product="Pro")
    await switches.click("Answers")
    await switches.click("Leave it out")
    assert await answered(shop, api_key, key) is None
    await panel.click("Refresh")
    await panel.wait_for('**Custom response:** `{"z":1}` (custom responses are left out)')
    told = await shop.owner.slash("product response", product="Pro", file=("r.json", b'{"y":1}'))
    assert "leaves custom responses out of its answers" in told.text


async def test_each_change_asks_for_its_own_permission_when_it_is_submitted(shop: Shop):
    await shop.product()
    key = await shop.stock()
    await shop.grant("products:edit", "licenses:edit", "licenses:view")
    forms = [
        await shop.support.slash("product response", product="Pro"),
        await shop.support.slash("license response", license=key),
        await (await shop.support.slash("license view", license=key)).click("Pin version…"),
    ]
    taken = "products:edit, licenses:edit"
    await shop.owner.slash("staff revoke", role=shop.support_role, permissions=taken)
    before = await shop.world.events()

    fields = ("Custom response", "Custom response", "Version")
    for form, field in zip(forms, fields, strict=True):
        assert "You need the permission" in (await form.submit({field: '{"a":1}' if "C" in field else "1.x"})).text
    assert await shop.world.events() == before
