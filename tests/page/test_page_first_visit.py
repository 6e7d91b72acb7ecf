"""What a newcomer meets: the address on the first line, and three things to try, one click each."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")

READY_S = 30


@pytest_asyncio.fixture(loop_scope="session")
async def address(chromium, tmp_path):  # noqa: ARG001 - nothing is started where nobody can look
    """Run the real command in an empty folder; give the address that it tells."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("KEYPORT_")}
    settings["PYTHONPATH"] = str(Path(__file__).parents[2])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "sandbox", cwd=tmp_path, env=settings, stdout=asyncio.subprocess.PIPE
    )
    found = None
    while found is None:  # where a port is taken, that is said first
        line = (await asyncio.wait_for(process.stdout.readline(), READY_S)).decode()
        assert line
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
    rest = asyncio.create_task(process.stdout.read())
    yield found[0]
    process.terminate()
    assert await process.wait() == 0
    assert b"Traceback" not in await rest


def card(title: str) -> str:
    return f'.card:has-text("{title}") .number'


async def answered_at(tab) -> str:
    """When the answer that is shown came, as it says itself; a reader is told the same to the second."""
    shown = await tab.sees(".wire-answer time")
    assert re.fullmatch(r"\d{1,2}:\d\d:\d\d\s[AP]M", await shown.inner_text())
    return await shown.get_attribute("datetime")


async def ticked(tab) -> list[str]:
    return await tab.page.locator(".card", has_text="✓").locator(".button").all_inner_texts()


async def test_a_first_visit_gets_from_issue_to_a_refused_validation_by_six_clicks(address, windows_at):
    tab = await windows_at(address)
    await tab.click("Issue a license")
    await tab.is_here("Sam")
    await tab.reads("hand over the key from the next message")
    await tab.click("Claim it")
    await tab.is_here("Bob")
    await tab.reads("This license is yours now")
    await tab.click("Validate")
    await tab.sees(".wire.good .wire-answer", '{"valid":true,"status":"active"')
    first = await answered_at(tab)
    await tab.click("Validate")
    await tab.page.wait_for_function(
        "first => document.querySelector('.wire-answer time').dateTime > first", arg=first
    )
    await tab.sees('.member:has-text("Bob") .role-pill', "Nightfall owner")
    await tab.click("Revoke it")
    await tab.is_here("Olivia")
    await tab.reads("Revoke this license for good?")
    assert await ticked(tab) == ["Issue a license", "Claim it"]
    await tab.click("Revoke for good")
    await tab.reads("its next validation is refused")
    await tab.sees(card("Revoke it"), "✓")
    await tab.click("Validate")
    await tab.sees(".wire.bad .wire-answer", '{"valid":false,"status":"revoked"')
    await tab.click("Close the things to try")
    await tab.page.reload()
    await tab.reads("its next validation is refused")
    assert not await tab.page.locator("#guide").is_visible()


async def test_a_step_out_of_turn_does_first_what_it_needs_and_is_not_done_if_it_is_not_gone_through_with(
    address, windows_at
):
    tab = await windows_at(address)
    await tab.click("Revoke it")
    await tab.reads("Revoke this license for good?")
    await tab.click("Cancel")
    await tab.reads("Nothing was changed")
    await tab.click("Validate")
    await tab.sees(".wire.good")
    assert await ticked(tab) == []


async def test_two_tabs_that_claim_at_once_claim_two_licenses(address, windows_at):
    tabs = [await windows_at(address) for _ in range(2)]
    await tabs[0].click("Issue a license")
    await tabs[0].reads("hand over the key from the next message")
    await asyncio.gather(*(tab.click("Claim it") for tab in tabs))
    for tab in tabs:
        await tab.is_here("Bob")
        claimed = tab.page.locator(".message", has_text="This license is yours now")
        await claimed.nth(1).wait_for()
        await tab.click("Validate")
        await tab.sees(".wire.good .wire-answer", '{"valid":true,"status":"active"')
