"""The clients that sellers paste, before the real server: what a seller is shown is all they need."""

import asyncio
import os
import re

import pytest
from clients.client_runtimes import HEADER_PROOFS, RUNTIMES, Setup
from clients.playing_server import Customer, pin

from licensing.choices import SigningKind
from storage import Signer

pytestmark = pytest.mark.long


async def sold(shop, proof, folder):
    """Sell a license of a product that signs; return its key, and a client's setup made of what a seller is shown."""
    kind = SigningKind(proof)
    switches = {"sign_headers": kind} if proof in HEADER_PROOFS else {"sign_hmac": True}
    product = await shop.product(proof, explain=True, **switches)
    signer, now_ms = Signer(shop.store.vault, os.urandom), shop.clock()
    key = await asyncio.to_thread(signer.make, product.product.id, kind, now_ms=now_ms, signs_from_ms=now_ms)
    await shop.store.write(lambda tx: tx.signing_keys.insert(key))
    issued = await shop.issue(proof)
    if proof in HEADER_PROOFS:
        published = (await shop.get("/api/v1/keys", product.api_key)).body["keys"]
        proofs = {"keys": tuple(pin(folder, jwk) for jwk in published)}
    else:
        proofs = {"secrets": (signer.secret(key),)}
    setup = Setup(shop.url, folder / f"memory-{proof}", api_key=product.api_key, **proofs)
    return issued.key, setup


@pytest.mark.parametrize("language", RUNTIMES)
async def test_before_the_real_server_every_proof_holds_and_every_verdict_arrives(language, programs, shop, tmp_path):
    program = programs.get(language)
    for proof in RUNTIMES[language].proofs:
        license_key, setup = await sold(shop, proof, tmp_path)
        customer = Customer(program, setup)
        customer.restart()
        seen = await customer.checks(license_key.lower())
        assert (seen.brief, seen.from_memory) == ((True, "active"), False), proof
        customer.restart(url="http://127.0.0.1:1")
        assert (await customer.checks(license_key.lower())).from_memory
        customer.restart(url=shop.url)
        assert (await customer.checks("")).brief == (False, "invalid_request")
        await shop.licenses.revoke(shop.staff, license_key)
        seen = await customer.checks(license_key.lower())
        assert seen.brief == (False, "revoked")
        assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", seen.support_code)
        assert seen.message
        customer.restart(api_key="kp_live_wrong")
        assert (await customer.checks(license_key)).brief == (False, "invalid_api_key")
