"""A person before Discord's client: what they can do there, and what they see."""

from typing import Any, NamedTuple

from sandbox.access import Actor, sees_channel, sees_message
from sandbox.errors import DriverError
from sandbox.hub import PATIENCE, Hub
from sandbox.messages import Upload
from sandbox.model import Channel as ChannelRecord
from sandbox.model import Overwrite, Role, User
from sandbox.permissions import Asked, bits
from sandbox.reply import Posted, Reply
from sandbox.seen import plain


class Choice(NamedTuple):
    """One line of an autocomplete list."""

    name: str
    value: Any


class Person:
    """Somebody with an account, looking at some channel."""

    def __init__(self, hub: Hub, user: User) -> None:
        self._hub = hub
        self.user = user
        self.id = user.id
        self.name = user.name
        self.mention = user.mention

    @property
    def actor(self) -> Actor:
        """The person at the place where they are."""
        return Actor(self.user, self._hub.world.dm_with(self.user))

    # What they can do

    @property
    def commands(self) -> list[str]:
        """The names of the commands Discord offers this person here."""
        return sorted(each["name"] for each in self._hub.people.commands(self.actor))

    def begin(self, path: str, /, **options: Any) -> Reply:
        """Send a command and do not wait for its answer."""
        return Reply(self._hub, self._hub.people.slash(self.actor, path, _plain_all(options)))

    async def slash(self, path: str, /, **options: Any) -> Reply:
        """Send a command, like "license issue", and wait for its real answer."""
        return await self.begin(path, **options).settled()

    async def complete(self, path: str, focused: str, typed: str = "", /, **options: Any) -> list[Choice]:
        """Type into an option and read what autocomplete offers."""
        given = _plain_all(options)
        interaction = self._hub.people.complete(self.actor, path, focused, typed, given)
        reply = await Reply(self._hub, interaction).settled()
        if reply.failed:
            raise DriverError("Loading options failed.")
        return [Choice(each["name"], each["value"]) for each in interaction.choices]

    async def context_menu(self, name: str, target: "Person | Posted") -> Reply:
        """Use a command from the menu of a person or a message."""
        actor, subject = self.actor, target.id if isinstance(target, Person) else 0
        if isinstance(target, Posted) and target.message is not None:
            actor, subject = Actor(self.user, target.message.channel), target.message.id
        return await Reply(self._hub, self._hub.people.context_menu(actor, name, subject)).settled()

    def say(self, words: str, *files: tuple[str, bytes]) -> Posted:
        message = self._hub.people.say(self.actor, words, [Upload(*file) for file in files])
        return Posted(self._hub, message, self.user)

    # What they see

    @property
    def dms(self) -> list[Posted]:
        """The bot's direct messages to them, oldest first."""
        channel = self._hub.world.dm_with(self.user)
        mine = [each for each in channel.messages.values() if each.author is self._hub.world.bot]
        return [Posted(self._hub, each, self.user) for each in mine]

    async def wait_for_dm(self, words: str = "", timeout: float = PATIENCE) -> Posted:  # noqa: ASYNC109 - a bound on the bot's message
        """Wait until one of the bot's direct messages says this; give the latest that does."""
        await self._hub.wait_until(lambda: any(words in each.text for each in self.dms), timeout=timeout)
        return [each for each in self.dms if words in each.text][-1]

    def sees(self, channel: "Channel") -> list[Posted]:
        """What they see in the channel, ephemeral notes to them included."""
        world = self._hub.world
        shown = [each for each in channel.record.messages.values() if sees_message(world, self.user, each)]
        return [Posted(self._hub, each, self.user) for each in shown]

    def can_see(self, channel: "Channel") -> bool:
        return sees_channel(self._hub.world, self.user, channel.record)


def _plain_all(options: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in options.items()}


class Channel:
    """A channel of a guild."""

    def __init__(self, hub: Hub, record: ChannelRecord) -> None:
        self._hub = hub
        self.record = record
        self.id = record.id
        self.name = record.name
        self.mention = record.mention

    @property
    def messages(self) -> list[Posted]:
        """What everybody in the channel sees, oldest first."""
        shown = [each for each in self.record.messages.values() if each.seen_by is None]
        return [Posted(self._hub, each) for each in shown]

    def delete(self) -> None:
        if self.record.guild is not None:
            self._hub.world.remove_channel(self.record.guild, self.record)

    def set_permissions(self, target: "Role | Person", *, allow: Asked = 0, deny: Asked = 0) -> None:
        """Set the channel's overwrite for a role (`guild.everyone` too) or a member."""
        if self.record.guild is not None:
            overwrite = Overwrite(target.id, isinstance(target, Person), bits(allow), bits(deny))
            self._hub.world.set_overwrite(self.record.guild, self.record, overwrite)
