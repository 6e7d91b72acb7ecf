"""The clients as running programs, before a server that plays or before a real one."""

import os

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from api.conftest import running_shop
from clients.client_runtimes import HEADER_PROOFS, RUNTIMES, Programs, Setup
from clients.playing_server import SECRETS, Customer, SigningKeys, Stage


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """Every client whose runtime is here, started once."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    programs = Programs(folder / "drop-in-clients", tmp_path_factory.mktemp("working"))
    yield programs
    programs.close()


@pytest.fixture(scope="session")
def signing_keys(tmp_path_factory):
    """The keys of the server that plays."""
    return SigningKeys.made(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def chosen(request):
    """A language and the proof that its client is to check; the first that it knows unless a test says otherwise."""
    language, _, proof = request.param.partition("-")
    return language, proof or RUNTIMES[language].proofs[0]


@pytest.fixture
async def stage(chosen, signing_keys):
    """A server that plays good answers until a test says otherwise."""
    stage = Stage(signing_keys, chosen[1])
    stage.answers()
    app = web.Application()
    app.router.add_post("/api/v1/validate", stage.handle)
    async with TestServer(app) as server:
        stage.url = str(server.make_url("")).rstrip("/")
        yield stage
        stage.over.set()


@pytest.fixture
def customer(chosen, programs, signing_keys, stage, tmp_path):
    """A client that pins the first key, or knows the first secret."""
    language, proof = chosen
    pinned = ((f"{proof}-1", signing_keys.pinned[f"{proof}-1"]),) if proof in HEADER_PROOFS else ()
    secrets = SECRETS[:1] if proof == "hmac" else ()
    customer = Customer(programs.get(language), Setup(stage.url, tmp_path / "memory", secrets=secrets, keys=pinned))
    customer.restart()
    return customer


@pytest.fixture
async def shop(tmp_path):
    """The real server with its real store."""
    async with running_shop(tmp_path) as shop:
        yield shop
