"""Tells the sandbox's story in the terminal: who does what, and what they are shown."""

import re
import sys
from datetime import UTC, datetime

from i18n import gettext as _
from sandbox.driver import Sandbox
from sandbox.places import Member
from sandbox.reply import Surface

_RELATIVE = re.compile(r" \(<t:\d+:R>\)")
_TIME = re.compile(r"<t:(\d+)(?::\w)?>")
_PERSON = re.compile(r"<@!?(\d+)>")
_DECORATION = re.compile(r"^(?:#{1,3} |-# )|\*\*|`")


class Narrator:
    """Writes what Discord's people see as plain lines of text."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def scene(self, who: Member, does: str) -> None:
        """Say who does something."""
        part = _("owner") if who.id == who.guild.owner.id else ", ".join(who.role_names) or _("buyer")
        say(f"\n{who.name} ({part})  {does}")

    def answer(self, shown: Surface) -> None:
        """Show what the bot answered, without Discord's marks for type and time."""
        for line in shown.text.splitlines():
            say(f"    │ {self._readable(line)}")

    def _readable(self, line: str) -> str:
        line = _DECORATION.sub("", _RELATIVE.sub("", line))
        line = _TIME.sub(lambda found: f"{datetime.fromtimestamp(int(found[1]), UTC):%Y-%m-%d %H:%M} UTC", line)
        return _PERSON.sub(lambda found: f"@{self._sandbox.hub.world.users[int(found[1])].name}", line)


def result(text: str) -> None:
    """Say what came of something."""
    say(f"    → {text}")


def say(line: str) -> None:
    """Write a line at once, though the output may be a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
