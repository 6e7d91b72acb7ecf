"""What is asked before a command does what is hard to take back."""

import sys

import typer

from bot.commands.options import Refused
from i18n import gettext as _


def agreed(question: str) -> bool:
    """Ask a question that is answered with yes or no; no answer is a no."""
    yes = {"y", "yes", *_("y yes").split()}  # every answer that agrees, with blanks between
    return answer(_("{question} [y/N]").format(question=question)).casefold() in yes


def answer(question: str) -> str:
    """Ask on standard error, which is not what a command puts out; no answer is an empty one."""
    typer.echo(f"{question} ", err=True, nl=False)
    return sys.stdin.readline().strip()


def require(agreed: bool) -> None:  # noqa: FBT001 - an answer is all there is to pass
    """End the command unless the operator agreed.

    Raises: Refused.
    """
    if not agreed:
        raise Refused(_("Nothing was changed."))
