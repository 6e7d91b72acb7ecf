"""A load generator on plain sockets: keep-alive connections, one request in flight on each, bounded in time."""

import json
import os
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass
from itertools import cycle


@dataclass(frozen=True)
class Load:
    """What came of one run."""

    per_second: float
    p50_ms: float
    p99_ms: float


class NotServedError(Exception):
    """An answer that was no valid license: the figures would mean nothing."""


def requests_for(api_key: str, keys: list[str]) -> list[bytes]:
    """Return one whole request per license, each from an address of its own behind one proxy."""
    return [
        _request(api_key, key, address=f"198.51.{number // 250}.{number % 250}") for number, key in enumerate(keys)
    ]


def _request(api_key: str, key: str, *, address: str) -> bytes:
    body = json.dumps({"license_key": key, "version": "2.1.0", "device_id": "bench"}).encode()
    head = (
        "POST /api/v1/validate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {api_key}\r\nContent-Type: application/json\r\n"
        f"X-Forwarded-For: {address}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run(port: int, requests: list[bytes], *, connections: int, seconds: float) -> Load:
    """Keep every connection busy for a time.

    Raises: NotServedError.
    """
    upcoming, sent_at, latencies = cycle(requests), {}, []
    with selectors.DefaultSelector() as selector:
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        for one in sockets:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(one, selectors.EVENT_READ)
            sent_at[one] = time.perf_counter()
            one.sendall(next(upcoming))
        started = time.perf_counter()
        ends = started + seconds
        while (now := time.perf_counter()) < ends:
            for key, _ in selector.select(timeout=1):
                one: socket.socket = key.fileobj  # type: ignore[assignment]
                _check(one.recv(65_536))
                now = time.perf_counter()
                latencies.append(now - sent_at[one])
                sent_at[one] = now
                one.sendall(next(upcoming))
        elapsed = now - started
        for one in sockets:
            one.close()
    latencies.sort()
    return Load(
        per_second=len(latencies) / elapsed,
        p50_ms=1000 * latencies[len(latencies) // 2],
        p99_ms=1000 * latencies[len(latencies) * 99 // 100],
    )


def _check(answer: bytes) -> None:
    # Answers are small and written at once, so they arrive whole.
    if not answer.startswith(b"HTTP/1.1 200") or b'"active"' not in answer:
        raise NotServedError(answer.decode(errors="replace"))


def main() -> None:
    """Read runs from standard input, one JSON object a line, and answer each with its figures."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    requests: list[bytes] = []
    for line in sys.stdin:
        order = json.loads(line)
        if "keys" in order:
            requests = requests_for(order["api_key"], order["keys"])
        else:
            print(json.dumps(asdict(run(requests=requests, **order))), flush=True)


if __name__ == "__main__":
    main()
