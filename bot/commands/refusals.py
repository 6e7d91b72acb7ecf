"""The sentence for every error that an operator can mend, and for every refusal that staff would get."""

import sys
from collections.abc import Callable, Mapping

from bot.commands.options import Refused
from bot.config_sources import ConfigError
from i18n import gettext as _


def sentence_for(error: BaseException) -> str | None:
    """Return what to tell the operator; None if it is a fault of the program."""
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return sentence_for(error.exceptions[0])
    if isinstance(error, Refused | ConfigError):
        return str(error)
    return _of_a_file(error) or _of_the_archive(error) or _of_the_store(error)


def _of_a_file(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return _("{file}: {reason}.").format(file=error.filename, reason=error.strerror)
    return None


def _of_the_archive(error: BaseException) -> str | None:
    # Who was never imported raised nothing; and the last door must open without what may itself be broken.
    if "bot.archive" not in sys.modules:
        return None
    from bot import archive  # noqa: PLC0415 - see above

    sentences: Mapping[type[BaseException], Callable[[], str]] = {
        archive.NotAnArchive: lambda: _("This file is not a KeyPort backup; choose one that 'keyport backup' wrote."),
        archive.WrongPassphrase: lambda: _(
            "The passphrase is not the one this backup was made with; try again. Nothing was changed."
        ),
        archive.ArchiveDamaged: lambda: _(
            "The backup is damaged or cut short; use another one. Nothing was changed."
        ),
        archive.ArchiveNewer: lambda: _(
            "The backup was made by a newer KeyPort; install that version first. Nothing was changed."
        ),
        archive.ArchiveUnfit: lambda: _(
            "The database and the key file in this backup do not belong together; use another one. "
            "Nothing was changed."
        ),
    }
    sentence_of = sentences.get(type(error))
    return sentence_of() if sentence_of else None


def _of_the_store(error: BaseException) -> str | None:
    from i18n.refusals import sentence  # noqa: PLC0415 - as above

    found = sentence(error)
    # The marks are Discord's; a terminal shows them as they are.
    return found.replace("`", "'") if found is not None else None
