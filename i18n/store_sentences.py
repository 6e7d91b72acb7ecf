"""What is said where a store refuses to open: what is wrong and what to do."""

from collections.abc import Mapping

from i18n import N_

# The keys are codes of `storage.errors.StoreRefused`, which may not be imported here.
STORE_SENTENCES: Mapping[str, str] = {
    "database_newer": N_(
        "The database {path} was written by a newer KeyPort (it has version {found}); "
        "install that version or newer, or restore a backup."
    ),
    "database_older": N_(
        "The database {path} is of an older version ({found}, needed: {needed}); run `keyport migrate`."
    ),
    "database_unreadable": N_(
        "The database {path} cannot be opened; check that it is a KeyPort database and that this user may write it."
    ),
    "database_in_use": N_("The database {path} is in use by another process; stop that one first."),
    "sqlite_too_old": N_(
        "This Python's SQLite is too old ({found}, needed: {needed}); use a newer Python or a newer SQLite."
    ),
    "key_file_missing": N_(
        "The key file {path} is missing, and the database cannot be read without it; restore it from your backup."
    ),
    "key_file_wrong": N_(
        "The key file {path} does not belong to this database; restore the right one from your backup."
    ),
    "key_file_unreadable": N_(
        "The key file {path} cannot be read by this user; give it to the user that KeyPort runs as."
    ),
    "key_file_exposed": N_(
        "The key file {path} can be read by other users; make it readable by its owner alone (chmod 600)."
    ),
    "key_file_damaged": N_("The key file {path} is damaged; restore it from your backup."),
}
