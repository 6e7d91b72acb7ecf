"""The house rules that a test can hold: which way imports point, how large things get, what rules may not ask."""

import ast
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "cogs", "i18n", "licensing", "sandbox", "storage")
LINES_OF_A_FUNCTION = 40
LINES_OF_A_CLASS = 200
LINES_OF_A_MODULE = 300
ROOM_OF_THE_SANDBOX = 4 / 3  # a stand-in follows the order of Discord's reference, which is long
STILL_TOO_LARGE = {"tests/unit/test_usage.py": 314}  # may shrink, never grow; goes when it fits
MEDIAN_LINES_OF_A_FUNCTION = 12
ASKS_THE_WORLD = {  # time, chance and ids come into licensing as arguments
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "os.urandom",
    "uuid.uuid4",
    "uuid4",
    "urandom",
}
CHANCE = {"secrets", "random", "uuid", "time"}

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
CLASSES = (ast.ClassDef,)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@cache
def modules() -> dict[str, ast.Module]:
    """Return the tree of every module of ours by its path; migrations are a record, so they keep their shape."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    named = {path.relative_to(ROOT).as_posix(): path for path in paths}
    return {name: ast.parse(path.read_text("utf-8")) for name, path in named.items() if "/migrations/" not in name}


def definitions(kinds: tuple[type[Definition], ...]) -> Iterator[tuple[str, int]]:
    """Yield `path:line name` and the number of lines of each definition, decorators and all."""
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, kinds):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                yield f"{name}:{node.lineno} {node.name}", (node.end_lineno or first) - first + 1


def too_large(sizes: Iterable[tuple[str, int]], limit: int) -> list[tuple[str, int]]:
    """Return what has more lines than the house allows; in the sandbox only functions keep the house's limit."""
    sandbox = limit if limit == LINES_OF_A_FUNCTION else int(limit * ROOM_OF_THE_SANDBOX)
    return [(what, n) for what, n in sizes if n > (sandbox if what.startswith("sandbox/") else limit)]


def module_sizes() -> dict[str, int]:
    """Return the lines of every module, those of the tests with them: what guards the house has to be read too."""
    tests = (path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "tests").rglob("*.py")))
    return {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in (*modules(), *tests)}


def report(offenders: list[tuple[str, int]]) -> str:
    return "\n".join(f"{lines:5} lines: {what}" for what, lines in sorted(offenders, key=lambda o: -o[1]))


def test_every_package_is_looked_at():
    assert {name.split("/")[0] for name in modules()} == set(PACKAGES)


def test_imports_point_only_where_the_contracts_allow():
    check = "from importlinter.cli import lint_imports as lint; raise SystemExit(lint(no_cache=True, no_logo=True))"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_of_ours_stands_under_the_import_contracts_and_the_type_checker():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    assert set(settings["importlinter"]["root_packages"]) == set(PACKAGES)
    assert set(settings["mypy"]["packages"]) == set(PACKAGES)


def test_every_module_is_small_enough_to_read_whole():
    offenders = [
        (name, lines)
        for name, lines in too_large(module_sizes().items(), LINES_OF_A_MODULE)
        if lines > STILL_TOO_LARGE.get(name, 0)
    ]
    assert not offenders, "split by reason to change:\n" + report(offenders)


def test_a_module_that_fits_is_no_longer_excused():
    sizes = module_sizes()
    assert [name for name in STILL_TOO_LARGE if sizes.get(name, 0) <= LINES_OF_A_MODULE] == []


def test_every_function_is_small_enough_to_see_whole():
    offenders = too_large(definitions(FUNCTIONS), LINES_OF_A_FUNCTION)
    assert not offenders, f"more than {LINES_OF_A_FUNCTION} lines:\n" + report(offenders)


def test_every_class_is_small_enough_to_see_whole():
    offenders = too_large(definitions(CLASSES), LINES_OF_A_CLASS)
    assert not offenders, f"more than {LINES_OF_A_CLASS} lines:\n" + report(offenders)


def test_most_functions_are_short():
    lengths = [lines for _, lines in definitions(FUNCTIONS)]
    assert statistics.median(lengths) < MEDIAN_LINES_OF_A_FUNCTION


def test_the_first_line_of_every_module_says_what_it_owns():
    silent = [name for name, tree in modules().items() if tree.body and not ast.get_docstring(tree)]
    assert not silent, "no module docstring: " + ", ".join(silent)


def test_no_package_below_tests_can_shadow_one_of_ours():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_two_test_modules_share_a_name():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_licensing_never_asks_for_the_time_or_for_chance_itself():
    found = []
    for name, tree in modules().items():
        if name.startswith("licensing/"):
            found += [f"{name}:{line} {asked}" for line, asked in world_questions(tree)]
    assert not found, "take it as an argument: " + ", ".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "import secrets",
        "from secrets import token_bytes",
        "import time as t",
        "from uuid import uuid4",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndef f(): return datetime.now(UTC)",
        "from datetime import date\nclass A:\n    day = date.today()",
        "from os import urandom",
        "import os\nclock = os.urandom",
    ],
)
def test_the_search_for_time_and_chance_finds_them(source: str):
    assert list(world_questions(ast.parse(source)))


@pytest.mark.parametrize(
    "source", ["from datetime import UTC, datetime, time", "clock = self._clock\nnow_ms = clock()", "time.max"]
)
def test_the_search_for_time_and_chance_lets_the_innocent_pass(source: str):
    assert not list(world_questions(ast.parse(source)))


def world_questions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and name of whatever reads a clock or draws chance."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, item.name) for item in node.names if item.name in CHANCE)
        elif isinstance(node, ast.ImportFrom):
            names = [item.name for item in node.names if node.module in CHANCE or item.name in ASKS_THE_WORLD]
            yield from ((node.lineno, name) for name in names)
        elif isinstance(node, ast.Attribute):
            dotted = ".".join(ast.unparse(node).split(".")[-2:])
            if dotted in ASKS_THE_WORLD:
                yield node.lineno, dotted


@pytest.mark.parametrize(
    ("contract", "exempt"),
    [
        ("Only cogs and bot.client know discord", {"bot.client"}),
        ("Only bot.app, bot.house and bot.maintenance know storage", {"bot.app", "bot.house", "bot.maintenance"}),
    ],
)
def test_a_contract_names_every_module_of_bot_but_those_it_exempts(contract: str, exempt: set[str]) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [named] = [set(each["source_modules"]) for each in contracts if each["name"] == contract]
    modules = {f"bot.{path.stem}" for path in (ROOT / "bot").glob("*.py") if path.stem != "__init__"}
    packages = {f"bot.{path.parent.name}" for path in (ROOT / "bot").glob("*/__init__.py")}

    assert {module for module in named if module.startswith("bot")} == (modules | packages) - exempt
