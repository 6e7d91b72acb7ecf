"""The programs of docs/verifying.md and docs/examples are run as they stand there, against the recorded proofs."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/verifying.md").read_text("utf-8")
VECTORS = json.loads((ROOT / "tests/vectors/proofs.json").read_text("utf-8"))
KEYS = VECTORS["keys"]
HEXES = {jwk["kid"]: jwk["public_key_hex"] for jwk in VECTORS["jwks"]["keys"] if jwk["kty"] == "OKP"}
PEMS = {jwk["kid"]: jwk["public_key_pem"] for jwk in VECTORS["jwks"]["keys"]}
EXAMPLES = {
    "Python": "verify_license.py",
    "JavaScript": "verify_license.mjs",
    "Java": "VerifyLicense.java",
    "Go": "verify_license.go",
}
TOOLS = {"JavaScript": ["node"], "Java": ["javac", "java"], "Go": ["go"]}
HARNESS = """
import { holdsEd25519, holdsHmac, holdsNonce, holdsRsa } from "./answers.mjs";
import { readFileSync } from "node:fs";
const { secrets, pems, responses } = JSON.parse(readFileSync(0));
const keys = new Map(Object.entries(pems));
console.log(JSON.stringify(responses.map(({ body_base64, nonce, ed25519, rsa }) => {
  const body = Buffer.from(body_base64, "base64");
  const held = {
    hmac: holdsHmac(body, secrets),
    ed25519: holdsEd25519(body, ed25519.headers, keys),
    rsa: holdsRsa(body, rsa.headers, keys),
    nonce: holdsNonce(body, nonce ?? undefined),
  };
  return Object.keys(held).filter((proof) => held[proof]);
})));
"""


def code(title: str) -> str:
    """Return the first piece of code under a heading."""
    found = re.search(rf"^### {re.escape(title)}$.*?^```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no code under {title}"
    return found[1]


def responses() -> list[dict]:
    return [*VECTORS["answers"], *VECTORS["tampered_answers"]]


def expected() -> list[set[str]]:
    every = {"hmac", "ed25519", "rsa", "nonce"}
    genuine = [every if it["hmac"] else every - {"hmac"} for it in VECTORS["answers"]]
    return [*genuine, *(every - set(it["must_fail"]) for it in VECTORS["tampered_answers"])]


def test_the_python_example_finds_every_recorded_answer_genuine_and_every_tampered_one_not():
    program: dict = {}
    exec(compile(code("Answers in Python"), "verifying.md", "exec"), program)
    found = []
    for it in responses():
        body = base64.b64decode(it["body_base64"])
        held = {
            "hmac": program["holds_hmac"](body, ["kp_sign_old", KEYS["hmac"]["secret"]]),
            "ed25519": program["holds_ed25519"](body, it["ed25519"]["headers"], HEXES),
            "rsa": program["holds_rsa"](
                body, it["rsa"]["headers"], {KEYS["rsa"]["id"]: KEYS["rsa"]["public_key_pem"]}
            ),
            "nonce": program["holds_nonce"](body, it["nonce"]),
        }
        found.append({proof for proof in held if held[proof]})
    assert found == expected()


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_javascript_example_finds_every_recorded_answer_genuine_and_every_tampered_one_not(tmp_path):
    (tmp_path / "answers.mjs").write_text(code("Answers in JavaScript"), "utf-8")
    (tmp_path / "harness.mjs").write_text(HARNESS, "utf-8")
    given = {"secrets": ["kp_sign_old", KEYS["hmac"]["secret"]], "pems": PEMS, "responses": responses()}
    done = subprocess.run(
        ["node", tmp_path / "harness.mjs"], input=json.dumps(given).encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert [set(held) for held in json.loads(done.stdout)] == expected()


@pytest.fixture(scope="module", params=EXAMPLES)
def program(request, tmp_path_factory) -> list[str]:
    """Return the command that runs the program to copy in one language, built if it needs to be."""
    language = request.param
    missing = [tool for tool in TOOLS.get(language, []) if not shutil.which(tool)]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    return build(language, tmp_path_factory.mktemp(language))


def build(language: str, folder: Path) -> list[str]:
    source = ROOT / "docs/examples" / EXAMPLES[language]
    if language == "Java":
        built(["javac", "-Xlint:all", "-Werror", "-d", str(folder), str(source)])
        return ["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", str(folder), "VerifyLicense"]
    if language == "Go":
        built(["go", "build", "-o", str(folder / "verify"), str(source)], cwd=folder)
        return [str(folder / "verify")]
    return [sys.executable if language == "Python" else "node", str(source)]


def built(command: list[str], cwd: Path | None = None) -> None:
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run(program: list[str], folder: Path, it: dict, *, at: int, license_key: str) -> subprocess.CompletedProcess[str]:
    (folder / "license.jws").write_text(it["jws"] + "\n", "ascii")
    keys = [f"{kid}={public}" for kid, public in HEXES.items()]
    asked = [str(folder / "license.jws"), it["product_id"], license_key, it["device_id"], str(at), *keys]
    return subprocess.run([*program, *asked], capture_output=True, check=False, encoding="utf-8")


@pytest.mark.timeout(300)  # a compiler's first run builds its own libraries
def test_the_program_of_every_language_accepts_every_recorded_file_until_its_end(program, tmp_path):
    for it in VECTORS["license_files"]:
        last_second = it["expired_at"] - 1
        for at, key in ((it["valid_at"], it["license_key"]), (last_second, it["typed_key"])):
            done = run(program, tmp_path, it, at=at, license_key=key)
            assert done.returncode == 0, done.stderr
            said = json.loads(done.stdout)
            assert said.get("license", said) == it["payload"]["license"]
        late = run(program, tmp_path, it, at=it["expired_at"], license_key=it["license_key"])
        assert (late.returncode, late.stderr.strip()) == (1, "no good license file: expired")


@pytest.mark.timeout(300)
def test_the_program_of_every_language_refuses_every_tampered_file_and_says_why(program, tmp_path):
    for it in VECTORS["tampered_license_files"]:
        done = run(program, tmp_path, it, at=it["at"], license_key=it["license_key"])
        assert (done.returncode, done.stdout) == (1, ""), it["name"]
        assert done.stderr.startswith("no good license file: "), it["name"]


def test_the_page_names_every_example_and_says_which_of_them_are_run():
    rows = re.findall(
        r"^\| \[(\S+)\]\(examples/(\S+)\) \| (\S+) \|.*\| (run in the tests|not run) \|$", PAGE, re.MULTILINE
    )
    assert all(name == path for name, path, _, _ in rows)
    assert {language: name for name, _, language, told in rows if told == "run in the tests"} == EXAMPLES
    assert {name for name, *_ in rows} == {path.name for path in (ROOT / "docs/examples").iterdir()}
