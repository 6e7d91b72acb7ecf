"""The page shows what Discord shows, and does what a person does there."""

import pytest
from page_gallery import FIELDS_TITLE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]


async def test_every_kind_of_option_can_be_given_by_typing(owner, guild):
    guild.add_member("Bob")
    guild.add_role("Gold")
    await owner.command("echo")
    await owner.type("shade")
    await owner.sees(".option", "Nightshade")
    await owner.press("Tab")
    for option, typed in {
        "amount": "7",
        "who": "bo",
        "role": "go",
        "where": "oth",
        "loud": "t",
        "colour": "bl",
    }.items():
        await owner.type(f"{option}:")
        await owner.type(typed)
        if option != "amount":
            await owner.sees(".option.active")
        await owner.press("Tab")
    await owner.type("proof:")
    file = {"name": "proof.txt", "mimeType": "text/plain", "buffer": b"receipt"}
    await owner.page.locator(".chip-file").set_input_files(file)
    await owner.page.locator(".tail").focus()
    await owner.press("Enter")

    await owner.reads("['nightshade', 7, 'bob', 'Gold', 'other', True, 'b', 'receipt']")
    assert await owner.page.locator(".area").input_value() == ""


async def test_what_cannot_be_sent_is_said_as_the_client_says_it(owner):
    await owner.command("echo")
    await owner.press("Escape", "Enter")
    await owner.sees(".composer-hint", "This option is required. Specify a value.")
    await owner.type("Day")
    await owner.sees(".option.active", "Daybreak")
    await owner.press("Enter")
    await owner.type("amount:11")
    await owner.press("Enter")
    await owner.sees(".composer-hint", "Input between 1 and 10.")
    await owner.press("Backspace", "Backspace")
    await owner.type("x")
    await owner.press("Enter")
    await owner.sees(".composer-hint", "Input a valid integer.")
    await owner.press("Backspace")
    await owner.type("3")
    await owner.press("Enter")
    await owner.reads("['daybreak', 3")


async def test_a_pasted_command_becomes_its_options(owner):
    await owner.page.locator(".area").fill("/echo product: Nightfall amount: 4")
    await owner.sees(".chip-name", "amount")
    await owner.press("Escape", "Enter")
    await owner.reads("['Nightfall', 4")


async def test_a_completion_without_an_answer_says_so(owner):
    await owner.command("echo")
    await owner.type("silence")
    await owner.sees(".nothing", "Loading options failed.")


async def test_buttons_menus_and_a_form_with_every_field_work(owner):
    await owner.send("show rows")
    await owner.reads("Rows")
    await owner.click("Link")
    await owner.sees(".toast", "This button leads to https://example.com/away")
    assert await owner.page.get_by_role("button", name="Off").is_disabled()

    await owner.page.get_by_role("combobox", name="Pick two").click()
    await owner.type("thr")
    await owner.press("Enter")
    await owner.page.locator(".search").fill("")
    await owner.press("Enter", "Escape")
    await owner.reads("Picked ['One', 'Three']")
    await owner.page.get_by_role("combobox", name="Pick somebody").click()
    await owner.type("oliv")
    await owner.press("Enter")
    await owner.reads("Picked @Olivia")

    await owner.click("Form")
    form = owner.dialog()
    await form.get_by_text(FIELDS_TITLE).wait_for()
    await owner.click("Submit")
    await owner.sees(".field-problem", "This field is required.")
    await form.get_by_label("Words").fill("no")
    await owner.click("Submit")
    await owner.sees(".field-problem", "Must be 3 or more in length.")
    await form.get_by_label("Words").fill("words")
    await form.get_by_label("Story").fill("a\nstory")
    await form.get_by_role("combobox").click()
    await owner.type("pro")
    await owner.press("Enter")
    await form.locator('input[type="file"]').set_input_files(
        {"name": "p.txt", "mimeType": "text/plain", "buffer": b"1"}
    )
    await owner.click("Submit")
    await owner.reads("You sent words / a")
    await owner.reads("['Pro'] / ['p.txt']")
    await form.wait_for(state="detached")


async def test_what_a_menu_may_do_without_is_taken_back_by_choosing_it_again(owner, guild):
    guild.add_role("Gold")
    await owner.send("show holders")
    await owner.reads("Holders")
    menu = owner.page.get_by_role("combobox", name="Choose a role, or none")
    await menu.click()
    await owner.page.locator(".option", has_text="Gold").click()
    await owner.reads("Holders: Gold")
    await owner.sees(".select-words", "Gold")
    await menu.click()
    await owner.page.locator(".option", has_text="Gold").click()
    await owner.reads("Holders: nobody")
    await owner.sees(".select-words.none")


async def test_an_answer_is_thought_over_changed_followed_and_dismissed(owner):
    await owner.send("show thinking")
    await owner.reads("KeyPort is thinking…")
    owner.bot.may_go_on.set()
    await owner.reads("Thought it over")
    await owner.reads("And one more")
    await owner.sees_no(".thinking")
    await owner.message("And one more").get_by_text("Dismiss message").click()
    await owner.sees_no(".message:has-text('And one more'):not(:has(.source:has-text('And one more')))")
    await owner.page.reload()
    await owner.reads("Thought it over")
    assert await owner.page.locator(".content", has_text="And one more").count() == 0


async def test_layouts_embeds_files_and_marks_are_shown(owner):
    await owner.send("show layout")
    panel = await owner.sees(".container.accented")
    await panel.get_by_text("A section").wait_for()
    async with owner.page.expect_download() as download:
        await panel.get_by_role("link", name="Download keys.csv").click()
    assert (await (await download.value).path()).read_bytes() == b"key\nABCD\n"
    picture = panel.get_by_role("img", name="A pixel")
    await picture.wait_for()
    assert await picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 1

    await owner.send("show marks")
    shown = await owner.reads("Heading one")
    for selector in (
        "strong",
        "em",
        "u",
        "s",
        "code",
        "small.subtext",
        "blockquote",
        "li",
        "pre",
        "time",
        ".mention",
        ".embed",
    ):
        assert await shown.locator(selector).count(), selector
    assert 'print("<b>no markup</b>")' in await shown.locator("pre").inner_text()
    assert await shown.locator("a").count() == 0


async def test_menus_of_people_and_messages_bring_the_bots_commands(owner, guild):
    bob = guild.add_member("Bob")
    row = await owner.sees(".member", "Bob")
    await row.click(button="right")
    await owner.page.get_by_role("menuitem", name="Licenses").click()
    await owner.reads("Licenses of bob")
    await row.focus()
    await owner.press("Enter")
    await owner.sees(".menu")
    await owner.press("End", "Enter")
    said = bob.say("A message to quote")
    await (await owner.reads("A message to quote")).click(button="right")
    await owner.page.get_by_role("menuitem", name="Quote").click()
    await owner.reads(f"Quoted {said.message.id}")


async def test_two_tabs_are_two_people_and_see_what_is_theirs(owner, windows, guild):
    bob = guild.add_member("Bob")
    other = await windows.open(bob)
    await owner.send("show thinking")
    await owner.reads("KeyPort is thinking…")
    await owner.write("Good morning @Bob")
    await owner.press("Enter")
    heard = await other.reads("Good morning")
    assert "pings" in await heard.get_attribute("class")
    assert await other.page.locator(".message", has_text="thinking").count() == 0
    await other.sees("#announcer div:not(.message)", "Good morning")


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "\u202eيوسف\u202c",
    "👩‍👩‍👧‍👦 Ölivia",
    "'\"><script>alert(1)</script>",
    "**bold** `tick` ||x||",
)


async def test_hostile_names_are_words_and_nothing_else(owner, guild):
    owner.page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for name in HOSTILE:
        guild.add_role(name)
        guild.add_channel(name)
        guild.add_member(name, roles=[name]).say(f"{name} {'x' * 1000}")
    for name in HOSTILE:
        await owner.page.get_by_role("button", name=name).first.wait_for()
    last = guild.member(HOSTILE[-1])
    await owner.become(last)
    await owner.command("echo")
    await owner.type(HOSTILE[0])
    await owner.press("Escape", "Enter")
    await owner.reads(HOSTILE[0])
    assert await owner.page.locator(".app script, .app img").count() == 0
    width = await owner.page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 1200


async def test_a_message_of_the_longest_is_sent_and_a_longer_one_is_not(owner):
    area = owner.page.locator(".area")
    await area.fill("🦊" * 2001)
    await owner.press("Enter")
    await owner.sees(".composer-hint", "too long: 2001 of 2000")
    await area.fill("🦊" * 2000)
    await owner.press("Enter")
    await owner.reads("🦊" * 2000)


async def test_a_thousand_messages_are_paged_and_five_hundred_members_listed(owner, guild):
    bob = guild.add_member("Bob")
    for number in range(1000):
        bob.say(f"Number {number}")
    for number in range(500):
        guild.add_member(f"Buyer {number}")
    await owner.reads("Number 999")
    await owner.page.reload()
    await owner.reads("Number 999")
    assert await owner.message("Number 899").count() == 0
    await owner.click("Show earlier messages")
    await owner.reads("Number 899")
    await owner.sees(".member", "Buyer 499")


async def test_options_are_chosen_with_arrow_keys_and_enter_alone_sends(owner):
    await owner.command("echo")
    await owner.type("Day")
    await owner.sees(".option.active", "Daybreak")
    await owner.press("Enter")
    await owner.sees(".option", "amount")
    assert await owner.page.locator(".option.active").count() == 0
    await owner.press("ArrowDown", "ArrowDown", "Enter")
    await owner.type("oliv")
    await owner.press("Enter", "Enter")
    await owner.reads("['daybreak', 1, 'Olivia'")
