"""Commands about the stored data, and what they tell the operator: `migrate`, `backup`, `restore`."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import typer

from bot import maintenance
from bot.commands import passphrase
from bot.commands.options import Refused
from bot.config import Database
from bot.maintenance import Contents, Unpacked
from i18n import gettext as _
from i18n import ngettext

_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000


def migrate(database: Database) -> None:
    """Bring the database to this version and say where the copy of the old one is."""
    with _on_files(database):
        if not database.path.exists():
            typer.echo(_("There is nothing to do: {file} does not exist yet.").format(file=database.path))
            return
        if not maintenance.needs_migration(database):
            typer.echo(_("There is nothing to do: the database is up to date."))
            return
        _refuse_in_use(database)
        migrated = maintenance.migrate(database)
    typer.echo(_("The database is now at revision {revision}.").format(revision=migrated.report.to_revision))
    typer.echo(_("How it was before: {file}").format(file=migrated.backup))


def backup(database: Database, target: Path, *, overwrite: bool, program_version: str) -> None:
    """Write one archive and say what it holds."""
    file = target / f"keyport-{_stamp()}.backup" if target.is_dir() else target
    with _on_files(database):
        refuse_missing(database)
        if not file.parent.is_dir():
            raise Refused(_("The folder {folder} does not exist; create it first.").format(folder=file.parent))
        if file.exists() and not overwrite:
            raise Refused(_("{file} is there already; choose another name, or add --overwrite.").format(file=file))
        secret = passphrase.choose(os.environ)
        contents = maintenance.back_up(
            database, file, passphrase=secret, created_at_ms=_now_ms(), program_version=program_version
        )
    typer.echo(_("{file} holds {counts}.").format(file=file, counts=_counted(contents)))
    typer.echo(_("Keep the passphrase elsewhere: nobody can read the backup without it."))


def restore(database: Database, archive: Path, *, ask: bool) -> None:
    """Show what the archive holds, ask, put it in place and say where the old files are."""
    with _on_files(database):
        if not archive.is_file():
            raise Refused(_("{file} is not a file; name an archive.").format(file=archive))
        _refuse_in_use(database)
        secret = passphrase.recall(os.environ)
        with maintenance.unpacked(archive, database, passphrase=secret) as found:
            typer.echo(_described(found))
            if ask:
                _ask(database)
            # Somebody may have started KeyPort while the question stood there.
            _refuse_in_use(database)
            kept = maintenance.replace(database, found.files, stamp=_stamp())
    typer.echo(_("Restored: {file}").format(file=database.path))
    for old in kept:
        typer.echo(_("Kept aside: {file}").format(file=old))


@contextmanager
def _on_files(database: Database) -> Iterator[None]:
    """Leave no half-done work on disk, and turn the system's word about a file into a refusal."""
    # A plain stop by the system runs the same clean-up as Ctrl-C: no copy in clear is left behind.
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(128 + signal.SIGTERM))
    try:
        maintenance.tidy_up(database)
        yield
    except OSError as error:
        if error.strerror is None:
            raise
        where = error.filename or _("The disk")
        raise Refused(_("{file}: {reason}.").format(file=where, reason=error.strerror)) from error


def _refuse_in_use(database: Database) -> None:
    if maintenance.is_in_use(database):
        raise Refused(_("{file} is in use; stop KeyPort first, then try again.").format(file=database.path))


def refuse_missing(database: Database) -> None:
    """Refuse to work on a store that is not there: a mistyped address must not make a new one."""
    for file in (database.path, database.key_path):
        if not file.exists():
            raise Refused(
                _("{file} does not exist; set database.url and database.key_file to what KeyPort uses.").format(
                    file=file
                )
            )


def _ask(database: Database) -> None:
    if maintenance.pair(database).exists():
        question = _("Put it in the place of {file}? The old files are kept aside.")
    else:
        question = _("Restore it to {file}?")
    try:
        agreed = typer.confirm(question.format(file=database.path), err=True)
    except typer.Abort:
        typer.echo(err=True)
        raise Refused(_("Nothing was changed: answer the question, or add --yes.")) from None
    if not agreed:
        raise Refused(_("Nothing was changed."))


def _described(found: Unpacked) -> str:
    made = datetime.fromtimestamp(found.manifest.created_at_ms / 1000, UTC)
    return _("A backup of {date} UTC ({age}), made by KeyPort {version}: {counts}.").format(
        date=f"{made:%Y-%m-%d %H:%M}",
        age=_age(_now_ms() - found.manifest.created_at_ms),
        version=found.manifest.program_version,
        counts=_counted(found.contents),
    )


def _counted(contents: Contents) -> str:
    parts = (
        ngettext("{count} organization", "{count} organizations", contents.organizations).format(
            count=contents.organizations
        ),
        ngettext("{count} product", "{count} products", contents.products).format(count=contents.products),
        ngettext("{count} license", "{count} licenses", contents.licenses).format(count=contents.licenses),
    )
    return ", ".join(parts)


def _age(age_ms: int) -> str:
    if age_ms >= 2 * _DAY_MS:
        return _("{count} days ago").format(count=age_ms // _DAY_MS)
    if age_ms >= 2 * _HOUR_MS:
        return _("{count} hours ago").format(count=age_ms // _HOUR_MS)
    if age_ms >= 2 * _MINUTE_MS:
        return _("{count} minutes ago").format(count=age_ms // _MINUTE_MS)
    return _("just now")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
