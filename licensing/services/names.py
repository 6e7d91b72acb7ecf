"""What people call things, as it is kept."""

from collections.abc import Callable

from licensing.errors import Refusal


def tidy_name(name: str, *, limit: int, refusal: Callable[..., Refusal]) -> str:
    """Return a name without stray blanks, or raise the refusal of one that cannot be kept."""
    tidied = " ".join(name.split())
    if not tidied or len(tidied) > limit or not tidied.isprintable():
        raise refusal(limit=limit)
    return tidied
