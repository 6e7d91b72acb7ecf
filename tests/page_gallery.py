"""A bot that shows everything a page must be able to show: every component, form field and kind of answer."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
from discord import app_commands, ui

from sandbox import Sandbox

FIELDS_TITLE = "Everything a form holds"
MARKDOWN = """# Heading one
**bold** *italics* __under__ ~~struck~~ `code` ||secret||
-# small print
> quoted
- first
- second
```py
print("<b>no markup</b>")
```
[a name](https://example.com/a) https://example.com/b <t:0:D>"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccfc0f01f00050001ff"
    "a1d95ddd0000000049454e44ae426082"
)


class Everything(ui.Modal, title=FIELDS_TITLE):
    words = ui.Label(text="Words", component=ui.TextInput(custom_id="words", min_length=3, max_length=20))
    story = ui.Label(
        text="Story",
        description="As long as you like",
        component=ui.TextInput(custom_id="story", style=discord.TextStyle.paragraph, required=False),
    )
    plan = ui.Label(
        text="Plan",
        component=ui.Select(
            custom_id="plan",
            placeholder="Which plan?",
            options=[discord.SelectOption(label="Free"), discord.SelectOption(label="Pro", description="More")],
        ),
    )
    proof = ui.Label(text="Proof", component=ui.FileUpload(custom_id="proof", required=False))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        files = [each.filename for each in self.proof.component.values]
        told = f"{self.words.component.value} / {self.story.component.value} / {self.plan.component.values} / {files}"
        await interaction.response.send_message(f"You sent {told}"[:2000], ephemeral=True)


class Rows(ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.add_item(ui.Button(label="Link", url="https://example.com/away"))
        self.add_item(ui.Button(label="Off", custom_id="off", disabled=True))

    @ui.button(label="Form", custom_id="form", style=discord.ButtonStyle.primary, emoji="📝")
    async def form(self, interaction: discord.Interaction, _button: ui.Button) -> None:
        await interaction.response.send_modal(Everything())

    @ui.button(label="Silent", custom_id="silent", style=discord.ButtonStyle.danger)
    async def silent(self, _interaction: discord.Interaction, _button: ui.Button) -> None:
        """Never answer."""

    @ui.select(
        custom_id="two",
        placeholder="Pick two",
        min_values=1,
        max_values=2,
        options=[discord.SelectOption(label=each, description=f"The {each}") for each in ("One", "Two", "Three")],
    )
    async def pick(self, interaction: discord.Interaction, select: ui.Select) -> None:
        await interaction.response.send_message(f"Picked {sorted(select.values)}", ephemeral=True)

    @ui.select(cls=ui.UserSelect, custom_id="who", placeholder="Pick somebody")
    async def somebody(self, interaction: discord.Interaction, select: ui.UserSelect) -> None:
        await interaction.response.send_message(f"Picked {select.values[0].mention}", ephemeral=True)


class Holders(ui.View):
    """A menu that may be left empty, and tells what it was left with."""

    def __init__(self, role: discord.Role | None = None) -> None:
        super().__init__(timeout=None)
        defaults = [discord.SelectDefaultValue.from_role(role)] if role else []
        self.menu = ui.RoleSelect(
            custom_id="holders", placeholder="Choose a role, or none", min_values=0, default_values=defaults
        )
        self.menu.callback = self.chosen
        self.add_item(self.menu)

    async def chosen(self, interaction: discord.Interaction) -> None:
        role = next(iter(self.menu.values), None)
        await interaction.response.edit_message(content=f"Holders: {role or 'nobody'}", view=Holders(role))


def panel() -> ui.LayoutView:
    container = ui.Container(accent_color=discord.Color.green())
    container.add_item(ui.Section(ui.TextDisplay("### A section"), accessory=ui.Button(label="Beside")))
    container.add_item(ui.Separator())
    container.add_item(ui.TextDisplay("A text display"))
    container.add_item(ui.File("attachment://keys.csv"))
    container.add_item(ui.MediaGallery(discord.MediaGalleryItem("attachment://pixel.png", description="A pixel")))
    return ui.LayoutView(timeout=None).add_item(container)


def embed() -> discord.Embed:
    made = discord.Embed(title="An embed", description="with **words**", color=0x3366FF)
    return made.add_field(name="Left", value="1").add_field(name="Right", value="2").set_footer(text="At the foot")


def build(tree: app_commands.CommandTree) -> None:
    """Give the tree its commands."""
    add_shows(tree)
    add_echo(tree)
    add_menus(tree)


def add_shows(tree: app_commands.CommandTree) -> None:
    show = app_commands.Group(name="show", description="Show something")

    @show.command(description="Rows of buttons and menus")
    async def rows(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Rows", view=Rows())

    @show.command(description="A menu that may be left empty")
    async def holders(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Holders", view=Holders())

    @show.command(description="A layout")
    async def layout(interaction: discord.Interaction) -> None:
        files = [
            discord.File(io.BytesIO(b"key\nABCD\n"), "keys.csv"),
            discord.File(io.BytesIO(PIXEL), "pixel.png"),
        ]
        await interaction.response.send_message(view=panel(), files=files)

    @show.command(description="An embed and marks")
    async def marks(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"{MARKDOWN}\n{interaction.user.mention}", embed=embed())

    @show.command(description="Think, then say it, then change it")
    async def thinking(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await tree.client.wait_for_event(tree.client.may_go_on)
        await interaction.edit_original_response(content="Thought it over")
        await interaction.followup.send("And one more", ephemeral=True)

    @show.command(description="Say nothing at all")
    async def nothing(_interaction: discord.Interaction) -> None:
        """Never answer."""

    tree.add_command(show)


def add_echo(tree: app_commands.CommandTree) -> None:
    @tree.command(description="Say back every kind of option")
    @app_commands.describe(product="With completion", amount="From one to ten")
    @app_commands.choices(
        colour=[app_commands.Choice(name="Red", value="r"), app_commands.Choice(name="Blue", value="b")]
    )
    async def echo(  # noqa: PLR0917 - a command's parameters are its options
        interaction: discord.Interaction,
        product: str,
        amount: app_commands.Range[int, 1, 10] = 1,
        who: discord.Member | None = None,
        role: discord.Role | None = None,
        where: discord.TextChannel | None = None,
        loud: bool = False,
        colour: str = "",
        proof: discord.Attachment | None = None,
    ) -> None:
        told = [product, amount, who and who.name, role and role.name, where and where.name, loud, colour]
        words = f"Echo {[*told, proof and (await proof.read()).decode()]}"
        await interaction.response.send_message(words[:2000])

    @echo.autocomplete("product")
    async def products(_interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        if typed == "silence":
            await tree.client.wait_for_event(asyncio.Event())
        names = [each for each in ("Nightfall", "Nightshade", "Daybreak") if typed.lower() in each.lower()]
        return [app_commands.Choice(name=each, value=each.lower()) for each in names]


def add_menus(tree: app_commands.CommandTree) -> None:
    @tree.context_menu(name="Licenses")
    async def of_member(interaction: discord.Interaction, member: discord.Member) -> None:
        await interaction.response.send_message(f"Licenses of {member.name}", ephemeral=True)

    @tree.context_menu(name="Quote")
    async def of_message(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"Quoted {message.id}", ephemeral=True)


class Client(discord.Client):
    """A client that syncs its tree when it starts."""

    def __init__(self) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, members=True), max_messages=None, guild_ready_timeout=0.05
        )
        self.tree = app_commands.CommandTree(self)
        self.may_go_on = asyncio.Event()
        self._held_up: set[asyncio.Task] = set()
        build(self.tree)

    async def setup_hook(self) -> None:
        self.add_view(Rows())
        await self.tree.sync()

    async def wait_for_event(self, event: asyncio.Event) -> None:
        """Hold up a command until something happens, or the bot ends."""
        task = asyncio.current_task()
        self._held_up.add(task)
        await event.wait()
        self._held_up.discard(task)

    async def close(self) -> None:
        for task in self._held_up:
            task.cancel()
        await asyncio.gather(*self._held_up, return_exceptions=True)
        await super().close()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do without the five seconds that discord.py waits before it identifies again."""


@asynccontextmanager
async def gallery(sandbox: Sandbox) -> AsyncIterator[Client]:
    """Run the bot until the block ends; it is there by the time the block begins."""
    client = Client()
    task = asyncio.create_task(client.start(sandbox.token))
    try:
        await sandbox.wait_until(lambda: sandbox.bot_connected or task.done())
        if task.done():
            task.result()
        await client.wait_until_ready()
        yield client
    finally:
        await client.close()
        await asyncio.gather(task, return_exceptions=True)
        await sandbox.wait_for_no_bot()
