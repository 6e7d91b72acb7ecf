"""Every refusal has its sentence, and what a person typed cannot spoil it."""

import re
from collections.abc import Iterator

import pytest

from i18n.refusals import BLANK_SENTENCES, SENTENCES, STORE_SENTENCES, explain, sentence
from licensing import errors, input_errors
from licensing.choices import Permission
from licensing.ports import Unavailable


def _refusals(base: type[errors.Refusal] = errors.Refusal) -> Iterator[type[errors.Refusal]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _refusals(kind)


def test_every_refusal_has_a_sentence_and_every_sentence_a_refusal():
    assert set(SENTENCES) == set(_refusals())


@pytest.mark.parametrize("kind", SENTENCES, ids=lambda kind: kind.code)
def test_a_sentence_needs_only_the_data_that_its_refusal_documents(kind):
    asked = set(re.findall(r"{(\w+)}", SENTENCES[kind]))
    documented = set(re.findall(r"`(\w+)`", kind.__doc__))

    assert asked <= documented | {"text", "limit", "limit_days", "seconds", "name", "permission", "count"}
    assert "{" not in explain(kind(**dict.fromkeys(asked, "x")))
    assert explain(kind(**dict.fromkeys(asked, "x"))).endswith(".")


@pytest.mark.parametrize("code", STORE_SENTENCES)
def test_a_store_that_refuses_to_open_is_explained_by_its_code(code):
    refused = Exception(code)
    refused.code, refused.data = code, {"path": "data/x.db", "found": "9", "needed": "7"}

    assert "{" not in explain(refused)


def test_an_unreachable_store_says_that_nothing_was_changed():
    assert "nothing was changed" in explain(Unavailable())


def test_what_was_typed_is_shown_short_flat_and_inside_its_backticks():
    typed = "`@everyone`\n**x**\x00" + "é" * 10_000

    shown = explain(input_errors.ExpiryInvalid(text=typed))

    assert len(shown) < 250
    assert "\n" not in shown
    assert "\x00" not in shown
    assert shown.count("`") % 2 == 0
    assert "`'@everyone' **x**" in shown


@pytest.mark.parametrize("kind", BLANK_SENTENCES, ids=lambda kind: kind.code)
@pytest.mark.parametrize("typed", ["", "  \n\u3000"])
def test_blanks_are_not_repeated_but_told_what_to_type(kind, typed):
    said = explain(kind(text=typed))

    assert said.startswith("Type a")
    assert "``" not in said
    assert "{" not in said


def test_braces_that_somebody_typed_are_shown_and_not_filled_in():
    assert "{limit} {0!r}" in explain(input_errors.EmailInvalid(text="{limit} {0!r}"))


@pytest.mark.parametrize("what", ["products", "licenses"])
def test_a_plan_that_is_full_names_what_it_is_full_of(what):
    refusal = errors.LimitReached(limit=10, what=what)

    assert f"allows 10 {what}, and all are used" in explain(refusal)


def test_a_permission_is_shown_by_its_code():
    refusal = errors.NotAllowed(permission=Permission.LICENSES_REVOKE)

    assert "`licenses:revoke`" in explain(refusal)


def test_a_key_that_was_typed_is_not_repeated():
    assert "ABCD" not in explain(errors.LicenseNotFound(text="ABCD-EFGH-JKMN-PQRS"))


def test_a_bug_has_no_sentence():
    assert sentence(ValueError("x")) is None
    with pytest.raises(LookupError):
        explain(ValueError("x"))
