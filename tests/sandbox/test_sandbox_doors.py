"""Whoever knocks at the sandbox under another name, or with what no client sends, gets a clear answer."""

import io

import aiohttp
import pytest

from sandbox.hub import MAX_REQUESTS, Request
from sandbox.interaction import Kind
from sandbox.interactions import MOST_KEPT

FOREIGN = {"Host": "evil.example"}


@pytest.mark.parametrize("path", ["/api/v10/users/@me", "/cdn/attachments/1/2/x", "/gateway", "/", "/page/", "/none"])
async def test_nothing_answers_under_another_name_than_this_machines(bot, sandbox, path):
    headers = {**FOREIGN, "Authorization": f"Bot {sandbox.token}"}
    origin = sandbox.page_url.rstrip("/")
    async with bot.session.get(f"{origin}{path}", headers=headers, allow_redirects=False) as answer:
        assert answer.status == 421
    assert sandbox.requests == []


async def test_the_gateway_opens_under_no_other_name(bot, sandbox):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await bot.session.ws_connect(sandbox.gateway_url, headers=FOREIGN)
    assert refused.value.status == 421


@pytest.mark.parametrize("number", ["x", "-1", "²", "9" * 5000])
async def test_a_file_by_what_is_no_number_is_not_there(bot, sandbox, number):
    async with bot.session.get(f"{sandbox.cdn_base}/attachments/1/{number}/x") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("number", ["x", "²", "9" * 5000])
async def test_an_id_that_is_none_is_an_invalid_form(bot, number):
    assert (await bot.call("GET", f"/channels/{number}"))[1]["code"] == 50035


async def test_a_body_too_large_is_told_as_such(bot, sandbox, guild):
    url = f"{sandbox.rest_base}/channels/{guild.channel('general').id}/messages"
    headers = {"Authorization": f"Bot {sandbox.token}"}
    async with bot.session.post(url, data=io.BytesIO(b"x" * (31 * 1024 * 1024)), headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (413, 40005)


async def test_a_file_under_what_is_no_number_is_an_invalid_form(bot, sandbox, guild):
    parts = aiohttp.FormData()
    parts.add_field("files[x]", b"1", filename="x.txt")
    url = f"{sandbox.rest_base}/channels/{guild.channel('general').id}/messages"
    async with bot.session.post(url, data=parts, headers={"Authorization": f"Bot {sandbox.token}"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, 50035)


@pytest.mark.parametrize(("length", "status"), [(512, 204), (513, 400)])
async def test_a_reason_is_as_long_as_the_audit_log_takes(bot, sandbox, guild, length, status):
    guild.set_permissions(guild.bot_role, ("manage_roles",))
    bob, role = guild.add_member("Bob"), guild.add_role("Buyer")
    url = f"{sandbox.rest_base}/guilds/{guild.id}/members/{bob.id}/roles/{role.id}"
    headers = {"Authorization": f"Bot {sandbox.token}", "X-Audit-Log-Reason": "%C3%A9" * length}
    async with bot.session.put(url, headers=headers) as answer:
        assert answer.status == status


def test_only_the_latest_requests_are_remembered(sandbox):
    for number in range(3 * MAX_REQUESTS):
        sandbox.hub.record(Request("GET", f"/{number}", 200))
    assert MAX_REQUESTS <= len(sandbox.requests) <= 2 * MAX_REQUESTS
    assert sandbox.requests[-1].path == f"/{3 * MAX_REQUESTS - 1}"


def test_only_the_latest_interactions_are_remembered(sandbox, guild):
    interactions = sandbox.hub.interactions
    opened = [interactions.open(Kind.COMMAND, guild.owner.actor, {}) for _ in range(MOST_KEPT + 5)]
    assert interactions.all == opened[5:]
