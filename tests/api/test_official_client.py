"""The official `keyport` client works against a running process with nothing changed but its base address."""

import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import asynccontextmanager

import pytest
from factories import make_actor, make_organization, make_plan, seeded_bytes
from keyport import KeyPort, KeyPortAuthError, KeyPortError, KeyPortRateLimitError
from keyport.types import LicenseDetailResponse

from bot.app import now_ms
from licensing.models import ProductSettings
from licensing.services.catalog import CatalogService
from licensing.services.licenses import LicenseService
from licensing.services.organizations import Plans
from licensing.services.terms import Terms
from storage import DatabaseSettings, open_store

QUOTA = 5
CONFIG = f"""
[database]
url = "sqlite:///{{folder}}/keyport.db"
[api]
port = 0
[limits]
license_quota_percent = 100
address_quota_percent = 100
[plans.default]
calls_per_product_per_day = {QUOTA}
"""


@asynccontextmanager
async def staff_of(folder):
    """Open the same database from this process, as the bot does beside an API process."""
    plans = Plans({"default": make_plan()}, default="default")
    async with open_store(DatabaseSettings(folder / "keyport.db", folder / "keyport.key")) as store:
        organization = make_organization()
        await store.write(lambda tx: tx.organizations.save_joined(organization, now_ms=now_ms()))
        parts = {"plans": plans, "clock": now_ms, "random_bytes": seeded_bytes()}
        yield CatalogService(store, **parts), LicenseService(store, store.vault, **parts)


@pytest.fixture
async def sold(tmp_path):
    """A product's API key and a license key, written before the process starts."""
    async with staff_of(tmp_path) as (catalog, licenses):
        product = await catalog.create(make_actor(), name="Widget", settings=ProductSettings())
        issued = await licenses.issue(make_actor(), Terms("Widget", discord_id=7, max_ips=3, expiry="1y"))
    return product.api_key, issued.key


@pytest.fixture
def base_url(sold, tmp_path, monkeypatch):
    """A running `python -m bot api`, stopped as an operator stops it."""
    del sold
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    command = [sys.executable, "-m", "bot", "api", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = address_in(process.stderr)
            with urllib.request.urlopen(f"{address}/readyz") as ready:
                assert ready.status == 200
            yield f"{address}/api/v1"
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


def address_in(lines):
    read = []
    for line in lines:
        read.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            return found[0]
    raise AssertionError("".join(read))


async def test_the_official_client_validates_looks_up_and_understands_every_refusal(sold, base_url, tmp_path):
    api_key, key = sold
    with KeyPort(api_key, base_url=base_url) as client:
        answer = client.validate(key, version="1.0", device_id="device")
        assert (answer["valid"], answer["status"], answer["ip_count"]) == (True, "active", 1)
        assert (answer["max_ips"], answer["version"]) == (3, "1.0")
        details = client.get_license(key)
        assert set(details) == set(LicenseDetailResponse.__annotations__)
        assert (details["license_key"], details["status"]) == (key, "active")
        assert details["customer_discord_id"] == "7"
        with pytest.raises(KeyPortError, match="404"):
            client.get_license("no/such key")

        # Another process revokes: the very next validation of this one is refused.
        async with staff_of(tmp_path) as (_, licenses):
            await licenses.revoke(make_actor(), key)
        answer = client.validate(key)
        assert (answer["valid"], answer["status"]) == (False, "revoked")
        assert client.validate("unknown")["status"] == "license_not_found"

        with pytest.raises(KeyPortRateLimitError) as limited:
            client.validate(key)
        assert 0 < limited.value.retry_after <= 86_400
        assert "00:00 UTC" in str(limited.value)
    with KeyPort("kp_live_wrong", base_url=base_url) as client, pytest.raises(KeyPortAuthError):
        client.validate(key)
