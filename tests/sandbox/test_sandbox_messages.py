"""Messages, components, forms and files: each of Discord's limits bites, at its place, with its code."""

import io

import aiohttp
import discord
import pytest
from discord import ui

LAYOUT = 1 << 15


def row(*components):
    return {"type": 1, "components": list(components)}


def button(custom_id="go", **more):
    return {"type": 2, "style": 1, "label": "Go", "custom_id": custom_id, **more}


def select(**more):
    return {"type": 3, "custom_id": "s", "options": [{"label": "A", "value": "a"}], **more}


def text(content="hello"):
    return {"type": 10, "content": content}


def embed(**more):
    return {"embeds": [{"title": "T", **more}]}


def hung(*components):
    return {"content": "x", "components": list(components)}


def layout(*components):
    return {"flags": LAYOUT, "components": list(components)}


def options(count):
    return [{"label": str(n), "value": str(n)} for n in range(count)]


def default(**more):
    return {"type": "role", "id": "5", **more}


FIELD = {"name": "n", "value": "v"}
BAD = {
    "content too long": {"content": "x" * 2001},
    "content no text": {"content": 5},
    "embed title": embed(title="x" * 257),
    "embed description": embed(description="x" * 4097),
    "embed fields": embed(fields=[FIELD] * 26),
    "embed field name": embed(fields=[{**FIELD, "name": "x" * 257}]),
    "embed field value": embed(fields=[{**FIELD, "value": "x" * 1025}]),
    "embed field empty": embed(fields=[{**FIELD, "value": ""}]),
    "embed footer": embed(footer={"text": "x" * 2049}),
    "embed author": embed(author={"name": "x" * 257}),
    "embed url": embed(url="ftp://x"),
    "embed color": embed(color=1 << 24),
    "embeds many": {"embeds": [{"title": "T"}] * 11},
    "embeds total": {"embeds": [{"description": "x" * 4000}, {"description": "x" * 2001}]},
    "row of nothing": hung(row()),
    "rows many": hung(*[row(button(str(n))) for n in range(6)]),
    "buttons many": hung(row(*[button(str(n)) for n in range(6)])),
    "button without a row": hung(button()),
    "button label": hung(row(button(label="x" * 81))),
    "button id long": hung(row(button("x" * 101))),
    "button id missing": hung(row(button(None))),
    "button style": hung(row(button(style=7))),
    "button empty": hung(row(button(label=None))),
    "button with url": hung(row(button(url="https://example.com"))),
    "link with id": hung(row(button(style=5, url="https://example.com"))),
    "link without url": hung(row({"type": 2, "style": 5, "label": "x"})),
    "link too long": hung(row({"type": 2, "style": 5, "label": "x", "url": f"https://{'x' * 510}"})),
    "emoji that is none": hung(row(button(emoji={"name": "check"}))),
    "component ids twice": hung(row(button(id=5), button("other", id=5))),
    "mentions both ways": {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
    "ids twice": hung(row(button(), button())),
    "select beside a button": hung(row(select(), button())),
    "select without options": hung(row(select(options=[]))),
    "select with many options": hung(row(select(options=options(26)))),
    "select option twice": hung(row(select(options=options(1) * 2))),
    "select option label": hung(row(select(options=[{"label": "x" * 101, "value": "v"}]))),
    "select placeholder": hung(row(select(placeholder="x" * 151))),
    "select min over max": hung(row(select(min_values=2))),
    "select max over options": hung(row(select(max_values=2))),
    "select with more defaults than it takes": hung(
        row(select(options=[{**each, "default": True} for each in options(2)]))
    ),
    "role select with defaults of another kind": hung(
        row({"type": 6, "custom_id": "s", "default_values": [default(type="user")]})
    ),
    "role select with more defaults than it takes": hung(
        row({"type": 6, "custom_id": "s", "default_values": [default(), default(id="6")]})
    ),
    "role select with a default that is no id": hung(
        row({"type": 6, "custom_id": "s", "default_values": [default(id="x")]})
    ),
    "nonce too long": {"content": "x", "nonce": "n" * 26},
    "mentions of another kind": {"content": "x", "allowed_mentions": {"parse": ["members"]}},
    "mentions in no list": {"content": "x", "allowed_mentions": {"parse": "users"}},
    "embed of nothing": {"embeds": [{}]},
    "embed title of spaces": {"embeds": [{"title": " \n"}]},
    "embed field of spaces": embed(fields=[{**FIELD, "value": " \n "}]),
    "embed footer of spaces": embed(footer={"text": " "}),
    "button id of spaces": hung(row(button(" "))),
    "option label of spaces": hung(row(select(options=[{"label": " ", "value": "v"}]))),
    "layout text of spaces": layout(text(" \n\t ")),
    "text display without the flag": hung(text()),
    "layout with content": {**layout(text()), "content": "x"},
    "layout with embeds": {**layout(text()), **embed()},
    "layout of nothing": layout(),
    "layout text": layout(text("x" * 2001), text("x" * 2000)),
    "layout text empty": layout(text("")),
    "layout of 41": layout(*[text()] * 41),
    "layout of 41 nested": layout(
        {"type": 17, "components": [row(*[button(f"{r}{n}") for n in range(5)]) for r in range(7)]}
    ),
    "container in container": layout({"type": 17, "components": [{"type": 17, "components": [text()]}]}),
    "container of nothing": layout({"type": 17, "components": []}),
    "section without accessory": layout({"type": 9, "components": [text()]}),
    "section of four": layout({"type": 9, "components": [text()] * 4, "accessory": button()}),
    "button on top": layout(button()),
    "thumbnail without url": layout({"type": 9, "components": [text()], "accessory": {"type": 11, "media": {}}}),
    "gallery of nothing": layout({"type": 12, "items": []}),
    "file that was not sent": layout({"type": 13, "file": {"url": "attachment://none.txt"}}),
    "ephemeral outside an interaction": {"content": "x", "flags": 64},
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
async def test_a_message_against_discords_rules_is_an_invalid_form(bot, guild, body):
    status, told = await bot.call("POST", f"/channels/{guild.channel('general').id}/messages", body)
    assert (status, told["code"]) == (400, 50035), told
    assert guild.channel("general").messages == []


GOOD = {
    "content at its limit": {"content": "x" * 2000},
    "five rows of five": hung(*[row(*[button(f"{r}{n}") for n in range(5)]) for r in range(5)]),
    "buttons alone": {"components": [row(button())]},
    "a full select": hung(row(select(options=options(25), max_values=25, min_values=0))),
    "content at its limit amid spaces": {"content": f" {'x' * 2000}\n"},
    "a nonce at its limit": {"content": "x", "nonce": "n" * 25},
    "a nonce in figures": {"content": "x", "nonce": 10**17},
    "mentions of every kind": {"content": "x", "allowed_mentions": {"parse": ["users", "roles", "everyone"]}},
    "a role select with its default": hung(row({"type": 6, "custom_id": "s", "default_values": [default()]})),
    "a layout of 40": layout(*[text("x" * 100)] * 40),
    "a section": layout({"type": 9, "components": [text()] * 3, "accessory": button()}),
    "embeds at their limit": {"embeds": [{"description": "x" * 4000}, {"description": "x" * 2000}]},
}


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD.keys())
async def test_a_message_at_discords_limits_is_posted(bot, guild, body):
    status, told = await bot.call("POST", f"/channels/{guild.channel('general').id}/messages", body)
    assert status == 200, told


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": " \n"}, {"components": []}])
async def test_an_empty_message_is_none(bot, guild, body):
    status, told = await bot.call("POST", f"/channels/{guild.channel('general').id}/messages", body)
    assert (status, told["code"]) == (400, 50006)


async def test_a_layout_stays_one_and_a_message_becomes_one_only_without_its_content(bot, guild):
    path = f"/channels/{guild.channel('general').id}/messages"
    _, old = await bot.call("POST", path, {"content": "x"})
    assert (await bot.call("PATCH", f"{path}/{old['id']}", layout(text())))[1]["code"] == 50035
    status, told = await bot.call("PATCH", f"{path}/{old['id']}", {**layout(text()), "content": None})
    assert status == 200
    assert told["flags"] & LAYOUT
    assert (await bot.call("PATCH", f"{path}/{old['id']}", {"content": "back"}))[1]["code"] == 50035


async def test_components_come_back_numbered(bot, guild):
    _, told = await bot.call(
        "POST", f"/channels/{guild.channel('general').id}/messages", layout(text(), {**text(), "id": 1}, text())
    )
    assert [each["id"] for each in told["components"]] == [2, 1, 3]


async def test_edits_change_what_they_name_and_leave_the_rest(bot, guild):
    path = f"/channels/{guild.channel('general').id}/messages"
    _, old = await bot.call("POST", path, {**hung(row(button())), **embed()})
    _, new = await bot.call("PATCH", f"{path}/{old['id']}", {"content": "y"})
    assert (new["content"], new["embeds"], new["components"]) == ("y", old["embeds"], old["components"])
    assert new["edited_timestamp"]
    _, bare = await bot.call("PATCH", f"{path}/{old['id']}", {"embeds": [], "components": []})
    assert (bare["content"], bare["embeds"], bare["components"]) == ("y", [], [])
    assert (await bot.call("PATCH", f"{path}/{old['id']}", {"content": ""}))[1]["code"] == 50006


async def test_only_allowed_mentions_notify_anybody(bot, guild):
    bob, role = guild.add_member("Bob"), guild.add_role("Buyer")
    path, words = f"/channels/{guild.channel('general').id}/messages", f"{bob.mention} {role.mention} @everyone"
    await bot.call("POST", path, {"content": words})
    await bot.call("POST", path, {"content": words, "allowed_mentions": {"parse": []}})
    await bot.call("POST", path, {"content": words, "allowed_mentions": {"parse": ["roles"], "users": [str(bob.id)]}})
    loud, quiet, some = guild.channel("general").messages
    assert (loud.pings, loud.message.pinged_roles, loud.message.pinged_everyone) == (["Bob"], [role.id], True)
    assert (quiet.pings, quiet.message.pinged_roles, quiet.message.pinged_everyone) == ([], [], False)
    assert (some.pings, some.message.pinged_roles, some.message.pinged_everyone) == (["Bob"], [role.id], False)
    assert quiet.message.allowed_mentions == {"parse": []}


async def test_files_go_out_and_come_back_whole(guild, start):
    client = await start()
    channel = client.get_channel(guild.channel("general").id)
    view = ui.LayoutView()
    view.add_item(ui.File("attachment://keys.csv"))
    sent = await channel.send(file=discord.File(io.BytesIO(b"K-1\nK-2"), "keys.csv"), view=view)
    assert guild.channel("general").messages[0].files == {"keys.csv": b"K-1\nK-2"}
    assert await sent.attachments[0].read() == b"K-1\nK-2"
    plain = await channel.send("x", file=discord.File(io.BytesIO(b"old"), "old.txt"))
    await plain.add_files(discord.File(io.BytesIO(b"new"), "new.txt"))
    assert guild.channel("general").messages[1].files == {"old.txt": b"old", "new.txt": b"new"}
    await plain.edit(attachments=[])
    assert guild.channel("general").messages[1].files == {}


async def test_eleven_files_or_too_large_ones_are_refused(bot, guild):
    url = f"{bot.sandbox.rest_base}/channels/{guild.channel('general').id}/messages"
    for count, size, status in ((11, 1, 400), (1, 10 * 1024 * 1024 + 1, 413)):
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("payload_json", '{"content": "x"}')
        for index in range(count):
            form.add_field(f"files[{index}]", io.BytesIO(b"x" * size), filename="f.txt")
        headers = {"Authorization": f"Bot {bot.sandbox.token}"}
        async with bot.session.post(url, data=form, headers=headers) as response:
            assert response.status == status


async def test_a_body_that_is_no_json_is_refused_as_such(bot, guild):
    url = f"{bot.sandbox.rest_base}/channels/{guild.channel('general').id}/messages"
    async with bot.session.post(url, data=b"{", headers={"Authorization": f"Bot {bot.sandbox.token}"}) as response:
        assert (await response.json())["code"] == 50109


def label(component, **more):
    return {"type": 18, "label": "L", "component": component, **more}


def entry(**more):
    return {"type": 4, "custom_id": "t", "style": 1, **more}


def form(*components, **more):
    return {"custom_id": "f", "title": "T", "components": list(components), **more}


BAD_FORMS = {
    "title": form(label(entry()), title="x" * 46),
    "no title": form(label(entry()), title=None),
    "id": form(label(entry()), custom_id="x" * 101),
    "nothing": form(),
    "six": form(*[label(entry(custom_id=str(n))) for n in range(6)]),
    "ids twice": form(label(entry()), label(entry())),
    "label": form(label(entry(), label="x" * 46)),
    "label description": form(label(entry(), description="x" * 101)),
    "label of nothing": form({"type": 18, "label": "L"}),
    "button": form(row(button())),
    "button in label": form(label(button())),
    "two in a row": form(row(entry(label="a"), entry(label="b", custom_id="b"))),
    "row without label": form(row(entry())),
    "label in label": form(label(entry(label="x"))),
    "style": form(label(entry(style=3))),
    "min over max": form(label(entry(min_length=5, max_length=4))),
    "min": form(label(entry(min_length=4001))),
    "max": form(label(entry(max_length=4001))),
    "value over max": form(label(entry(max_length=2, value="abc"))),
    "placeholder": form(label(entry(placeholder="x" * 101))),
    "disabled select": form(label(select(disabled=True))),
    "radio of one": form(label({"type": 21, "custom_id": "r", "options": options(1)})),
    "boxes of eleven": form(label({"type": 22, "custom_id": "r", "options": options(11)})),
    "uploads": form(label({"type": 19, "custom_id": "u", "max_values": 11})),
}


@pytest.mark.parametrize("body", BAD_FORMS.values(), ids=BAD_FORMS.keys())
async def test_a_form_against_discords_rules_is_refused_and_none_opens(bot, guild, body):
    await bot.connect()
    await bot.register({"name": "ping", "description": "P"})
    reply = guild.owner.begin("ping")
    told = await bot.hear("INTERACTION_CREATE")
    assert (await bot.answer(told, 9, body))[1]["code"] == 50035
    assert reply.modal is None
