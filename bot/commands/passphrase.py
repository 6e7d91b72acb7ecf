"""Asking for the passphrase of a backup: from the environment for timers, else hidden, at the terminal."""

import getpass
import sys
from collections.abc import Mapping

from bot.commands.options import Refused
from bot.config_sources import PASSPHRASE
from i18n import gettext as _

MIN_LENGTH = 12


def choose(environ: Mapping[str, str]) -> str:
    """Return a passphrase for a new backup, asked for twice."""
    passphrase = environ.get(PASSPHRASE) or _asked(_("Passphrase for this backup: "))
    if len(passphrase) < MIN_LENGTH:
        raise Refused(
            _("The passphrase must have at least {length} characters; choose a longer one.").format(length=MIN_LENGTH)
        )
    if PASSPHRASE not in environ and passphrase != _asked(_("The same once more: ")):
        raise Refused(_("The two passphrases differ; nothing was written, try again."))
    return passphrase


def recall(environ: Mapping[str, str]) -> str:
    """Return the passphrase a backup was made with."""
    return environ.get(PASSPHRASE) or _asked(_("Passphrase of this backup: "))


def _asked(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise Refused(_("There is no terminal to ask for the passphrase on; set {name}.").format(name=PASSPHRASE))
    return getpass.getpass(prompt)
