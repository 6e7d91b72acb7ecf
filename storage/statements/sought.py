"""What a search for licenses comes to in SQL: what it is driven by, what each row is held to, and how it goes on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from licensing.keys import ALPHABET, KEY_LENGTH, PREFIX_LENGTH, tidy
from licensing.ports import Search
from licensing.verdict import Status
from storage.statements.licenses import status_is
from storage.statements.strides import Source
from storage.statements.words import words_of

_WORDS = 8  # so many of those typed are looked up; a row is held to all of them
_READ = 64  # so many of those typed count: SQL does not nest without end
_LAST = "\U0010ffff"  # sorts after all that a word or a key can go on with
_LARGEST_ID = 2**63 - 1
_ID_LENGTH = len(str(_LARGEST_ID))
_MENTION = re.compile(r"<@!?(\d+)>", re.ASCII)  # what Discord puts for a member who is picked

_OF_ORGANIZATION = "l.organization_id = :organization"
_OF_PRODUCT = "l.product_id = :product AND l.state = '{state}'"
_HOLDER = "(SELECT id FROM customers WHERE organization_id = :organization AND discord_id = :{name})"
# The signs keep indexes of these columns out of it: rows are held to them, and come in the order of their ids.
_STATUS = status_is(
    enforced="+l.product_id IN (SELECT id FROM products WHERE organization_id = :organization AND enforce_expiry = 1)"
)
_ROW = "' ' || COALESCE(l.words, '') || ' ' || COALESCE(c.words, '') LIKE :like{n}"
_KEY_OF_ROW = (
    "EXISTS (SELECT 1 FROM license_keys k WHERE k.license_id = l.id"
    " AND k.prefix >= :prefix AND k.prefix < :prefix_end)"
)
_WORD = "organization_id = :organization AND word >= :word{n} AND word < :word{n}_end"
# One letter leads to a thirty-first of all keys, in the order of their ids; the index holds the whole prefix.
_BY_KEY = (
    "SELECT license_id FROM license_keys WHERE organization_id = :organization"
    " AND substr(prefix, 1, 1) = :first_letter AND prefix >= :prefix AND prefix < :prefix_end"
)


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed to find a license by: words, or else the start of a key or a Discord ID."""

    words: tuple[str, ...]
    prefix: str | None
    discord_id: int | None

    @classmethod
    def read(cls, text: str) -> "Typed":
        """Return what a text may mean."""
        mention = _MENTION.fullmatch(text)
        text = mention[1] if mention else text
        start = tidy(text)
        is_id = len(text) <= _ID_LENGTH and text.isascii() and text.isdigit() and int(text) <= _LARGEST_ID
        # A whole key is found by its digest or not at all: its start is that of others too. What cannot start a key
        # of ours is not looked for among them either, and nothing at all would match every key.
        is_start = 0 < len(start) < KEY_LENGTH and set(start) <= set(ALPHABET)
        prefix = start[:PREFIX_LENGTH] if is_start else None
        return cls(tuple((words_of(text) or "").split()[:_READ]), prefix, int(text) if is_id else None)

    @property
    def is_nothing(self) -> bool:
        """Whether no license can be meant."""
        return not (self.words or self.prefix) and self.discord_id is None

    @property
    def looked_up(self) -> int:
        """How many of the words are looked up."""
        return min(len(self.words), _WORDS)


def values_of(organization_id: int, sought: Search, typed: Typed) -> dict[str, Any]:
    """Return every value that the SQL made here may name."""
    values: dict[str, Any] = {
        "organization": organization_id,
        "product": sought.product_id,
        "status": sought.status,
        "now": sought.now_ms,
        "license": sought.license_id,
        "holder": sought.holder_id,
        "before": sought.before_id,
        "after": sought.after_id,
        "first_letter": typed.prefix and typed.prefix[0],
        "prefix": typed.prefix,
        "prefix_end": f"{typed.prefix}{_LAST}",
        "discord": typed.discord_id,
    }
    for n, word in enumerate(typed.words):
        values |= {f"like{n}": f"% {word}%", f"word{n}": word, f"word{n}_end": word + _LAST}
    return values


def drivers(sought: Search) -> list[str]:
    """Return conditions that an index answers in the order of ids: together all that is sought, and nothing twice."""
    if sought.license_id is not None:
        return ["l.id = :license"]
    if sought.holder_id is not None:
        return [f"l.customer_id = {_HOLDER.format(name='holder')}"]
    if sought.status is Status.NOT_CLAIMED:
        return [f"{_OF_ORGANIZATION} AND l.customer_id IS NULL"]
    if sought.status is Status.EXPIRED:
        # Ends that were noticed, and those that were not yet or that nobody enforces.
        due = "l.expires_at_ms IS NOT NULL AND l.expired_at_ms IS NULL AND l.expires_at_ms <= :now"
        return [f"{_OF_ORGANIZATION} AND {each}" for each in ("l.expired_at_ms IS NOT NULL", due)]
    is_stopped = sought.status in (Status.REVOKED, Status.SUSPENDED)
    if sought.product_id is not None:
        states = ("active", "suspended", "revoked") if sought.status is None else ("active",)
        return [_OF_PRODUCT.format(state=state) for state in ((str(sought.status),) if is_stopped else states)]
    return [f"{_OF_ORGANIZATION} AND l.state <> 'active' AND l.state = :status" if is_stopped else _OF_ORGANIZATION]


def is_filtered(sought: Search) -> bool:
    """Tell whether more is asked of a license than its text."""
    return any(each is not None for each in (sought.license_id, sought.product_id, sought.status, sought.holder_id))


def held_to(sought: Search) -> str:
    """Return what every row must be, whatever found it."""
    conditions = ["+l.organization_id = :organization"]
    if sought.license_id is not None:
        conditions.append("+l.id = :license")
    if sought.product_id is not None:
        conditions.append("+l.product_id = :product")
    if sought.status is Status.ACTIVE:
        # What is not makes long runs: most of it is told by the license's own row.
        conditions.append("l.state = 'active' AND +l.customer_id IS NOT NULL")
    if sought.status is not None:
        conditions.append(_STATUS)
    if sought.holder_id is not None:
        conditions.append(f"+l.customer_id = {_HOLDER.format(name='holder')}")
    return " AND ".join(conditions)


def text_of_row(typed: Typed) -> str:
    """Return what a row is that was typed: all the words, or one of the rest."""
    ways = [" AND ".join(_ROW.format(n=n) for n in range(len(typed.words)))] if typed.words else []
    if typed.prefix is not None:
        ways.append(_KEY_OF_ROW)
    if typed.discord_id is not None:
        ways.append("c.discord_id = :discord")
    return f"({' OR '.join(ways)})"


def size_of_word(n: int) -> str:
    """Return how many licenses have one of the words, up to a bound."""
    return f"(SELECT COUNT(*) FROM (SELECT 1 FROM license_words WHERE {_WORD.format(n=n)} LIMIT :most) w{n})"


def spellings_of(typed: Typed) -> str:
    """Return SQL for the whole words that each of those typed is the start of, so many at most: place and word.

    From each word it goes to the next one, however many licenses have it.
    """
    first = "(SELECT word FROM license_words WHERE {word} ORDER BY word LIMIT 1)"
    each = (f"SELECT {n}, {first.format(word=_WORD.format(n=n))}, :word{n}_end, 1" for n in range(typed.looked_up))
    return f"""WITH RECURSIVE spelled(n, word, word_end, place) AS ({" UNION ALL ".join(each)} UNION ALL
 SELECT n, (SELECT w.word FROM license_words w WHERE w.organization_id = :organization AND w.word > spelled.word
  AND w.word < spelled.word_end ORDER BY w.word LIMIT 1), word_end, place + 1
 FROM spelled WHERE word IS NOT NULL AND place < :most) SELECT n, word FROM spelled WHERE word IS NOT NULL"""


def with_start(n: int) -> Source:
    """Return the licenses that have a word which starts as one of those typed does."""
    return Source(f"SELECT license_id FROM license_words WHERE {_WORD.format(n=n)}", "license_id")


def with_whole(names: Sequence[str]) -> Source:
    """Return the licenses that have one of some whole words, each named by its value."""
    named = ", ".join(f":{name}" for name in names)
    condition = f"word IN ({named})" if len(names) > 1 else f"word = {named}"
    return Source(
        f"SELECT license_id FROM license_words WHERE organization_id = :organization AND {condition}", "license_id"
    )


def others_of(typed: Typed) -> list[Source]:
    """Return the licenses that are meant without their words: by the start of a key, or by the holder."""
    others = [Source(_BY_KEY, "license_id")] if typed.prefix is not None else []
    if typed.discord_id is not None:
        others.append(Source(f"SELECT id FROM licenses WHERE customer_id = {_HOLDER.format(name='discord')}", "id"))
    return others


def that_fit(sought: Search) -> list[Source]:
    """Return licenses among which are all that fit what is asked beside the text, where an index leads to them."""
    ways = drivers(sought)
    if sought.status is Status.EXPIRED or ways == [_OF_ORGANIZATION]:  # in the order of their ends, or all there are
        return []
    return [Source(f"SELECT l.id FROM licenses l WHERE {way}", "l.id") for way in ways]


def ids_of(typed: Typed, words: Sequence[Source], window: str = "") -> str:
    """Return the ids of licenses that are in all of these, or have the start of the key, or the holder."""
    by_words = " INTERSECT ".join(word.within(window) for word in words)
    ids = " UNION ".join([*filter(None, [by_words]), *(other.within(window) for other in others_of(typed))])
    # Sets that come in an order are merged as they are read, others are built up first.
    return f"{ids} ORDER BY 1"


def window_of(sought: Search) -> str:
    """Return where a page goes on, the id's name left open."""
    if sought.after_id is not None:
        return " AND {id} > :after"
    return " AND {id} < :before" if sought.before_id is not None else ""
