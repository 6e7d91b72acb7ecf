"""The page goes on after a reload, a silence, a bot or a sandbox that was away, and what was taken from it."""

import pytest

from sandbox import Sandbox

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]


async def test_a_reload_in_the_middle_of_a_form_loses_nothing(owner):
    await owner.send("show rows")
    await owner.reads("Rows")
    await owner.click("Form")
    await owner.dialog().get_by_label("Words").fill("kept words")
    await owner.page.reload()
    assert await owner.dialog().get_by_label("Words").input_value() == "kept words"
    await owner.press("Escape")
    await owner.dialog().wait_for(state="detached")
    await owner.page.reload()
    await owner.reads("Rows")
    assert await owner.dialog().count() == 0


async def test_a_form_survives_a_bot_that_is_away(owner, start):
    await owner.send("show rows")
    await owner.reads("Rows")
    await owner.click("Form")
    form = owner.dialog()
    await form.get_by_label("Words").fill("patience")
    await form.get_by_role("combobox").click()
    await owner.press("Enter")
    await owner.bot.close()
    await owner.sees(".banner", "KeyPort is offline")
    await owner.click("Submit")
    await owner.sees(".form-problem", "Something went wrong. Try again.")
    await start()
    await owner.sees_no(".banner:not([hidden])")


async def test_silence_is_told_where_it_was_met(owner):
    await owner.send("show nothing")
    await owner.reads("Sending command…")
    await owner.reads("The application did not respond")
    await owner.send("show rows")
    await owner.click("Silent")
    await owner.sees(".failed", "This interaction failed")


async def test_a_command_that_is_being_typed_survives_a_reload_and_belongs_to_its_channel(owner):
    await owner.command("echo")
    await owner.type("Nightf")
    await owner.sees(".option", "Nightfall")
    await owner.press("Tab")
    await owner.page.reload()
    await owner.sees(".chip-name", "product")
    assert await owner.page.locator(".chip-input").input_value() == "Nightfall"
    await owner.page.get_by_role("button", name="other").click()
    await owner.sees_no(".chip")
    await owner.page.get_by_role("button", name="general").click()
    await owner.sees(".chip-name", "product")
    await owner.press("Enter")
    await owner.reads("['nightfall', 1")


async def test_a_bot_that_starts_anew_under_an_open_page_is_answered_again(owner, start):
    await owner.send("show rows")
    await owner.reads("Rows")
    await owner.bot.close()
    await owner.sees(".banner", "KeyPort is offline")
    await owner.send("show rows")
    await owner.reads("The application did not respond")
    await start()
    await owner.sees_no(".banner:not([hidden])")
    await owner.click("Form")
    await owner.dialog().wait_for()


async def test_a_sandbox_that_starts_anew_is_found_again_by_an_open_page(windows, sandbox, guild):
    windows.watch.forgiven = ("ERR_CONNECTION_REFUSED", "WebSocket connection", "Connection closed", "404")
    tab = await windows.open(guild.owner)
    await tab.write("A word before the end")
    port = int(sandbox.page_url.rsplit(":", 1)[1].rstrip("/"))
    await sandbox.stop()
    await tab.sees(".banner", "Connection lost")
    async with Sandbox(port=port) as again:
        again.add_guild("Another", owner="Otto")
        await tab.is_here("Otto")
        await tab.sees(".toast", "started anew")
        await tab.sees(".channels-title", "Another")


@pytest.mark.usefixtures("bot")
async def test_what_is_taken_from_under_an_open_page_is_left_without_a_fault(windows, guild):
    bob = guild.add_member("Bob")
    tab = await windows.open(bob, at=guild.channel("other").id)
    await tab.write("half a sentence")
    guild.channel("other").delete()
    await tab.sees(".place-name", "general")
    guild.channel("general").set_permissions(guild.everyone, deny=["send_messages"])
    await tab.sees(".area:disabled")
    assert "do not have permission" in await tab.page.locator(".area").get_attribute("placeholder")
    guild.channel("general").delete()
    await tab.sees(".place-name", "KeyPort")
    bob.leave()
    await tab.sees(".opening", "Bob is in no server.")
    bob.rejoin()
    guild.add_channel("back")
    await tab.sees(".place-name", "KeyPort")
    await tab.page.get_by_role("button", name="Gallery").click()
    await tab.sees(".place-name", "back")
    await tab.sees(".area:not(:disabled)")
