"""The life of an interaction: its payload, the one answer in time, what may follow, who sees it."""

import asyncio

import pytest

from sandbox import DriverError, Sandbox

PING = {"name": "ping", "description": "Ping", "options": [{"name": "a", "description": "A", "type": 3}]}
PRIVATE = 64


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(deadline=0.2, clock=clock) as running:
        yield running
    assert not running.crashes, running.crashes[0]


@pytest.fixture
async def ask(bot, guild):
    """Let a member use /ping; give the reply as it stands and the interaction as the bot gets it."""
    await bot.connect()
    await bot.register(PING)

    async def asked(member=None, **options):
        reply = (member or guild.owner).begin("ping", **options)
        return reply, await bot.hear("INTERACTION_CREATE")

    return asked


async def test_an_interaction_carries_what_discord_documents(ask, guild):
    bob = guild.add_member("Bob", locale="de")
    _, told = await ask(bob, a="x")
    assert told["member"]["user"]["id"] == str(bob.id)
    assert int(told["member"]["permissions"]) & (1 << 11)
    assert int(told["app_permissions"]) & (1 << 28)
    assert (told["locale"], told["guild_locale"], told["context"]) == ("de", "en-US", 0)
    assert told["authorizing_integration_owners"] == {"0": str(guild.id)}
    assert told["entitlements"] == []
    assert told["attachment_size_limit"] > 0
    assert told["data"]["options"] == [{"name": "a", "type": 3, "value": "x"}]
    assert "user" not in told


async def test_in_a_direct_message_it_carries_a_user_and_no_guild(ask, guild):
    _, told = await ask(guild.owner.in_dm)
    assert told["user"]["id"] == str(guild.owner.id)
    assert told["context"] == 1
    assert not {"member", "guild_id", "guild"} & set(told)


async def test_a_second_answer_is_refused(ask, bot):
    reply, told = await ask()
    assert (await bot.answer(told, 4, {"content": "one"}))[0] == 200
    status, body = await bot.answer(told, 4, {"content": "two"})
    assert (status, body["code"]) == (400, 40060)
    assert reply.text == "one"


async def test_an_answer_that_was_refused_for_its_form_may_be_sent_again(ask, bot):
    reply, told = await ask()
    status, body = await bot.answer(told, 4, {"content": "x" * 2001})
    assert (status, body["errors"]["data"]["content"]["_errors"][0]["code"]) == (400, "BASE_TYPE_MAX_LENGTH")
    assert (await bot.answer(told, 4, {"content": "short"}))[0] == 200
    assert reply.text == "short"


async def test_without_an_answer_in_time_the_application_did_not_respond(ask, bot):
    reply, told = await ask()
    assert (await reply.settled()).failed
    assert (await bot.answer(told, 4, {"content": "late"}))[1]["code"] == 10062
    assert (await bot.call("POST", bot.webhook(told), {"content": "late"}))[1]["code"] == 10015


async def test_without_a_bot_it_fails_at_once(bot, guild):
    await bot.register(PING)
    assert (await guild.owner.slash("ping")).failed


async def test_a_wrong_token_or_id_is_an_unknown_interaction(ask, bot):
    _, told = await ask()
    assert (await bot.answer({**told, "token": "x"}, 4, {"content": "a"}))[1]["code"] == 10062
    assert (await bot.answer({**told, "id": "1"}, 4, {"content": "a"}))[1]["code"] == 10062


async def test_tokens_die_after_fifteen_minutes(ask, bot, clock):
    reply, told = await ask()
    await bot.answer(told, 5)
    clock.now += 899
    assert (await bot.call("PATCH", bot.webhook(told, "@original"), {"content": "still"}))[0] == 200
    clock.now += 2
    for method, path in (("PATCH", bot.webhook(told, "@original")), ("POST", bot.webhook(told))):
        status, body = await bot.call(method, path, {"content": "dead"})
        assert (status, body["code"]) == (401, 50027)
    assert reply.text == "still"


async def test_a_follow_up_before_the_answer_has_no_webhook_yet(ask, bot):
    _, told = await ask()
    assert (await bot.call("POST", bot.webhook(told), {"content": "early"}))[1]["code"] == 10015
    other = bot.webhook(told).replace(str(bot.sandbox.application_id), "1")
    assert (await bot.call("POST", other, {"content": "x"}))[1]["code"] == 10015


async def test_an_ephemeral_answer_is_seen_by_its_invoker_alone(ask, bot, guild):
    bob, general = guild.add_member("Bob"), guild.channel("general")
    reply, told = await ask(bob)
    await bot.answer(told, 4, {"content": "secret", "flags": PRIVATE})
    assert reply.ephemeral
    assert [each.text for each in bob.sees(general)] == ["secret"]
    assert guild.owner.sees(general) == general.messages == []
    path = f"/channels/{general.id}/messages"
    assert (await bot.call("GET", path))[1] == []
    assert (await bot.call("GET", f"{path}/{reply.message.id}"))[1]["code"] == 10008


async def test_a_first_follow_up_takes_the_place_and_the_visibility_of_the_defer(ask, bot):
    reply, told = await ask()
    assert (await bot.answer(told, 5))[1]["interaction"]["response_message_loading"]
    assert reply.thinking
    _, first = await bot.call("POST", bot.webhook(told), {"content": "not so secret", "flags": PRIVATE})
    _, second = await bot.call("POST", bot.webhook(told), {"content": "secret", "flags": PRIVATE})
    assert not first["flags"] & PRIVATE
    assert second["flags"] & PRIVATE
    assert (await bot.call("GET", bot.webhook(told, "@original")))[1]["id"] == first["id"]
    assert [each.content for each in reply.messages] == ["not so secret", "secret"]


async def test_originals_and_follow_ups_can_be_edited_and_deleted(ask, bot):
    reply, told = await ask()
    await bot.answer(told, 4, {"content": "one"})
    _, more = await bot.call("POST", bot.webhook(told), {"content": "two"})
    await bot.call("PATCH", bot.webhook(told, more["id"]), {"content": "three"})
    assert reply.text == "one\nthree"
    assert (await bot.call("DELETE", bot.webhook(told, "@original")))[0] == 204
    assert (await bot.call("GET", bot.webhook(told, "@original")))[1]["code"] == 10008
    assert (await bot.call("GET", bot.webhook(told, "1")))[1]["code"] == 10008
    assert reply.text == "three"


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 10, 99])
async def test_a_command_takes_no_answer_meant_for_something_else(ask, bot, kind):
    _, told = await ask()
    assert (await bot.answer(told, kind, {"content": "x", "choices": []}))[1]["code"] == 50035


def row(*components):
    return [{"type": 1, "components": list(components)}]


def button(label="Go", custom_id="go", **more):
    return {"type": 2, "style": 1, "label": label, "custom_id": custom_id, **more}


FORM = {
    "custom_id": "form",
    "title": "Form",
    "components": [{"type": 18, "label": "Key", "component": {"type": 4, "custom_id": "key", "style": 1}}],
}


async def test_a_modal_follows_a_command_or_a_button_but_no_modal_and_no_defer(ask, bot):
    reply, told = await ask()
    assert (await bot.answer(told, 9, FORM))[0] == 200
    assert (await bot.call("GET", bot.webhook(told, "@original")))[1]["code"] == 10008
    await reply.settled()
    sent = bot.sandbox.wait_until(lambda: any(each["t"] == "INTERACTION_CREATE" for each in bot.heard))
    submission = reply.submit(key="K")
    task = asyncio.ensure_future(submission)
    await sent
    submitted = await bot.hear("INTERACTION_CREATE")
    assert submitted["type"] == 5
    assert submitted["data"]["components"][0]["component"]["value"] == "K"
    assert (await bot.answer(submitted, 9, FORM))[1]["code"] == 50035
    assert (await bot.answer(submitted, 4, {"content": "thanks"}))[0] == 200
    assert (await task).text == "thanks"
    _, deferred = await ask()
    await bot.answer(deferred, 5)
    assert (await bot.answer(deferred, 9, FORM))[1]["code"] == 40060


async def test_a_form_whose_submission_nobody_answered_stays_open(ask, bot):
    reply, told = await ask()
    await bot.answer(told, 9, FORM)
    assert (await reply.submit(key="K")).failed
    assert reply.modal is not None


async def test_buttons_update_their_message_or_answer_beside_it(ask, bot):
    reply, told = await ask()
    await bot.answer(told, 4, {"content": "sure?", "components": row(button("Yes", "y"), button("No", "n"))})
    clicked = asyncio.ensure_future(reply.click("Yes"))
    pressed = await bot.hear("INTERACTION_CREATE")
    assert pressed["data"] == {"custom_id": "y", "component_type": 2, "id": pressed["data"]["id"]}
    assert pressed["message"]["id"] == str(reply.message.id)
    await bot.answer(pressed, 7, {"content": "done", "components": []})
    assert (await clicked).text == "done"
    assert reply.buttons == []


async def test_a_silent_defer_of_a_button_is_settled_by_the_edit_that_follows(ask, bot):
    reply, told = await ask()
    await bot.answer(told, 4, {"content": "sure?", "components": row(button())})
    clicked = asyncio.ensure_future(reply.click("go"))
    pressed = await bot.hear("INTERACTION_CREATE")
    await bot.answer(pressed, 6)
    assert not clicked.done()
    await bot.call("PATCH", bot.webhook(pressed, "@original"), {"content": "done"})
    assert (await clicked).text == "done"
    assert (await clicked).deferred


async def test_nobody_presses_what_is_disabled_hidden_from_them_or_gone(ask, bot, guild):
    bob = guild.add_member("Bob")
    reply, told = await ask(bob)
    link = {"type": 2, "style": 5, "label": "Docs", "url": "https://example.com"}
    buttons = row(button("Off", "off", disabled=True), button(), link)
    await bot.answer(told, 4, {"content": "x", "flags": PRIVATE, "components": buttons})
    for what, by in (("Off", bob), ("Docs", bob), ("Go", guild.owner), ("None", bob)):
        with pytest.raises(DriverError):
            await reply.click(what, by=by)
    await bot.call("DELETE", bot.webhook(told, "@original"))
    with pytest.raises(DriverError):
        await reply.click("Go")


async def test_selects_send_values_and_resolve_people_and_roles(ask, bot, guild):
    bob, role = guild.add_member("Bob"), guild.add_role("Buyer")
    reply, told = await ask()
    options = [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]
    text = {"type": 3, "custom_id": "t", "placeholder": "Pick", "options": options, "max_values": 2}
    people, roles = {"type": 5, "custom_id": "u"}, {"type": 6, "custom_id": "r"}
    rows = [*row(text), *row(people), *row(roles)]
    assert (await bot.answer(told, 4, {"content": "x", "components": rows}))[0] == 200
    for what, chosen, value, kind in (
        ("Pick", ["A", "b"], ["a", "b"], None),
        ("u", [bob], [str(bob.id)], "users"),
        ("r", [role], [str(role.id)], "roles"),
    ):
        task = asyncio.ensure_future(reply.select(what, *chosen))
        heard = await bot.hear("INTERACTION_CREATE")
        assert heard["data"]["values"] == value
        assert kind is None or set(heard["data"]["resolved"][kind]) == set(value)
        await bot.answer(heard, 4, {"content": "ok"})
        await task
    for what, chosen in (("Pick", ["C"]), ("Pick", []), ("u", [bob, guild.owner])):
        with pytest.raises(DriverError):
            await reply.select(what, *chosen)


AUTO = {"name": "find", "description": "F", "options": [{**PING["options"][0], "autocomplete": True}]}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (8, {"choices": [{"name": str(n), "value": str(n)} for n in range(26)]}),
        (8, {"choices": [{"name": "n" * 101, "value": "v"}]}),
        (8, {"choices": [{"name": "n", "value": 5}]}),
        (8, {"choices": [{"name": "", "value": "v"}]}),
        (8, {}),
        (4, {"content": "x"}),
        (5, None),
    ],
)
async def test_autocomplete_takes_up_to_25_choices_of_the_options_type_and_nothing_else(bot, guild, kind, data):
    await bot.connect()
    await bot.register(AUTO)
    asking = asyncio.ensure_future(guild.owner.complete("find", "a", "x"))
    told = await bot.hear("INTERACTION_CREATE")
    assert told["type"] == 4
    assert told["data"]["options"] == [{"name": "a", "type": 3, "value": "x", "focused": True}]
    assert (await bot.answer(told, kind, data))[1]["code"] == 50035
    assert (await bot.answer(told, 8, {"choices": []}))[0] == 200
    assert await asking == []


async def test_an_answer_into_a_channel_that_was_deleted_meanwhile_fails(ask, bot, guild):
    _, told = await ask(guild.owner.at(guild.add_channel("soon-gone")))
    guild.channel("soon-gone").delete()
    assert (await bot.answer(told, 4, {"content": "x"}))[1]["code"] == 10003
