"""What an image installs: the program as a wheel, made of what the Dockerfile copies, run far from its sources."""

import asyncio
import os
import re
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
COPIED = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
OWN = {name: value for name, value in os.environ.items() if not name.startswith(("KEYPORT_", "PYTHON"))}


async def run(*words: object, cwd: Path, **variables: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *map(str, words), cwd=cwd, env=OWN | variables,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told = (await process.communicate())[0].decode()
    assert process.returncode == 0, told
    return told


async def build_wheel(folder: Path) -> Path:
    sources = folder / "sources"
    for name in " ".join(COPIED).split():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            sources.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, sources / name)
    options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    await run(sys.executable, "-m", "pip", "wheel", *options, sources, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


async def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel into a new environment; what it depends on is found where the tests found it."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    await run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        wheel,
        cwd=folder,
    )
    (site,) = folder.glob("lib/python3*/site-packages")
    # A plain path: the editable install in there is no part of it.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


@pytest.mark.timeout(120)
async def test_the_program_runs_from_a_wheel_alone_with_its_languages_schema_and_page(tmp_path: Path) -> None:
    programs = await install(await build_wheel(tmp_path), tmp_path / "environment")
    empty = tmp_path / "empty"
    empty.mkdir()

    where = await run(
        programs / "python", "-c", "import bot, storage; print(bot.__file__, storage.__file__)", cwd=empty
    )
    assert str(ROOT) not in where
    assert (await run(programs / "keyport", "version", cwd=empty)).startswith("KeyPort for Discord ")
    languages = await run(programs / "python", "-c", "import i18n; print(*sorted(i18n.languages()))", cwd=empty)
    assert languages.split() == sorted(path.stem for path in (ROOT / "i18n" / "locales").glob("*.po"))

    page = "import importlib.resources as r; print(*(p.name for p in (r.files('sandbox.page') / 'static').iterdir()))"
    shown = await run(programs / "python", "-c", page, cwd=empty)
    assert sorted(shown.split()) == sorted(path.name for path in (ROOT / "sandbox/page/static").iterdir())

    # The story needs the migrations, the sandbox and every command.
    told = await run(programs / "keyport", "sandbox", "--once", cwd=empty, KEYPORT_API__PORT="0")
    assert '"status":"active"' in told
    assert '"status":"revoked"' in told
    assert list(empty.iterdir()) == []
