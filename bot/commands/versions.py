"""Which version this is."""

import platform
from importlib import metadata

from i18n import gettext as _


def program_version() -> str:
    """Return the version of the installed distribution."""
    return metadata.version("keyport-discord")


def described() -> str:
    """Return the version as a person wants it in a report."""
    return _("KeyPort for Discord {version} (Python {python}, {system})").format(
        version=program_version(), python=platform.python_version(), system=platform.system()
    )
