"""What the page's person does: each route one act of `People`, the same that tests perform."""

from collections.abc import Awaitable, Callable

import aiohttp

from sandbox.access import Actor
from sandbox.errors import ApiError, DriverError, Json
from sandbox.hub import Hub
from sandbox.interaction import Interaction
from sandbox.page import reading, view
from sandbox.page.guide import Guide
from sandbox.page.reading import BadRequestError

COMPLETION_SECONDS = 5.0

Act = Callable[[Hub, Actor, Json], Awaitable[Json]]


async def slash(hub: Hub, who: Actor, body: Json) -> Json:
    options = reading.values(reading.mapping(body, "options"))
    return _opened(hub.people.slash(who, reading.path(body), options))


async def complete(hub: Hub, who: Actor, body: Json) -> Json:
    """Ask the bot what fits what was typed, and wait for its list."""
    options = reading.values(reading.mapping(body, "options"))
    focused, typed = reading.text(body, "focused"), reading.text(body, "typed")
    asked = hub.people.complete(who, reading.path(body), focused, typed, options)
    await hub.world.signal.wait_until(lambda: asked.failed or asked.answer is not None, timeout=COMPLETION_SECONDS)
    if asked.answer is None:
        raise DriverError("Loading options failed.")
    return {"choices": asked.choices}


async def menu(hub: Hub, who: Actor, body: Json) -> Json:
    target = reading.identifier(body.get("target"), "target")
    return _opened(hub.people.context_menu(who, reading.text(body, "name"), target))


async def press(hub: Hub, who: Actor, body: Json) -> Json:
    message = reading.message(hub, who, body)
    return _opened(hub.people.press(who, message, reading.text(body, "custom_id")))


async def choose(hub: Hub, who: Actor, body: Json) -> Json:
    message = reading.message(hub, who, body)
    values = reading.texts(body, "values")
    return _opened(hub.people.choose(who, message, reading.text(body, "custom_id"), values))


async def submit(hub: Hub, who: Actor, body: Json) -> Json:
    values = reading.values(reading.mapping(body, "values"))
    return _opened(hub.people.submit(who, _own(hub, who, body), values))


async def dismiss(hub: Hub, who: Actor, body: Json) -> Json:
    """Close a form without sending it, of which Discord tells nobody."""
    _own(hub, who, body).modal = None
    return {}


async def say(hub: Hub, who: Actor, body: Json) -> Json:
    files = reading.uploads(body.get("files", []))
    message = hub.people.say(who, reading.text(body, "content", default=""), files)
    return {"message": str(message.id)}


ACTS: dict[str, Act] = {each.__name__: each for each in (slash, complete, menu, press, choose, submit, dismiss, say)}


async def act(hub: Hub, name: str, body: Json) -> Json:
    """Perform one act by its name. Raises: BadRequestError."""
    if name not in ACTS:
        raise BadRequestError("There is no such act.", 404)
    try:
        told = await ACTS[name](hub, reading.actor(hub, body), body)
    except DriverError as error:
        raise BadRequestError(str(error), 409) from error
    except ApiError as error:
        raise BadRequestError(error.message) from error
    hub.world.signal.notify()  # what the person is waiting for shows at once
    return told


async def attempt(guide: Guide, body: Json) -> Json:
    """Do one of the things a first visit is invited to try; tell whose view shows it, and what is left to finish."""
    index = body.get("index")
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(guide.tries):
        raise BadRequestError("There is no such thing to try.", 404)
    found = guide.tries[index]
    try:
        done = await found.act()
    except (DriverError, RuntimeError) as error:  # refused by Discord, or answered otherwise than expected
        raise BadRequestError(f"That did not work, perhaps because the bot is away: {error}", 409) from error
    begun = None if done is None else guide.begin(done)
    return {"who": str(found.who.id), "at": str(found.who.actor.channel.id), "begun": begun}


async def call(guide: Guide) -> Json:
    """Send the prepared request, as a product would."""
    if guide.call is None:
        raise BadRequestError("There is no request prepared.", 404)
    shown = guide.call.shown()
    try:
        status, answer = await guide.call.send()
    except (OSError, aiohttp.ClientError) as error:
        raise BadRequestError("The API does not answer.", 502) from error
    return {"shown": shown, "status": status, "answer": answer}


def history(hub: Hub, query: Json) -> Json:
    """The messages before one that the page has."""
    who = reading.actor(hub, query)
    before = reading.identifier(query.get("before"), "before")
    return {"messages": [view.message(each) for each in view.shown(hub, who.user, who.channel, before=before)]}


def _opened(interaction: Interaction) -> Json:
    return {"interaction": str(interaction.id)}


def _own(hub: Hub, who: Actor, body: Json) -> Interaction:
    wanted = reading.identifier(body.get("interaction"), "interaction")
    found = next((each for each in view.interactions(hub, who.user) if each.id == wanted), None)
    if found is None:
        raise BadRequestError("This form is gone.", 404)
    return found
