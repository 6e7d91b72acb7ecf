"""`keyport sandbox`: the bot, the API and a stand-in for Discord, on a database of their own.

It prepares a small server and plays the story once, as the people in it would: support issues a license, a member
claims it, a product validates it, the owner revokes it, the next validation is refused.
"""

import contextlib
import logging
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from bot import app, log
from bot.client import Endpoints
from bot.config import Api, Config, Database, Discord
from bot.house import House
from bot.narration import Narrator, result, say
from bot.tryout import Stage, Tryout, validate
from bot.workers import running
from i18n import gettext as _
from sandbox.driver import Sandbox
from sandbox.reply import Reply

PRODUCT = "Nightfall"
SERVER = "Nightfall Studio"
PAGE_PORT = 8090  # the page's, if it is free: so that an open page finds the sandbox again after a restart

_API_KEY = re.compile(r"kp_live_\w{64}")
_LICENSE_KEY = re.compile(r"\b[2-9A-HJKMNP-Z]{4}(?:-[2-9A-HJKMNP-Z]{4}){3}\b")


async def run(config: Config, *, stay: bool) -> None:
    """Prepare the server, play the story, and stay up until told to stop.

    Raises: OSError.
    """
    log.configure(level="warning", format=config.log.format)
    # On loopback an answer can overtake the note of its question, which discord.py takes for a slow connection.
    logging.getLogger("discord.gateway").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="keyport-sandbox-") as folder:
        own = _own_settings(config, Path(folder))
        async with _started(own) as (sandbox, base_url):
            look = _("Look at it in a browser: {address}").format(address=sandbox.page_url)
            if stay:
                say(f"{look}\n")
            say(_("KeyPort sandbox: a stand-in for Discord, a bot and the HTTP API, all on this machine."))
            stage = await prepare(sandbox)
            spare_key = await play(stage, sandbox, base_url)
            if stay:
                Tryout(stage, product=PRODUCT, base_url=base_url, key=spare_key, key_in=_key_shown(sandbox)).invite(
                    sandbox.guide
                )
                _invite(base_url, stage.api_key, spare_key, own.database)
                say(f"\n{look}")  # again, for the story has pushed the first line out of a small window
                await app.told_to_stop()
    if stay:
        say(_("\nThe sandbox has ended, and its database is gone."))


async def prepare(sandbox: Sandbox) -> Stage:
    """Found the server with its people, its product and what support may do."""
    guild = sandbox.add_guild(SERVER, owner="Olivia", channels=("general", "licenses"))
    await sandbox.wait_for_bot()
    support_role = guild.add_role("Support", permissions=["manage_messages"], color=0x3BA776)
    buyer_role = guild.add_role("Nightfall owner", color=0xD9A441)
    owner = guild.owner
    created = await owner.slash("product create", name=PRODUCT, role=buyer_role, max_ips=2)
    await owner.slash("staff grant", role=support_role, permissions="products:view licenses:view licenses:create")
    return Stage(
        owner=owner,
        support=guild.add_member("Sam", roles=[support_role]),
        buyers=(guild.add_member("Bob"), guild.add_member("Bea")),
        api_key=_found(_API_KEY, created.text),
    )


async def play(stage: Stage, sandbox: Sandbox, base_url: str) -> str:
    """Play the story and return the key of a license that is left to try."""
    narrator = Narrator(sandbox)
    bob, bea = stage.buyers
    narrator.scene(stage.support, f"/license issue product: {PRODUCT}")
    issued = await stage.support.slash("license issue", product=PRODUCT)
    key = await _key_in(sandbox, lambda: issued.text)
    narrator.answer(issued)

    narrator.scene(bob, f"/claim key: {key}")
    claimed = await bob.slash("claim", key=key)
    await sandbox.wait_until(lambda: bob.roles)
    narrator.answer(claimed)
    result(
        _("{name} wears the role {roles}").format(
            name=bob.name, roles=", ".join(f"@{role}" for role in bob.role_names)
        )
    )
    await _ask(base_url, stage.api_key, key)

    narrator.scene(stage.owner, "/license revoke")
    question = await stage.owner.slash("license revoke", license=key, reason="Chargeback")
    narrator.answer(question)
    narrator.scene(stage.owner, _("presses") + f" [{_('Revoke for good')}]")
    narrator.answer(await question.click(_("Revoke for good")))
    await _ask(base_url, stage.api_key, key)

    narrator.scene(stage.support, f"/license issue product: {PRODUCT} member: @{bea.name} expiry: 30d")
    await stage.support.slash("license issue", product=PRODUCT, member=bea, expiry="30d")
    spare_key = await _key_in(sandbox, lambda: "\n".join(message.text for message in bea.dms))
    say("\n" + _("{name} gets a direct message").format(name=bea.name))
    for message in bea.dms:
        narrator.answer(message)
    return spare_key


@asynccontextmanager
async def _started(config: Config) -> AsyncIterator[tuple[Sandbox, str]]:
    async with _stand_in() as sandbox, app.opened(config) as house, _served(house, config.api) as base_url:
        endpoints = Endpoints(rest=sandbox.rest_base, gateway=sandbox.gateway_url, cdn=sandbox.cdn_base)
        own = config.model_copy(update={"discord": Discord(token=SecretStr(sandbox.token))})
        connection = app.connect_discord(house, own, public_api_url=base_url, endpoints=endpoints)
        async with running(connection, name="Discord"):
            yield sandbox, base_url


@asynccontextmanager
async def _stand_in() -> AsyncIterator[Sandbox]:
    """Start the stand-in on the page's own port, or on any free one."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            sandbox = await stack.enter_async_context(Sandbox(port=PAGE_PORT))
        except OSError:
            sandbox = await stack.enter_async_context(Sandbox())
        yield sandbox


@asynccontextmanager
async def _served(house: House, config: Api) -> AsyncIterator[str]:
    """Serve on the configured port, or on any free one: a port that is taken must not end a first try."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            host, port = await stack.enter_async_context(app.serving(house, config))
        except OSError:
            anywhere = config.model_copy(update={"port": 0})
            host, port = await stack.enter_async_context(app.serving(house, anywhere))
            say(
                _("Port {taken} is taken by another program, so the API is on port {port} this time.").format(
                    taken=config.port, port=port
                )
            )
        yield app.web_address(host, port)


def _own_settings(config: Config, folder: Path) -> Config:
    # On a port that is shared it would answer the customers of the API that is there, from a database without them.
    api = config.api.model_copy(update={"reuse_port": False})
    database = Database(url=f"sqlite:///{folder / 'sandbox.db'}")
    return config.model_copy(update={"api": api, "database": database})


async def _ask(base_url: str, api_key: str, key: str) -> None:
    say("")
    say(_("The product asks") + "  POST /api/v1/validate")
    status, answer = await validate(base_url, api_key, key)
    result(f"{status}  {answer}")


def _invite(base_url: str, api_key: str, key: str, database: Database) -> None:
    body = f'{{"license_key": "{key}"}}'
    say(
        _(
            "\nThe API stays up, with a page to ask it from at {address}/docs. "
            "Or ask it here, with the license that was just issued:\n"
        ).format(address=base_url)
    )
    say(f"curl -s {base_url}/api/v1/validate \\")
    say(f"  -H 'Authorization: Bearer {api_key}' \\")
    say(f"  -H 'Content-Type: application/json' -d '{body}'\n")
    say(_("The operator's commands work beside it, as in:\n"))
    say(f"KEYPORT_DATABASE__URL={database.url} {_program()} product list\n")
    say(
        _(
            "With a bot of your own: set KEYPORT_DISCORD__TOKEN to its token and run 'make run' again;\n"
            "docs/operators.md has the ten steps. Ctrl-C ends the sandbox and throws its database away."
        )
    )


def _program() -> str:
    """Return how this program was called, so that the line can be copied as it is."""
    return sys.argv[0] if sys.argv[0].endswith("keyport") else f"{sys.executable} -m bot"


def _key_shown(sandbox: Sandbox) -> Callable[[Reply], Awaitable[str]]:
    return lambda reply: _key_in(sandbox, lambda: reply.text)


async def _key_in(sandbox: Sandbox, shown: Callable[[], str]) -> str:
    """Wait until somebody is shown a license key, which comes in a message of its own."""
    await sandbox.wait_until(lambda: _LICENSE_KEY.search(shown()))
    return _found(_LICENSE_KEY, shown())


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    if match is None:
        raise RuntimeError("the bot's answer holds no key")
    return match[0]
