"""Names and notes that people typed are shown as they are, and nothing in them comes alive."""

import re

import pytest

from cogs.ui import words

# What a client turns into something else: links, pings, channels, times, commands, emoji, places of the server.
ALIVE = re.compile(r"https?://|<(?:[@#/:]|a:|t:|id:)|@(?:everyone|here)|discord\.gg/|\n")

INERT = [
    "https://evil.example/a_b",
    "HTTP://evil.example",
    "<https://evil.example>",
    "[free\nkeys](https://evil.example)",
    "[free keys](<https://evil.example>)",
    "discord.gg/evil",
    "<#123456789012345678>",
    "<@123456789012345678>",
    "<@&123456789012345678>",
    "<t:0:R>",
    "</claim:123456789012345678>",
    "<:a:123456789012345678>",
    "<a:b:123456789012345678>",
    "<id:guide>",
    "@everyone",
    "one\r\n# two\u2028three",
    "<<t:0:R>>",
    "<\u202e#123456789012345678>",
]


@pytest.mark.parametrize("typed", INERT)
def test_nothing_that_somebody_typed_comes_alive(typed: str):
    shown = words.plain(typed)

    assert not ALIVE.search(shown)
    assert shown.splitlines() == [shown]


@pytest.mark.parametrize("typed", INERT)
def test_what_is_made_inert_still_reads_as_it_was_typed(typed: str):
    visible = re.sub("[\u200b\u202e\\\\]", "", words.plain(typed))

    assert visible == " ".join(typed.replace("\u202e", "").split())


@pytest.mark.parametrize("name", ["Nightfall Pro 2", "I <3 you", "a < b", "R:C / 7", "كلب 💎", "日本語"])
def test_an_ordinary_name_is_left_alone(name: str):
    assert words.plain(name).strip("\u2068\u2069") == name


@pytest.mark.parametrize("typed", ["**b**", "_i_", "`c`", "~~s~~", "||h||", "# t", "> q", "-# s", "- l", "[a](b)"])
def test_markdown_is_escaped(typed: str):
    assert words.plain(typed).startswith("\\")


@pytest.mark.parametrize("limit", range(1, 30))
def test_a_cut_leaves_nothing_half_escaped(limit: int):
    shown = words.plain("**<#1>** https://x" * 3, limit)

    assert len(shown) <= limit
    assert not ALIVE.search(shown)
    assert not shown.removesuffix("…").endswith("\\")
