"""License keys and API keys: made, tidied, checked and masked.

A license key is `ABCD-EFGH-IJKL-MNOP`: fifteen symbols from a CSPRNG over an alphabet without look-alikes
(31 symbols, so 74 bits) and one check symbol. Positions are weighted 1 to 16 modulo the prime 31, so every
single wrong symbol and every swap of two symbols changes the sum. The check only words a miss; it never
decides a lookup.
"""

import hashlib
import unicodedata
from collections.abc import Callable
from functools import cache

RandomBytes = Callable[[int], bytes]

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
API_KEY_START = "kp_live_"
API_KEY_SYMBOLS = 64
API_KEY_LENGTH = len(API_KEY_START) + API_KEY_SYMBOLS
API_KEY_PREFIX_LENGTH = len(API_KEY_START) + 4
KEY_LENGTH = 16  # symbols of a license key of ours, without its dashes
LICENSE_KEY_MAX_LENGTH = 256
PREFIX_LENGTH = 4
SUPPORT_CODE_LENGTH = 8

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DRAWN = KEY_LENGTH - 1  # the last symbol checks the others
_MINUS_SIGN = "\u2212"
_INVERSE_OF_LAST_WEIGHT = pow(KEY_LENGTH, -1, len(ALPHABET))
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}
_UNBIASED = 248  # the largest multiple of both 31 and 62 below 256: bytes from here on are thrown away
_BIASED = bytes(range(_UNBIASED, 256))


def make_license_key(random_bytes: RandomBytes) -> str:
    """Return a new key as people see it, `ABCD-EFGH-IJKL-MNOP`."""
    return make_license_keys(1, random_bytes)[0]


def make_license_keys(count: int, random_bytes: RandomBytes) -> list[str]:
    """Return so many new keys, from one draw of chance."""
    drawn = _symbols(ALPHABET, count * _DRAWN, random_bytes)
    return [_with_check(drawn[start : start + _DRAWN]) for start in range(0, len(drawn), _DRAWN)]


def make_api_key(random_bytes: RandomBytes) -> str:
    """Return a new product key, `kp_live_` and 64 characters (381 bits)."""
    return API_KEY_START + _symbols(_BASE62, API_KEY_SYMBOLS, random_bytes)


def make_support_code(random_bytes: RandomBytes) -> str:
    """Return the code of a refusal, `ABCD-EFGH`: short enough to be read out, and no key."""
    text = _symbols(ALPHABET, SUPPORT_CODE_LENGTH, random_bytes)
    return f"{text[:4]}-{text[4:]}"


def api_key_digest(api_key: str) -> bytes:
    """Return what is stored in place of an API key: with 381 random bits a plain SHA-256 is enough."""
    return hashlib.sha256(api_key.encode("utf-8", "surrogatepass")).digest()


def tidy(text: str) -> str:
    """Return a typed key without case, spaces and dashes of any kind: what is hashed and compared."""
    if text.isascii():
        return "".join(text.split()).replace("-", "").upper()
    folded = unicodedata.normalize("NFKC", text).upper()
    kept = "".join(symbol for symbol in folded if not symbol.isspace() and not _is_dash_or_unseen(symbol))
    return unicodedata.normalize("NFKC", kept)  # again: capitals of some letters come apart


def display(tidied: str) -> str:
    """Return a tidied key of ours in groups of four; any other shape as it is."""
    if len(tidied) != KEY_LENGTH:
        return tidied
    return "-".join(tidied[start : start + 4] for start in range(0, KEY_LENGTH, 4))


def looks_mistyped(text: str) -> bool:
    """Tell whether a key has the shape of ours, but a symbol that ours never hold or a check that is off."""
    tidied = tidy(text)
    if len(tidied) != KEY_LENGTH or not tidied.isalnum():
        return False
    if not all(symbol in _VALUES for symbol in tidied):
        return True
    return _weighted_sum(tidied) % len(ALPHABET) != 0


def _is_dash_or_unseen(symbol: str) -> bool:
    """Tell what comes along with a copied key: dashes, and marks without width such as a byte order mark."""
    return symbol == _MINUS_SIGN or unicodedata.category(symbol) in {"Pd", "Cf"}


def _weighted_sum(symbols: str) -> int:
    return sum(weight * _VALUES[symbol] for weight, symbol in enumerate(symbols, start=1))


def _with_check(body: str) -> str:
    check = -_weighted_sum(body) * _INVERSE_OF_LAST_WEIGHT % len(ALPHABET)
    return display(body + ALPHABET[check])


def _symbols(alphabet: str, count: int, random_bytes: RandomBytes) -> str:
    found = ""
    while len(found) < count:
        found += random_bytes(count).translate(_table_of(alphabet), delete=_BIASED).decode("ascii")
    return found[:count]


@cache
def _table_of(alphabet: str) -> bytes:
    return bytes(ord(alphabet[byte % len(alphabet)]) for byte in range(256))
