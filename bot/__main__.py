"""The program `keyport`: runs one command and turns whatever goes wrong into a line and an exit code.

0 done; 1 a fault of the program, with a reference that the log also carries; 2 refused, with a sentence that
says what to do; 128 and more, stopped by a signal.
"""

import secrets
import sys

import typer
from typer.exceptions import TyperException

from bot.commands.line import build
from i18n import gettext as _

FAULT, REFUSED, INTERRUPTED = 1, 2, 130


def main() -> None:
    """Run the command that was typed, then leave with its exit code."""
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    try:
        code = build()(arguments, prog_name="keyport", standalone_mode=False)
    except TyperException as error:
        return _tell(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last door: behind it is only Python's traceback
        return _explain(error)
    return code if isinstance(code, int) else 0


def _explain(error: Exception) -> int:
    from bot.commands.refusals import sentence_for  # noqa: PLC0415 - only an error waits for what this imports

    sentence = sentence_for(error)
    if sentence:
        return _tell(sentence, REFUSED)
    reference = secrets.token_hex(4)
    _log_fault(error, reference)
    return _tell(
        _("KeyPort stopped because of a fault of its own; please report it with reference {reference}.").format(
            reference=reference
        ),
        FAULT,
    )


def _log_fault(error: Exception, reference: str) -> None:
    import structlog  # noqa: PLC0415 - as above

    from bot import log  # noqa: PLC0415 - as above

    if not structlog.is_configured():
        log.configure(level="info", format="console")
    structlog.get_logger("bot").critical("unexpected error", reference=reference, exc_info=error)


def _tell(sentence: str, code: int) -> int:
    typer.echo(sentence, err=True)
    return code


if __name__ == "__main__":
    main()
