"""License keys and API keys: their shape, what a typo does, and what people may see of them."""

import re
from collections import Counter

import pytest
from factories import fixed_bytes, seeded_bytes
from hypothesis import given
from hypothesis import strategies as st

from licensing import keys
from licensing.keys import (
    ALPHABET,
    API_KEY_PREFIX_LENGTH,
    api_key_digest,
    display,
    looks_mistyped,
    make_api_key,
    make_license_key,
    tidy,
)

ours = st.binary(min_size=400, max_size=400).map(lambda chance: make_license_key(fixed_bytes(chance, bytes(64))))
symbols = st.sampled_from(ALPHABET)
positions = st.integers(0, 15)
anything = st.one_of(
    st.text(),
    st.text(st.characters(codec=None, categories=None), max_size=40),
    st.text(st.sampled_from("ABab09 -\u2010\u2011\u2013\u2014\u2212\u00ad\u200b\uff21\uff0d\u0390\u0301\ud800\x00")),
)


@given(key=ours, position=positions, symbol=symbols)
def test_every_single_wrong_symbol_is_caught(key: str, position: int, symbol: str):
    right = tidy(key)
    wrong = right[:position] + symbol + right[position + 1 :]
    assert looks_mistyped(wrong) == (wrong != right)


@given(key=ours, one=positions, other=positions)
def test_every_swap_of_two_different_symbols_is_caught(key: str, one: int, other: int):
    right = tidy(key)
    swapped = list(right)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    assert looks_mistyped("".join(swapped)) == ("".join(swapped) != right)


@given(key=ours, position=positions, symbol=st.sampled_from("01IOLilo\u0410\u00c9"))
def test_a_symbol_that_no_key_holds_is_caught_as_a_typo(key: str, position: int, symbol: str):
    right = tidy(key)
    assert looks_mistyped(right[:position] + symbol + right[position + 1 :])


def test_every_wrong_symbol_and_every_swap_of_one_key_is_caught_without_exception():
    right = tidy(make_license_key(seeded_bytes()))
    wrong = {right[:at] + symbol + right[at + 1 :] for at in range(16) for symbol in ALPHABET} - {right}
    for one in range(16):
        for other in range(one):
            swapped = list(right)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            wrong |= {"".join(swapped)} - {right}
    assert len(wrong) > 16 * 30
    assert [key for key in wrong if not looks_mistyped(key)] == []


@pytest.mark.parametrize("text", ["", "hello", "ORDER-12345", "ABCD-EFGH-JKMN", "A" * 17, "9f3c!2-x$"])
def test_a_text_of_another_shape_is_never_called_a_typo(text: str):
    assert not looks_mistyped(text)


@given(ours)
def test_a_license_key_is_four_groups_of_four_without_look_alikes(key: str):
    assert re.fullmatch(rf"([{ALPHABET}]{{4}}-){{3}}[{ALPHABET}]{{4}}", key)
    assert not set(key) & set("01ILO")
    assert not looks_mistyped(key)


def test_two_draws_of_chance_make_two_keys():
    chance = seeded_bytes()
    assert len({make_license_key(chance) for _ in range(200)}) == 200


@pytest.mark.parametrize("alphabet", [keys.ALPHABET, keys._BASE62])
def test_every_symbol_is_as_likely_as_any_other(alphabet: str):
    """Every byte value once, ahead those that would favour the first symbols."""
    chance = fixed_bytes(bytes(range(248, 256)), bytes(range(248)))
    drawn = Counter(keys._symbols(alphabet, 248, chance))
    assert drawn == dict.fromkeys(alphabet, 248 // len(alphabet))


def test_bytes_that_would_favour_a_symbol_are_thrown_away_and_drawn_again():
    assert make_license_key(fixed_bytes(b"\xff" * 40 + b"\xf8" * 40, bytes(64))) == "2222-2222-2222-2222"


def test_an_api_key_is_its_start_and_64_letters_and_digits():
    key = make_api_key(seeded_bytes())
    assert re.fullmatch(r"kp_live_[0-9A-Za-z]{64}", key)
    assert len(key[:API_KEY_PREFIX_LENGTH]) == 12


def test_api_keys_that_differ_in_case_are_different_keys():
    key = make_api_key(seeded_bytes())
    assert len({api_key_digest(key), api_key_digest(key.swapcase()), api_key_digest(key + " ")}) == 3
    assert key.encode() not in api_key_digest(key)


@pytest.mark.parametrize(
    "typed",
    [
        "abcd-efgh-jkmn-pqr8",
        "ABCDEFGHJKMNPQR8",
        "  ABCD EFGH JKMN PQR8\n",
        "\tabcdEFGH  jkmn--pqr8 ",
        "ABCD\u2010EFGH\u2011JKMN\u2012PQR8",
        "ABCD\u2013EFGH\u2014JKMN\u2015PQR8",
        "ABCD\u2212EFGH\ufe63JKMN\uff0dPQR8",
        "ABCD\u00a0EFGH\u2009JKMN\u3000PQR8",
        "\ufeffABCD-EFGH\u200b-JKMN\u00ad-PQR8\u200d",
        "ＡＢＣＤ－ＥＦＧＨ－ＪＫＭＮ－ＰＱＲ８",  # noqa: RUF001 - what a full-width keyboard types
        "ａｂｃｄｅｆｇｈｊｋｍｎｐｑｒ８",  # noqa: RUF001 - the same in small letters
    ],
)
def test_however_it_is_typed_it_is_the_same_key(typed: str):
    assert tidy(typed) == "ABCDEFGHJKMNPQR8"


@given(anything)
def test_tidying_twice_changes_nothing(text: str):
    assert tidy(tidy(text)) == tidy(text)


def test_tidying_twice_changes_no_single_character_of_unicode():
    assert [hex(code) for code in range(0x110000) if tidy(tidy(chr(code))) != tidy(chr(code))] == []


@given(anything)
def test_a_tidied_key_holds_no_blank_and_no_dash_and_no_small_letter(text: str):
    tidied = tidy(text)
    assert not any(symbol.isspace() or symbol == "-" for symbol in tidied)
    assert not re.search("[a-z]", tidied)


@given(ours)
def test_a_key_survives_being_shown_and_typed_back(key: str):
    assert display(tidy(key)) == key


@given(anything)
def test_no_text_at_all_makes_the_key_functions_fail(text: str):
    assert isinstance(looks_mistyped(text), bool)
    assert isinstance(display(tidy(text)), str)
    assert len(api_key_digest(text)) == 32


@pytest.mark.parametrize("text", ["A" * 10_000, "\ufdfa" * 10_000, "\ud800" * 300, "\x00", "' OR 1=1 --", "🔑" * 16])
def test_hostile_text_is_only_text(text: str):
    assert tidy(tidy(text)) == tidy(text)
    assert len(api_key_digest(text)) == 32
