"""The common paths of a bot, over real HTTP and a real WebSocket, with an unmodified client."""

import discord
from discord import app_commands, ui

from sandbox import DriverError


class Approve(ui.DynamicItem[ui.Button], template=r"approve:v1:(?P<id>\d+)"):
    def __init__(self, item_id: int) -> None:
        super().__init__(ui.Button(label="Approve", custom_id=f"approve:v1:{item_id}"))
        self.item_id = item_id

    @classmethod
    async def from_custom_id(cls, _interaction, _item, match):
        return cls(int(match["id"]))

    async def callback(self, interaction) -> None:
        await interaction.response.send_message(f"approved {self.item_id}", ephemeral=True)


class Claim(ui.Modal, title="Claim a license"):
    key = ui.Label(text="Your key", component=ui.TextInput(custom_id="key", min_length=4, max_length=8))
    why = ui.Label(
        text="Reason",
        component=ui.Select(custom_id="why", options=[discord.SelectOption(label="New", value="n")], required=False),
    )
    old = ui.TextInput(label="Note", required=False, custom_id="note")

    async def on_submit(self, interaction) -> None:
        said = f"{self.key.component.value} {self.why.component.values} {self.old.value}"
        await interaction.response.send_message(said, ephemeral=True)


def build(client) -> None:
    license_ = app_commands.Group(name="license", description="Licenses")
    client.add_dynamic_items(Approve)

    @license_.command(description="Issue")
    async def issue(  # noqa: PLR0917 - discord.py reads options from positional parameters
        interaction: discord.Interaction,
        product: str,
        member: discord.Member | None = None,
        max_ips: app_commands.Range[int, 1, 10] | None = None,
        channel: discord.TextChannel | None = None,
        role: discord.Role | None = None,
        file: discord.Attachment | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        data = (await file.read()).decode() if file else None
        embed = discord.Embed(title=f"Issued {product}", description=f"{member} {max_ips} {channel} {role} {data}")
        await interaction.followup.send(embed=embed, ephemeral=True)

    @issue.autocomplete("product")
    async def products(_interaction, current: str):
        return [app_commands.Choice(name=name, value=name.lower()) for name in ("Pro", "Lite") if current in name]

    client.tree.add_command(license_)

    @client.tree.command(description="Claim")
    async def claim(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Claim())

    @client.tree.command(description="A panel")
    async def panel(interaction: discord.Interaction) -> None:
        view = ui.LayoutView(timeout=None)
        row = ui.ActionRow(Approve(7), ui.Button(label="Docs", url="https://example.com"))
        view.add_item(ui.Container(ui.TextDisplay("# License"), ui.Separator(), row))
        await interaction.response.send_message(view=view)

    @client.tree.context_menu(name="Licenses")
    async def licenses(interaction: discord.Interaction, user: discord.Member) -> None:
        await interaction.response.send_message(f"none for {user.name}", ephemeral=True)


async def test_a_slash_command_with_every_kind_of_option_reaches_the_bot_and_its_deferred_answer_comes_back(
    guild, start
):
    await start(build)
    buyer, role = guild.add_member("Bob"), guild.add_role("Buyer")
    reply = await guild.owner.slash(
        "license issue",
        product="pro",
        member=buyer,
        max_ips=3,
        channel=guild.channel("general"),
        role=role,
        file=("keys.txt", b"K-1"),
    )
    assert reply.embeds[0]["title"] == "Issued pro"
    assert reply.embeds[0]["description"] == "bob 3 general Buyer K-1"
    assert reply.ephemeral
    assert reply.deferred


async def test_autocomplete_offers_what_the_bot_offers(guild, start):
    await start(build)
    assert [choice.value for choice in await guild.owner.complete("license issue", "product", "P")] == ["pro"]


async def test_a_modal_is_checked_and_submitted(guild, start):
    await start(build)
    form = await guild.owner.slash("claim")
    assert form.modal.title == "Claim a license"
    for bad in ({}, {"Your key": "abc"}, {"key": "abcdefghi"}, {"key": "abcd", "why": "x"}):
        try:
            await form.submit(bad)
        except DriverError:
            continue
        raise AssertionError(bad)
    reply = await form.submit({"Your key": "ABCD", "why": "New"}, note="hi")
    assert reply.content == "ABCD ['n'] hi"


async def test_a_layout_with_a_persistent_button_still_works_after_the_bot_was_restarted(sandbox, guild, start):
    first = await start(build)
    panel = await guild.owner.slash("panel")
    assert panel.text == "# License"
    assert [button.label for button in panel.buttons] == ["Approve", "Docs"]
    await first.close()
    await sandbox.wait_for_no_bot()
    await start(build)
    buyer = guild.add_member("Bob")
    reply = await panel.click("Approve", by=buyer)
    assert reply.text == "approved 7"
    assert [posted.text for posted in buyer.sees(guild.channel("general"))] == ["# License", "approved 7"]
    assert [posted.text for posted in guild.owner.sees(guild.channel("general"))] == ["# License"]


async def test_a_user_context_menu_reaches_the_bot(guild, start):
    await start(build)
    reply = await guild.owner.context_menu("Licenses", guild.add_member("Bob"))
    assert reply.content == "none for bob"


async def test_nothing_a_common_client_asks_for_is_missing(sandbox, guild, start):
    await start(build)
    await guild.owner.slash("license issue", product="pro")
    assert sandbox.unknown_requests == []
