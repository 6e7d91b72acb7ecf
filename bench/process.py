"""Processes of the benchmark: started on a core of their own, asked over their pipes, looked at in /proc."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

SERVER_CORE = 0
LOAD_CORE = 1
STOP_TIMEOUT_S = 30

Json = dict[str, Any]


class EndedEarlyError(SystemExit):
    """A process of the benchmark gave up; its own words stand above."""


class Child:
    """A process that reads orders and writes answers, one JSON object a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def send(self, **order: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Json:
        """Return the next answer.

        Raises: EndedEarlyError.
        """
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise EndedEarlyError("A process of the benchmark ended early; its error stands above.")
        answer: Json = json.loads(line)
        if "error" in answer:
            raise EndedEarlyError(f"A process of the benchmark failed: {answer['error']}")
        return answer

    def ask(self, **order: Any) -> Json:
        self.send(**order)
        return self.receive()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Let it end by itself: its orders are over."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def go_first() -> None:
    """Put this process and all that it starts before the other sessions of a machine that is not idle.

    Raises: PermissionError.
    """
    with suppress(PermissionError):  # it leads a group already
        os.setsid()
    Path("/proc/self/autogroup").write_text("-20", encoding="ascii")


@contextmanager
def on(core: int) -> Iterator[None]:
    """Keep this process to one core for the length of the block."""
    if not hasattr(os, "sched_getaffinity") or core not in os.sched_getaffinity(0):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def spawn(
    arguments: Sequence[str], *, cores: Sequence[int] = (), gives_way: bool = False, **pipes: Any
) -> subprocess.Popen[str]:
    """Start a process on these cores, or on all of them; one that gives way waits until others there rest."""
    # Before the program begins, since what it starts itself stays on the cores that it has by then.
    placed = partial(_place, cores, gives_way) if hasattr(os, "sched_setaffinity") else None
    return subprocess.Popen(arguments, text=True, preexec_fn=placed, **pipes)  # noqa: PLW1509 - see above


def _place(cores: Sequence[int], gives_way: bool) -> None:  # noqa: FBT001 - partial
    pinned = set(cores) & os.sched_getaffinity(0)
    if pinned:
        os.sched_setaffinity(0, pinned)
    if gives_way:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


@contextmanager
def child(arguments: Sequence[str], *, cores: Sequence[int] = ()) -> Iterator[Child]:
    """Run a process for the length of the block."""
    process = spawn(arguments, cores=cores, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    started = Child(process)
    try:
        yield started
    finally:
        started.stop()
        if process.stdout:
            process.stdout.close()


def cpu_s(pid: int) -> float:
    """Return the processor time a process has used: a measure that other processes hardly disturb."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int, *names: str) -> float:
    """Return parts of a process's resident memory: `VmRSS` is all of it, `RssAnon` leaves files' pages out."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
    return sum(int(lines[name].split()[0]) for name in names) / 1024
