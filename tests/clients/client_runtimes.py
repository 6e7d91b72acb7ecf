"""The drop-in clients as running programs: which runtime each needs, how it is built, and how a test asks it."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CLIENTS = Path(__file__).parents[2] / "bot/api/clients"
DRIVERS = Path(__file__).parent / "drivers"
HEADER_PROOFS = ("ed25519", "rsa")
NO_PROXY = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


@dataclass(frozen=True)
class Runtime:
    """A language: its file, the programs it needs here, the proofs that its client checks."""

    file: str
    needs: tuple[str, ...]
    proofs: tuple[str, ...]
    command: tuple[str, ...] = ()
    build: Callable[[Path], None] | None = None


@dataclass(frozen=True)
class Seen:
    """The verdict as a client told it."""

    valid: bool
    status: str
    from_memory: bool
    support_code: str
    retry_after: int | None
    message: str
    for_seller: str
    whole: bool | None = None  # whether the whole answer came along; the shell's file has no place for it

    @property
    def brief(self):
        return self.valid, self.status


@dataclass(frozen=True)
class Setup:
    """What a seller writes into a client."""

    url: str
    memory: Path | None  # none: wherever the client itself thinks
    api_key: str = "kp_live_test"
    grace_hours: int = 72
    timeout_ms: int = 10_000
    version: str = "1.4.0"
    device_id: str = "device-1"
    secrets: tuple[str, ...] = ()
    keys: tuple[tuple[str, Path], ...] = ()  # id -> a file with the PEM; beside it one with n and e

    def line(self) -> str:
        keys = " ".join(f"{key}={path}" for key, path in self.keys)
        memory = self.memory or ""
        said = (self.url, self.api_key, self.grace_hours, memory, self.timeout_ms, self.version, self.device_id)
        return "\t".join(map(str, ("new", *said, " ".join(self.secrets), keys)))


def compiled_java(folder: Path) -> None:
    sources = (CLIENTS / "KeyPort.java", DRIVERS / "Drive.java")
    run("javac", "--release", "8", "-Xlint:all,-options", "-Werror", "-d", folder, *sources)


def compiled_csharp(folder: Path) -> None:
    sources = (CLIENTS / "KeyPort.cs", DRIVERS / "Drive.cs")
    parts = ("-r:System.Net.Http", "-r:System.Runtime.Serialization", "-r:System.Xml")
    run("mcs", "-langversion:7.2", "-warnaserror", *parts, f"-out:{folder / 'drive.exe'}", *sources)


def compiled_go(folder: Path) -> None:
    (folder / "keyport").mkdir()
    shutil.copy(CLIENTS / "keyport.go", folder / "keyport")
    shutil.copy(DRIVERS / "drive.go", folder)
    (folder / "go.mod").write_text("module drive\n\ngo 1.18\n")
    run("go", "build", "-o", "drive", ".", cwd=folder)


def run(*words: object, cwd: Path | None = None) -> None:
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def scripted(file: str, driver: str, needs: str, proofs: tuple[str, ...], *more: str) -> Runtime:
    return Runtime(file, (needs, *more), proofs, (needs, str(DRIVERS / driver), str(CLIENTS / file)))


ALL_PROOFS = (*HEADER_PROOFS, "hmac")
RUNTIMES = {
    "sh": Runtime("keyport.sh", ("sh", "curl", "openssl"), ALL_PROOFS),
    "python": scripted("keyport_client.py", "drive.py", sys.executable, ALL_PROOFS),
    "javascript": scripted("keyport.mjs", "drive.mjs", "node", ALL_PROOFS),
    "java": Runtime(
        "KeyPort.java",
        ("javac", "java"),
        ("rsa", "ed25519", "hmac"),
        ("java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", "{built}", "Drive"),
        compiled_java,
    ),
    "csharp": Runtime("KeyPort.cs", ("mcs", "mono"), ("rsa", "hmac"), ("mono", "{built}/drive.exe"), compiled_csharp),
    "lua5.1": scripted("keyport.lua", "drive.lua", "lua5.1", ("hmac",), "curl"),
    "lua5.4": scripted("keyport.lua", "drive.lua", "lua5.4", ("hmac",), "curl"),
    "go": Runtime("keyport.go", ("go",), ("ed25519", "rsa", "hmac"), ("{built}/drive",), compiled_go),
}

every_client = pytest.mark.parametrize("chosen", RUNTIMES, indirect=True)
every_proof = pytest.mark.parametrize(
    "chosen", [f"{name}-{proof}" for name, runtime in RUNTIMES.items() for proof in runtime.proofs], indirect=True
)
signing_clients = pytest.mark.parametrize(
    "chosen", [name for name, runtime in RUNTIMES.items() if "rsa" in runtime.proofs], indirect=True
)
# The shell's file takes its secrets from words, and no word is empty.
hmac_clients = pytest.mark.parametrize(
    "chosen", [f"{name}-hmac" for name, runtime in RUNTIMES.items() if name != "sh"], indirect=True
)


class Program:
    """One running client; it is told who it is anew before each test."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._command, self._folder = command, folder
        self._process = self._started()

    def open(self, setup: Setup) -> None:
        if self._process.poll() is not None:  # it broke off in another test, which told so
            self._process = self._started()
        self._say(setup.line())

    def check(self, license_key: str, now: int) -> Seen:
        self._say(f"check\t{now}\t{license_key}")
        told = self._process.stdout.readline().decode().rstrip("\n").split("\t")
        assert len(told) == 8, f"the client broke off after {told}"
        valid, status, remembered, code, wait, message, for_seller, whole = told
        return Seen(
            valid == "true", status, remembered == "true", code, int(wait), message, for_seller, whole == "true"
        )

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _started(self) -> subprocess.Popen[bytes]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen(self._command, cwd=self._folder, env=NO_PROXY, **pipes)

    def _say(self, line: str) -> None:
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()


EXITS = {"active": 0, "unknown": 2, "invalid_api_key": 3}


class Script:
    """The shell's client, which is a program of its own on every call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, setup: Setup) -> None:
        self._setup = setup

    def check(self, license_key: str, now: int) -> Seen:
        setup = self._setup
        keys = (f"{key} {''.join(path.read_text().splitlines()[1:-1])}" for key, path in setup.keys)
        told = {
            "KEYPORT_URL": setup.url,
            "KEYPORT_API_KEY": setup.api_key,
            "KEYPORT_PUBLIC_KEYS": "\n".join(keys),
            "KEYPORT_SECRETS": " ".join(setup.secrets),
            "KEYPORT_MEMORY": str(setup.memory or ""),
            "KEYPORT_GRACE_SECONDS": str(setup.grace_hours * 3600),
            "KEYPORT_TIMEOUT": str(setup.timeout_ms / 1000),
            "KEYPORT_NOW": str(now),
        }
        words = ["sh", CLIENTS / "keyport.sh", license_key, setup.version, setup.device_id]
        done = subprocess.run(
            words, cwd=self._folder, env=NO_PROXY | told, capture_output=True, text=True, check=False
        )
        assert not done.stderr
        valid, status, source, support_code, message, for_seller = done.stdout.rstrip("\n").split("\t")
        assert done.returncode == EXITS.get(status, 1)
        return Seen(valid == "true", status, source == "memory", support_code, None, message, for_seller)

    def close(self) -> None:
        """Nothing goes on running."""


class Programs:
    """Starts each client when a test first wants it, built once however many workers there are."""

    def __init__(self, folder: Path, working: Path) -> None:
        self._folder = folder
        self.working = working  # the folder in which they run
        self._running: dict[str, Any] = {}

    def get(self, language: str) -> Any:
        if language not in self._running:
            runtime = RUNTIMES[language]
            missing = [name for name in runtime.needs if not shutil.which(name)]
            if missing:
                pytest.skip(f"not run: no {missing[0]} here")
            self._running[language] = self._started(language, runtime)
        return self._running[language]

    def close(self) -> None:
        for program in self._running.values():
            program.close()

    def _started(self, language: str, runtime: Runtime) -> Any:
        if not runtime.command:
            return Script(self.working)
        built = self._folder / language
        if runtime.build:
            self._build_once(built, runtime.build)
        return Program([word.format(built=built) for word in runtime.command], self.working)

    def _build_once(self, built: Path, build: Callable[[Path], None]) -> None:
        self._folder.mkdir(exist_ok=True)
        with built.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (built / "done").exists():
                shutil.rmtree(built, ignore_errors=True)
                built.mkdir()
                build(built)
                (built / "done").touch()
