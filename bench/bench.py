"""What every part of the benchmark works with: databases, servers, loads and plans of what is asked."""

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.layout import Shelf, address_of, key_at, shelves, small_shelves
from bench.load import Load, NotServedError, Plan, run, write_plan
from bench.options import Options
from bench.process import LOAD_CORE, SERVER_CORE, Child, Json, child, command, cpu_s
from bench.seeding import DATABASE, seeded

_SEED = 20_250_615


@dataclass(frozen=True, slots=True)
class Data:
    """A copy of a seeded database that may be changed."""

    folder: Path
    shelves: dict[str, Shelf]
    products: dict[str, dict[str, Any]]

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    def keys(self, shelf: str) -> Path:
        return self.folder / self.shelves[shelf].file

    def plan(self, shelf: str, places: Sequence[int], *, name: str) -> Plan:
        """Return what asks for the licenses in these places of a shelf, each from its own address."""
        lines = self.keys(shelf).read_text(encoding="ascii").splitlines()
        pairs = ((lines[place], address_of(place)) for place in places)
        return write_plan(self.folder / f"{name}.plan", self.products[shelf]["api_key"], pairs)

    def key(self, shelf: str, place: int) -> str:
        return key_at(self.keys(shelf), place)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a load against one server."""

    load: Load
    cpu_us: float  # of the server, for each request


class Server:
    """One of the servers that are compared."""

    def __init__(self, process: Child, port: int, *, counts: bool) -> None:
        self.process = process
        self.port = port
        self._counts = counts

    @property
    def pid(self) -> int:
        return self.process.pid

    def measure(self, plan: Plan, *, connections: int, seconds: float, offset: int = 0) -> Measured:
        """Put a load on it and return the figures.

        Raises: NotServedError, when any license was not good: its figures would mean nothing.
        """
        refused, before = self.refused(), cpu_s(self.pid)
        load = run(self.port, plan, connections=connections, seconds=seconds, offset=offset)
        spent = cpu_s(self.pid) - before
        if self.refused() != refused:
            raise NotServedError(f"Licenses of {plan.file.stem} were refused: {self.refused()}")
        return Measured(load, 1e6 * spent / max(1, load.answers))

    def refused(self) -> Json:
        """Return how many validations came to which verdict but a good one."""
        return self.process.ask(do="refused") if self._counts else {}


class Bench:
    """One run of the benchmark: its options, and what they need, made when it is first asked for."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.random = random.Random(_SEED)
        self._copies: dict[str, Data] = {}
        self._shared: dict[str, Any] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def large(self) -> Data:
        """Return the run's copy of the large database: parts use shelves of their own."""
        count = self.options.licenses
        return self._copies.get("large") or self._copy("large", shelves(count), f"large-{count}")

    def small(self, name: str) -> Data:
        """Return a copy of the small database for one server alone."""
        count = self.options.small
        return self._copies.get(name) or self._copy(name, small_shelves(count), f"small-{count}")

    @contextmanager
    def server(self, kind: str, *, core: int = SERVER_CORE, loop: str = "", **spec: Any) -> Iterator[Server]:
        """Run a server for the length of the block."""
        spec |= {"kind": kind, "loop": loop or self.options.best_loop}
        with child(command("bench.servers", json.dumps(spec, default=str)), cores=(core,)) as started:
            yield Server(started, started.receive()["port"], counts=kind == "keyport")

    def bare(self, loop: str = "") -> Server:
        """Return the bare handler on a loop, which runs for as long as the benchmark does."""
        name = f"bare-{loop or self.options.best_loop}"
        if name not in self._shared:
            self._shared[name] = self._stack.enter_context(self.server("bare", loop=loop))
        return self._shared[name]

    def discord(self) -> Json:
        """Return where a bot finds the stand-in for Discord, which runs for as long as the benchmark does."""
        if "discord" not in self._shared:
            arguments = command("bench.servers", json.dumps({"kind": "sandbox"}))
            self._shared["discord"] = self._stack.enter_context(child(arguments, cores=(LOAD_CORE,))).receive()
        return self._shared["discord"]

    def _copy(self, name: str, content: Sequence[Shelf], seed_name: str) -> Data:
        seed, folder = seeded(self.options.folder / seed_name, content), self.options.work / name
        shutil.copytree(seed, folder)
        products = json.loads((folder / "products.json").read_text(encoding="utf-8"))
        data = Data(folder, {shelf.name: shelf for shelf in content}, products)
        self._copies[name] = data
        return data
