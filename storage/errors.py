"""Why a database is not opened: a code and data; `i18n.refusals` holds the sentences."""

from typing import Any


class StoreRefused(Exception):  # noqa: N818 - an answer to the operator, not a fault of the program
    """The database or its key file cannot be used as they are; nothing was changed.

    Codes: database_newer, database_older, database_in_use, database_unreadable, sqlite_too_old, url_unsupported,
    key_file_missing, key_file_unreadable, key_file_wrong, key_file_exposed, key_file_damaged.
    """

    def __init__(self, code: str, **data: Any) -> None:
        super().__init__(code)
        self.code = code
        self.data = data
