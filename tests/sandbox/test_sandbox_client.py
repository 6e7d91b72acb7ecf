"""What an unmodified discord.py bot does beyond the common paths, and how the sandbox treats it."""

import io

import discord
import pytest
from discord import app_commands, ui

from sandbox import DriverError


class Confirm(ui.View):
    """A view without persistent ids, as bots make them in passing."""

    @ui.button(label="Yes", style=discord.ButtonStyle.danger)
    async def yes(self, interaction, _button) -> None:
        await interaction.response.edit_message(content="Done.", view=None)

    @ui.button(label="Ask again")
    async def again(self, interaction, _button) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="Really sure?")

    @ui.button(label="Details")
    async def details(self, interaction, _button) -> None:
        await interaction.response.send_modal(Upload())

    @ui.select(cls=ui.UserSelect, placeholder="Whom")
    async def whom(self, interaction, select) -> None:
        await interaction.response.send_message(f"You chose {select.values[0].name}", ephemeral=True)


class Upload(ui.Modal, title="Upload"):
    file = ui.Label(text="Keys", component=ui.FileUpload(custom_id="file", max_values=1))
    sure = ui.Label(text="Sure", component=ui.Checkbox(custom_id="sure"))
    kind = ui.Label(
        text="Kind",
        component=ui.RadioGroup(
            custom_id="kind",
            options=[
                discord.RadioGroupOption(label="New", value="n"),
                discord.RadioGroupOption(label="Old", value="o"),
            ],
        ),
    )

    async def on_submit(self, interaction) -> None:
        data = (await self.file.component.values[0].read()).decode()
        await interaction.response.edit_message(
            content=f"{data} {self.sure.component.value} {self.kind.component.value}"
        )


def build(client) -> None:  # noqa: C901 - a list of commands
    @client.tree.command(description="Ask")
    async def ask(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Sure?", view=Confirm(), ephemeral=True)

    @client.tree.command(description="Export")
    async def export(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Here.", file=discord.File(io.BytesIO(b"K-1"), "keys.csv"))

    @client.tree.command(description="Think in public, answer in private")
    async def careless(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send("secret", ephemeral=True)

    @client.tree.command(description="Answer twice")
    async def twice(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("one")
        interaction.response._response_type = None
        await interaction.response.send_message("two")

    @client.tree.command(description="Write to somebody")
    async def write(interaction: discord.Interaction, member: discord.Member) -> None:
        await interaction.response.defer(ephemeral=True)
        try:
            await member.send("Hello", view=Confirm())
        except discord.Forbidden as error:
            await interaction.followup.send(f"refused {error.code}")
        else:
            await interaction.followup.send("sent")

    @client.tree.context_menu(name="Quote")
    async def quote(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"{message.author.name}: {message.content}")

    @client.tree.command(description="Never answers")
    async def silent(interaction: discord.Interaction) -> None:
        pass

    @client.tree.command(description="Who may")
    @app_commands.default_permissions(manage_messages=True)
    @app_commands.guild_only()
    async def staff(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(str(interaction.permissions.manage_messages))


async def test_a_passing_view_works_from_the_first_moment_it_is_seen(guild, start):
    await start(build)
    for _ in range(5):
        reply = await guild.owner.slash("ask")
        assert (await reply.click("Ask again")).content == "Really sure?"
        assert (await reply.click("Yes")).content == "Done."
        assert reply.buttons == []


async def test_a_user_is_chosen_from_a_select(guild, start):
    await start(build)
    reply = await guild.owner.slash("ask")
    chosen = await reply.select("Whom", guild.add_member("Bob"))
    assert (chosen.text, chosen.ephemeral) == ("You chose bob", True)


async def test_a_form_takes_files_boxes_and_radio_buttons_and_updates_the_message_behind_it(guild, start):
    await start(build)
    reply = await guild.owner.slash("ask")
    form = await reply.click("Details")
    for bad in ({}, {"kind": "New"}, {"Keys": [], "kind": "New"}, {"Keys": ("k.txt", b"x"), "kind": "Other"}):
        with pytest.raises(DriverError):
            await form.submit(bad)
    done = await form.submit(file=("keys.txt", b"K-1"), sure=True, kind="New")
    assert done.content == reply.content == "K-1 True n"


async def test_an_answer_with_a_file_brings_the_file(guild, start):
    await start(build)
    assert (await guild.owner.slash("export")).files == {"keys.csv": b"K-1"}


async def test_a_private_follow_up_to_a_public_defer_is_shown_to_everyone(guild, start):
    await start(build)
    reply = await guild.owner.slash("careless")
    assert not reply.ephemeral
    assert [each.text for each in guild.add_member("Bob").sees(guild.channel("general"))] == ["secret"]


async def test_a_second_answer_fails_in_the_bot(sandbox, guild, start):
    client = await start(build)
    reply = await guild.owner.slash("twice")
    await sandbox.wait_until(lambda: client.failures)
    assert client.failure().code == 40060
    assert reply.text == "one"


async def test_direct_messages_are_read_and_their_buttons_pressed_in_the_direct_channel(guild, start):
    await start(build)
    bob = guild.add_member("Bob")
    assert (await guild.owner.slash("write", member=bob)).text == "sent"
    assert (await bob.wait_for_dm("Hello")).author == "KeyPort"
    assert (await bob.dms[0].click("Yes")).content == "Done."
    bob.close_dms()
    assert (await guild.owner.slash("write", member=bob)).text == "refused 50007"


async def test_a_message_context_menu_brings_the_message(guild, start):
    await start(build)
    said = guild.add_member("Bob").say("hello")
    assert (await guild.owner.context_menu("Quote", said)).text == "bob: hello"


async def test_a_command_that_never_answers_is_seen_to_fail(guild, start):
    await start(build)
    assert (await guild.owner.slash("silent")).failed


async def test_permissions_arrive_with_the_interaction(guild, start):
    await start(build)
    mod = guild.add_member("Mo", roles=[guild.add_role("Mod", permissions=("manage_messages",))])
    assert (await mod.slash("staff")).text == "True"
    assert "staff" not in guild.add_member("Bob").commands
    assert "staff" not in guild.owner.in_dm.commands


async def test_the_bot_gone_from_the_guild_its_buttons_fail_at_once(guild, start):
    await start(build)
    reply = await guild.owner.slash("ask")
    guild.remove_bot()
    assert (await reply.click("Yes")).failed


async def test_a_form_opened_before_a_restart_is_lost_with_it(sandbox, guild, start):
    first = await start(build)
    form = await (await guild.owner.slash("ask")).click("Details")
    await first.close()
    await sandbox.wait_for_no_bot()
    await start(build)
    assert (await form.submit(file=("k", b"x"), kind="Old")).failed


async def test_a_role_added_below_the_bot_is_below_it_in_the_clients_eyes_too(sandbox, guild, start):
    client = await start(build)
    role = guild.add_role("Buyer")
    await sandbox.wait_until(lambda: client.get_guild(guild.id).get_role(role.id))
    seen = client.get_guild(guild.id)
    assert seen.get_role(role.id) < seen.me.top_role
    assert seen.get_role(role.id).is_assignable()


async def test_a_request_can_be_made_to_fail_on_purpose(sandbox, guild, start):
    client = await start(build)
    bob, role = guild.add_member("Bob"), guild.add_role("Buyer")
    member = await client.get_guild(guild.id).fetch_member(bob.id)
    sandbox.fail_requests(1, status=403, code=50013, method="PUT", path_prefix=f"/guilds/{guild.id}/members")
    with pytest.raises(discord.Forbidden):
        await member.add_roles(discord.Object(role.id))
    await member.add_roles(discord.Object(role.id))
    assert bob.role_names == ["Buyer"]


async def test_messages_are_pinned_listed_and_swept_away(guild, start):
    client = await start(build)
    guild.set_permissions(
        guild.bot_role, ("view_channel", "send_messages", "manage_messages", "read_message_history")
    )
    channel = client.get_channel(guild.channel("general").id)
    sent = [await channel.send(str(number)) for number in range(3)]
    await sent[0].pin()
    assert [each.id async for each in channel.pins()] == [sent[0].id]
    assert [each.content async for each in channel.history(limit=2)] == ["2", "1"]
    await channel.delete_messages(sent[:2])
    assert [posted.text for posted in guild.channel("general").messages] == ["2"]


async def test_a_message_sent_again_with_its_nonce_is_not_posted_twice(guild, start):
    client = await start(build)
    channel = client.get_channel(guild.channel("general").id)
    first, second = [await channel.send("once", nonce="order-1") for _ in range(2)]
    assert first.id == second.id
    assert len(guild.channel("general").messages) == 1
