"""The clients where what checks the proofs is missing or broken: nothing that came back may be believed then."""

import asyncio
import json
import os
import re
import shutil
import subprocess

import pytest
from aiohttp import web
from clients.client_runtimes import CLIENTS, NO_PROXY
from clients.playing_server import KEY, NOW, body_of

pytestmark = pytest.mark.long

TOOLS = (
    "sh",
    "curl",
    "openssl",
    "awk",
    "sed",
    "grep",
    "tr",
    "fold",
    "mktemp",
    "mkdir",
    "cat",
    "rm",
    "date",
    "touch",
    "printf",
)
# The empty text as a hash, an exit status that says yes to everything, and one digest for every text.
BROKEN = ("exit 1", "exit 0", "cat >/dev/null; echo", f"cat >/dev/null; echo '(stdin)= {'0' * 64}'")
only_sh = pytest.mark.parametrize("chosen", ["sh-hmac", "sh-ed25519", "sh-rsa"], indirect=True)


def tools_without(folder, *missing):
    """Make a folder that has every program of the shell's client but these."""
    folder.mkdir()
    for name in set(TOOLS) - set(missing):
        if path := shutil.which(name):
            folder.joinpath(name).symlink_to(path)
    return folder


async def asked(stage, customer, tools, **changes):
    """Run the shell's client with these programs alone; return its exit status and what it told."""
    setup = customer.setup
    keys = "".join(f"{key} {''.join(path.read_text().splitlines()[1:-1])}\n" for key, path in setup.keys)
    told = NO_PROXY | {
        "PATH": str(tools),
        "KEYPORT_URL": stage.url,
        "KEYPORT_PUBLIC_KEYS": keys,
        "KEYPORT_SECRETS": " ".join(setup.secrets),
        "KEYPORT_MEMORY": str(setup.memory),
        "KEYPORT_NOW": str(NOW),
    }
    words = [shutil.which("sh"), CLIENTS / "keyport.sh", KEY]
    done = await asyncio.to_thread(
        subprocess.run, words, env=told | changes, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.split("\t")


def forge(stage):
    """Let a server that has neither key nor secret say yes, with signatures that are empty or made up."""

    async def play(asked):
        body = body_of(asked, secret=None, signature="")
        headers = {"X-Signature-Timestamp": str(NOW), "X-Signature-Key-Id": f"{stage.proof}-1"}
        name = {"rsa": "X-Signature-RSA"}.get(stage.proof, "X-Signature-Ed25519")
        headers[name] = "A" * 344 if stage.proof == "rsa" else "0" * 128
        return web.Response(body=body, headers=headers)

    stage.play = play


@only_sh
@pytest.mark.parametrize("broken", [None, *BROKEN])
async def test_without_openssl_and_with_a_broken_one_no_forged_answer_is_believed(customer, stage, broken, tmp_path):
    tools = tools_without(tmp_path / "tools", "openssl")
    if broken:
        tools.joinpath("openssl").write_text(f"#!/bin/sh\n{broken}\n")
        tools.joinpath("openssl").chmod(0o755)
    forge(stage)
    code, told = await asked(stage, customer, tools)
    assert (code, told[:2]) == (2, ["false", "unknown"])
    assert "openssl" in told[4]
    forged = body_of({"nonce": "0" * 96}, secret=None, signature="")
    for signature in (b"", b"0" * 64):
        customer.memory.write_bytes(b"%d\n%s-1\n%s\n%s" % (NOW, stage.proof.encode(), signature, forged))
        assert (await asked(stage, customer, tools))[0] == 2


@only_sh
async def test_an_openssl_that_breaks_while_it_checks_proves_nothing(customer, stage, tmp_path):
    real = shutil.which("openssl")
    tools = tools_without(tmp_path / "tools", "openssl")
    for words in ("exit 0", "exit 1", "echo"):
        tools.joinpath("openssl").write_text(
            f'#!/bin/sh\ncase "$*" in *-hmac* | *-verify* | *base64*) {words}; exit ;; esac\nexec {real} "$@"\n'
        )
        tools.joinpath("openssl").chmod(0o755)
        forge(stage)
        code, told = await asked(stage, customer, tools)
        assert (code, told[:2]) == (2, ["false", "unknown"])
        assert "signature" in told[4]


@only_sh
@pytest.mark.parametrize("missing", ["curl", "awk", "sed", "mktemp"])
async def test_a_tool_that_is_missing_is_named_and_the_license_unknown(customer, stage, missing, tmp_path):
    code, told = await asked(stage, customer, tools_without(tmp_path / "tools", missing))
    assert (code, told[:2]) == (2, ["false", "unknown"])
    assert f"{missing} is not installed" in told[4]


@only_sh
async def test_with_these_tools_alone_a_genuine_answer_is_believed(customer, stage, tmp_path):
    assert (await asked(stage, customer, tools_without(tmp_path / "tools")))[0] == 0


WITHOUT_SUBTLE = """
Object.defineProperty(globalThis, "crypto", { value: { getRandomValues: (bytes) => bytes } });
const { KeyPort } = await import(process.argv[2]);
console.log(JSON.stringify(await new KeyPort(JSON.parse(process.argv[3])).check("x")));
"""


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.parametrize("proof", [{}, {"secrets": ["kp_sign_a"]}, {"publicKeys": {"1": "-----BEGIN"}}])
def test_javascript_on_a_plain_http_page_says_in_words_that_nothing_can_be_checked(proof, tmp_path):
    tmp_path.joinpath("plain.mjs").write_text(WITHOUT_SUBTLE)
    given = json.dumps({"url": "http://127.0.0.1:1", "apiKey": "kp_live_x", "memory": os.devnull} | proof)
    words = ["node", tmp_path / "plain.mjs", CLIENTS / "keyport.mjs", given]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)
    assert (verdict["valid"], verdict["status"]) == (False, "unknown")
    assert "https" in verdict["message"]


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_javascript_never_throws_whatever_it_was_given(tmp_path):
    tmp_path.joinpath("odd.mjs").write_text(WITHOUT_SUBTLE.replace("Object.defineProperty", "void "))
    given = json.dumps({"url": None, "apiKey": "kp_live_x", "memory": None, "secrets": 7, "publicKeys": {}})
    words = ["node", tmp_path / "odd.mjs", CLIENTS / "keyport.mjs", given]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "unknown"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_the_command_of_the_docs_makes_one_line_of_every_published_key():
    page = (CLIENTS.parents[2] / "docs/clients.md").read_text("utf-8")
    command = re.search(r"```sh\ncurl [^\n|]*\| (tr .*?)```", page, re.DOTALL)[1]
    vectors = json.loads((CLIENTS.parents[2] / "tests/vectors/proofs.json").read_text("utf-8"))
    published = json.dumps(vectors["jwks"], separators=(",", ":"))
    done = subprocess.run(["sh", "-c", command], input=published, capture_output=True, text=True, check=True)
    pems = [jwk["public_key_pem"].splitlines() for jwk in vectors["jwks"]["keys"]]
    expected = [f"{jwk['kid']} {''.join(pem[1:-1])}" for jwk, pem in zip(vectors["jwks"]["keys"], pems, strict=True)]
    assert done.stdout.splitlines() == expected
    assert max(map(len, pems)) > 5  # an RSA key is among them, which its PEM breaks into lines


@pytest.mark.parametrize("lua", ["lua5.1", "lua5.4"])
def test_the_lua_example_starts_the_product_only_where_the_verdict_is_valid(lua, tmp_path):
    if not shutil.which(lua):
        pytest.skip(f"{lua} is not installed")
    page = (CLIENTS.parents[2] / "docs/clients.md").read_text("utf-8")
    example = re.search(r"```lua\n(local keyport = KeyPort\.new.*?)```", page, re.DOTALL)[1]
    for valid, told in (("true", "started"), ("false", "No. K7QF")):
        tmp_path.joinpath("shop.lua").write_text(f"""
            KeyPort = {{ new = function(settings) assert(settings.http and settings.secrets[1]); return {{
              check = function(_, _, done) done({{ valid = {valid}, message = "No.", support_code = "K7QF" }}) end,
            }} end }}
            function start_product() print("started") end
            {example}""")
        done = subprocess.run([lua, tmp_path / "shop.lua"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, told), done.stderr
