"""`keyport export`: every license with its whole key, as a table for people or as JSON for programs."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import typer

from bot.commands.operator import Desk, run_at_desk, tell
from bot.commands.options import Format, Refused
from bot.config import Config
from i18n import gettext as _
from i18n import ngettext
from licensing.services.finder import Exported
from licensing.spreadsheet import csv_of, row_of


def export(
    config: Config, target: Path | None, *, server: str | None, product: str | None, form: Format | None
) -> None:
    """Write every license to a new file, or to standard output."""
    form = form or (Format.JSON if target and target.suffix.lower() == ".json" else Format.CSV)

    async def work(desk: Desk) -> Sequence[Exported]:
        return await desk.finder.export(desk.by, product=product)

    with _opened(target, form) as file:
        found = run_at_desk(config, server, work)
        _WRITERS[form]([row_of(it.view, key=it.key, status=it.status) for it in found], file)
    counted = ngettext("{count} license", "{count} licenses", len(found)).format(count=len(found))
    tell(
        _("Exported: {counted}, with whole keys; keep this where only you can read it, and delete it soon.").format(
            counted=counted
        )
    )


@contextmanager
def _opened(target: Path | None, form: Format) -> Iterator[TextIO]:
    """Open a new file of its owner alone, gone again if it could not be filled; None is standard output."""
    if target is None or str(target) == "-":
        yield typer.get_text_stream("stdout")
        return
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(_("{file} is there already; choose another name.").format(file=target)) from None
    try:
        # Spreadsheets know UTF-8 by its mark at the start, as in the file that Discord gives; programs want none.
        encoding = "utf-8-sig" if form is Format.CSV else "utf-8"
        with os.fdopen(descriptor, "w", encoding=encoding, newline="") as file:
            yield file
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _write_csv(rows: Sequence[dict[str, Any]], file: TextIO) -> None:
    file.write(csv_of(rows))


def _write_json(rows: Sequence[dict[str, Any]], file: TextIO) -> None:
    json.dump(rows, file, ensure_ascii=False, indent=1)
    file.write("\n")


_WRITERS = {Format.CSV: _write_csv, Format.JSON: _write_json}
