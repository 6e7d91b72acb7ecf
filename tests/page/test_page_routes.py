"""The page answers this machine's browser alone, and whatever it is sent by one sentence, never by a fault."""

import base64
import io
import json

import aiohttp
import pytest
import pytest_asyncio
from page_gallery import gallery

from sandbox.page.guide import Call, Try

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN = {"X-Sandbox-Page": "1"}
NOBODY = "1"


@pytest_asyncio.fixture(loop_scope="session")
async def shown(sandbox, guild):
    """A running bot, its people, and one message with a button."""
    async with gallery(sandbox):
        reply = await guild.owner.slash("show rows")
        yield {
            "as": str(guild.owner.id),
            "at": str(reply.message.channel.id),
            "message": str(reply.message.id),
        }


class Client:
    """Sends what a browser, or somebody who is none, would send."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self._session = session
        self.origin = origin

    async def get(self, path: str, **headers: str) -> tuple[int, str, dict]:
        async with self._session.get(f"{self.origin}{path}", headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text(), answer.headers

    async def post(self, act: str, body: object, headers: dict | None = None) -> tuple[int, dict]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(OWN if headers is None else headers)}
        async with self._session.post(f"{self.origin}/page/api/{act}", data=io.BytesIO(data), headers=sent) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()


@pytest_asyncio.fixture(loop_scope="session")
async def client(sandbox):
    async with aiohttp.ClientSession() as session:
        yield Client(session, sandbox.page_url.rstrip("/"))


async def test_every_file_of_the_page_comes_under_its_policy(client):
    status, _, headers = await client.get("/?as=5")
    assert (status, headers["Location"]) == (302, "/page/?as=5")
    for name in ("", "main.js", "colours.css", "mark.svg"):
        status, _, headers = await client.get(f"/page/{name}")
        assert status == 200
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["none.js", "..%2froutes.py", "%2e%2e/routes.py", "", "index"])
async def test_nothing_but_the_pages_own_files_is_given(client, name):
    status, body, _ = await client.get(f"/page/static/{name}")
    assert status == 404, body


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::2]", "192.168.0.1", "::::", ""])
async def test_a_page_under_another_name_is_refused(client, host):
    for path in ("/page/", "/page/api/people", "/page/main.js"):
        assert (await client.get(path, Host=host))[0] in {400, 421}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**OWN, "Origin": "https://evil.example"},
        {**OWN, "Origin": "null"},
        {**OWN, "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_another_site_can_do_nothing(client, shown, headers):
    status, told = await client.post("press", {**shown, "custom_id": "form"}, headers)
    assert status == 403
    assert told["error"]


async def test_another_site_hears_nothing(client, shown):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        asked = {**headers, "Upgrade": "websocket", "Connection": "Upgrade"}
        assert (await client.get(f"/page/events?as={shown['as']}", **asked))[0] == 403
        assert (await client.get("/page/api/people", **headers))[0] == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000], ids=range(7))
async def test_what_is_no_object_is_refused(client, body):
    for act in ("slash", "press", "submit", "try", "say"):
        status, told = await client.post(act, body)
        assert status == 400
        assert told["error"]


JUNK = [
    None,
    5,
    -1,
    True,
    "",
    "x",
    "²",
    "9" * 5000,
    NOBODY,
    [],
    {},
    ["x"],
    [5],
    {"x": 5},
    {"name": "f"},
    1e308,
    "\ud800",
]
FIELDS = {
    "slash": ["path", "options"],
    "complete": ["path", "focused", "typed", "options"],
    "menu": ["name", "target"],
    "press": ["message", "custom_id"],
    "choose": ["message", "custom_id", "values"],
    "submit": ["interaction", "values"],
    "dismiss": ["interaction"],
    "say": ["content", "files"],
}


@pytest.mark.parametrize("act", FIELDS)
async def test_whatever_a_field_holds_the_answer_is_a_sentence(client, shown, act):
    good = {
        **shown,
        "path": "echo",
        "options": {"product": "x"},
        "focused": "product",
        "typed": "n",
        "name": "Licenses",
        "target": shown["as"],
        "custom_id": "who" if act == "choose" else "form",
        "values": [shown["as"]] if act == "choose" else {},
        "interaction": NOBODY,
        "content": "x",
    }
    for name in ("as", "at", *FIELDS[act]):
        for junk in JUNK:
            status, told = await client.post(act, {**good, name: junk})
            assert status < 500, (name, junk, told)
            assert status == 200 or told["error"]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
async def test_whatever_an_option_or_a_form_holds_the_answer_is_a_sentence(client, shown, sandbox, junk):
    for name in ("product", "amount", "who", "role", "where", "loud", "colour", "proof", "none"):
        status, told = await client.post("slash", {**shown, "path": "echo", "options": {"product": "x", name: junk}})
        assert status < 500, (name, told)
    _, opened = await client.post("press", {**shown, "custom_id": "form"})
    interaction = next(each for each in sandbox.hub.interactions.all if str(each.id) == opened["interaction"])
    await sandbox.wait_until(lambda: interaction.modal)
    for name in ("words", "story", "plan", "proof"):
        values = {"words": "words", "plan": ["Pro"], name: junk}
        status, told = await client.post("submit", {**shown, **opened, "values": values})
        assert status < 500, (name, told)


async def test_unknown_acts_tries_files_and_places_are_named_as_such(client, shown):
    assert (await client.post("destroy", shown))[0] == 404
    assert (await client.post("try", {"index": 7}))[0] == 404
    assert (await client.post("try", {"index": True}))[0] == 404
    assert (await client.post("call", {}))[0] == 404
    assert (await client.get("/page/files/12/x"))[0] == 404
    assert (await client.get("/page/files/x/x"))[0] == 400
    assert (await client.get(f"/page/api/commands?as={shown['as']}&at=5"))[0] == 404
    assert (await client.get(f"/page/api/history?as={shown['as']}&at={shown['at']}&before=x"))[0] == 400
    assert (await client.get(f"/page/events?as={NOBODY}"))[0] == 404
    assert (await client.get(f"/page/events?as={shown['as']}"))[0] == 426


async def test_nobody_acts_in_a_channel_they_do_not_see(client, shown, guild, sandbox):
    hidden = guild.add_channel("hidden")
    hidden.set_permissions(guild.everyone, deny=["view_channel"])
    bob = guild.add_member("Bob")
    status, _ = await client.post("say", {"as": str(bob.id), "at": str(hidden.id), "content": "x"})
    assert status == 404
    thinking = guild.owner.begin("show thinking")
    await sandbox.wait_until(lambda: thinking.message)
    private = thinking.message
    body = {**shown, "as": str(bob.id), "message": str(private.id), "custom_id": "form"}
    assert (await client.post("press", body))[0] == 404


async def test_an_attachment_is_kept_and_never_opened(client, guild):
    said = guild.owner.say("look", ("page.html", b"<script>alert(1)</script>"))
    file = said.message.attachments[0]
    status, _, headers = await client.get(f"/page/files/{file.id}/page.html")
    assert status == 200
    assert headers["Content-Disposition"] == "attachment"
    assert headers["Content-Type"] == "application/octet-stream"


async def test_files_up_to_the_documented_limit_come_in_and_a_larger_body_is_refused(client, shown):
    ten = base64.b64encode(b"x" * (10 * 1024 * 1024)).decode()
    file = {"name": "f.bin", "type": "", "data": ten}
    status, told = await client.post("say", {**shown, "content": "x", "files": [file]})
    assert status == 200, told
    # Discord's own limit on a message is told by the sandbox, not by the size of the page's request.
    status, told = await client.post("say", {**shown, "content": "x", "files": [file] * 4})
    assert status == 409, told
    assert "Request entity too large" in told["error"]
    assert (await client.post("say", b"x" * (141 * 1024 * 1024)))[0] == 413


@pytest.mark.parametrize("error", [aiohttp.ServerDisconnectedError(), ConnectionRefusedError(), TimeoutError()])
async def test_a_prepared_request_without_an_answer_says_so(client, sandbox, error):
    async def send() -> tuple[int, str]:
        raise error

    sandbox.guide.call = Call("Validate", "About", lambda: "POST /", send)
    assert await client.post("call", {}) == (502, {"error": "The API does not answer."})


async def test_a_try_that_is_answered_otherwise_than_expected_says_so(client, sandbox, guild):
    async def act() -> None:
        raise RuntimeError("the bot's answer holds no key")

    sandbox.guide.tries.append(Try("Issue", "About", guild.owner, act))
    status, told = await client.post("try", {"index": 0})
    assert status == 409
    assert told["error"].endswith("the bot's answer holds no key")


async def test_a_try_counts_as_done_once_what_it_began_is_done(client, sandbox, guild):
    finished = []

    async def at_once() -> None:
        """Leave nothing to do."""

    async def begin():
        mine = len(finished)
        finished.append(False)
        return lambda: finished[mine]

    sandbox.guide.tries += [Try("Issue", "About", guild.owner, at_once), Try("Revoke", "About", guild.owner, begin)]
    told = [(await client.post("try", {"index": index}))[1]["begun"] for index in (0, 1, 1)]
    assert told[0] is None
    assert told[1] != told[2]
    assert sandbox.guide.told()["done"] == []
    finished[1] = True
    assert sandbox.guide.told()["done"] == [told[2]]
