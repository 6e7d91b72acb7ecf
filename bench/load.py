"""The load: keep-alive connections with one request in flight on each, made by wrk if it is there, else by Python.

Python's own costs as much as the server it asks, so wrk's figures are the ones to quote.
"""

import json
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from bench.process import LOAD_CORE, command, spawn

WRK = shutil.which("wrk")
GENERATOR = "wrk" if WRK else "bench/load.py"

_STARTS_WITHIN_S = 0.5
_SCRIPT = Path(__file__).with_name("validate.lua")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked: a file with a key and an address on each line, under one API key."""

    file: Path
    api_key: str
    nonces: bool = False  # whether each request is another one


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one run."""

    answers: int
    per_second: float
    p50_ms: float
    p99_ms: float


class NotServedError(SystemExit):
    """An answer that was no success: the figures would mean nothing."""


class Running:
    """A load that is on its way."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._listens_at = time.monotonic() + _STARTS_WITHIN_S

    def stop(self) -> Load:
        """End it now.

        Raises: NotServedError.
        """
        time.sleep(max(0.0, self._listens_at - time.monotonic()))  # before, the signal would end it without a word
        self._process.send_signal(signal.SIGINT)
        return self.result()

    def result(self) -> Load:
        """Wait for its end.

        Raises: NotServedError.
        """
        output, _ = self._process.communicate(timeout=120)
        if self._process.returncode:
            raise NotServedError("The load generator failed; its error stands above.")
        found = json.loads(output.splitlines()[-1])
        if found["failed"]:
            raise NotServedError(f"{found['failed']} requests were not answered with 200.")
        answers, seconds = found["answers"], found["seconds"]
        return Load(answers, answers / seconds, found["p50_ms"], found["p99_ms"])


def write_plan(file: Path, api_key: str, pairs: Iterable[tuple[str, str]]) -> Plan:
    with file.open("w", encoding="ascii") as lines:
        lines.writelines(f"{key} {address}\n" for key, address in pairs)
    return Plan(file, api_key)


def start(
    port: int,
    plan: Plan,
    *,
    connections: int,
    seconds: float,
    offset: int = 0,
    per_second: int | None = None,
    cores: Sequence[int] = (LOAD_CORE,),
    gives_way: bool = False,
) -> Running:
    """Begin to ask; with a rate, so many requests a second at most.

    One that gives way does not interrupt a server on its core for each single answer.
    """
    delay_ms = 1000 * connections // per_second if per_second else 0
    arguments = [str(plan.file), plan.api_key, str(offset), str(delay_ms), str(int(plan.nonces))]
    if WRK:
        # wrk counts whole seconds alone, so it is stopped from outside: it writes its figures on SIGINT.
        limits = ["-t1", f"-c{connections}", "-d60s", "--latency", "-s", str(_SCRIPT)]
        found = [WRK, *limits, f"http://127.0.0.1:{port}/api/v1/validate", "--", *arguments]
        process = spawn(
            ["timeout", "--preserve-status", "-s", "INT", f"{seconds:.2f}", *found],
            cores=cores,
            gives_way=gives_way,
            stdout=subprocess.PIPE,
        )
    else:
        asked = [str(port), str(connections), str(seconds), *arguments]
        process = spawn(command("bench.load", *asked), cores=cores, gives_way=gives_way, stdout=subprocess.PIPE)
    return Running(process)


def run(port: int, plan: Plan, *, connections: int, seconds: float, offset: int = 0) -> Load:
    """Ask for a time and return what came of it.

    Raises: NotServedError.
    """
    return start(port, plan, connections=connections, seconds=seconds, offset=offset).result()


def request_of(key: str, address: str, api_key: str, *, nonce: str | None = None) -> bytes:
    """Return one whole request."""
    asked = {"license_key": key, "version": "2.1.0", "device_id": "bench"}
    body = json.dumps(asked if nonce is None else asked | {"nonce": nonce}).encode()
    head = (
        "POST /api/v1/validate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {api_key}\r\nContent-Type: application/json\r\n"
        f"X-Forwarded-For: {address}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _requests(plan: Plan, offset: int) -> Iterator[bytes]:
    lines = plan.file.read_text(encoding="ascii").splitlines()
    for number, line in enumerate(islice(cycle(lines), offset, None)):
        key, address = line.split()
        yield request_of(key, address, plan.api_key, nonce=f"n{number}" if plan.nonces else None)


def _ask(port: int, upcoming: Iterator[bytes], *, connections: int, seconds: float, delay_s: float) -> None:
    """Keep every connection busy for a time, and print the figures."""
    sent_at, latencies, failed, told = {}, [], 0, []
    signal.signal(signal.SIGINT, lambda *_: told.append(True))
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            one = socket.create_connection(("127.0.0.1", port))
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(one, selectors.EVENT_READ)
            sent_at[one] = time.perf_counter()
            one.sendall(next(upcoming))
        now = began = time.perf_counter()
        while not told and (now := time.perf_counter()) < began + seconds:
            for ready, _ in selector.select(timeout=1):
                one: socket.socket = ready.fileobj  # type: ignore[assignment]
                # Answers are small and written at once, so they arrive whole.
                failed += not one.recv(65_536).startswith(b"HTTP/1.1 200")
                now = time.perf_counter()
                latencies.append(1000 * (now - sent_at[one]))
                time.sleep(delay_s / connections)
                sent_at[one] = time.perf_counter()
                one.sendall(next(upcoming))
        elapsed = now - began
    latencies.sort()
    figures = {
        "answers": len(latencies),
        "seconds": elapsed,
        "p50_ms": latencies[len(latencies) // 2],
        "p99_ms": latencies[len(latencies) * 99 // 100],
        "failed": failed,
    }
    print(json.dumps(figures))


def main() -> None:
    port, connections, seconds, file, api_key, offset, delay_ms, nonces = sys.argv[1:]
    upcoming = _requests(Plan(Path(file), api_key, nonces=nonces == "1"), int(offset))
    delay_s = int(delay_ms) / 1000
    _ask(int(port), upcoming, connections=int(connections), seconds=float(seconds), delay_s=delay_s)


if __name__ == "__main__":
    main()
