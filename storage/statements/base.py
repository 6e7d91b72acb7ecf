"""What every area's statements are made of."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from licensing.models import Record

R = TypeVar("R", bound=Record)
Row = Sequence[Any]


class Statement(NamedTuple):
    """One SQL text with its values by name; the driver answers with all rows.

    One that writes many rows says so, and the driver lets whoever waits for the processor go before the next one.
    """

    sql: str
    values: Mapping[str, Any] = {}
    writes_many: bool = False


def columns_of(record: type[Record], *, of: str = "") -> str:
    """Return a record's members as a list of columns, prefixed with a table's alias."""
    return ", ".join(f"{of}{name}" for name in record.model_fields)


def record_of(kind: type[R], row: Row, *, start: int = 0) -> R:
    """Return the record whose columns, in `columns_of`'s order, stand in a row from a place on."""
    return kind.model_validate(dict(zip(kind.model_fields, row[start:], strict=False)))


def first_of(kind: type[R], rows: Sequence[Row]) -> R | None:
    """Return the first row's record, if there is a row."""
    return record_of(kind, rows[0]) if rows else None


def like(text: str, *, starting: bool = False) -> str:
    r"""Return a LIKE pattern (ESCAPE '\') that finds a text, taken literally."""
    literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{literal}%" if starting else f"%{literal}%"
