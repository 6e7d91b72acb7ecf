"""Guarantees of /openapi.json: it is valid, it says what really is answered, and its page comes with the program."""

import base64
import json
import os
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from bot.api.openapi import describe
from bot.api.openapi_operations import VERDICTS
from bot.api.openapi_statuses import MEANINGS
from bot.api.schemas import Jwks, LicenseDetails, LicenseFile, Refusal, ValidateAnswer, ValidateRequest
from licensing.models import SigningKind
from licensing.verdict import Status
from storage import Signer

PAGE = Path(__file__).parents[2] / "bot" / "api" / "page"
DOCUMENT = describe("1.2.3")
OPERATIONS = [
    (path, method, operation) for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
]
VALIDATE = ("/api/v1/validate", "post")
LOOK_UP = ("/api/v1/license/{key}", "get")
FILE = ("/api/v1/license/{key}/file", "get")


def faults(schema, value):
    """Where a value strays from a schema of the document."""
    whole = {"allOf": [schema], "components": DOCUMENT["components"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(value)]


def content(answer):
    return next(iter(answer["content"].values()))


def named_headers(code, operation):
    return {name.lower() for name in operation["responses"][str(code)]["headers"]}


def undocumented(place, reply):
    """What of an answer the document does not know."""
    path, method = place
    operation = DOCUMENT["paths"][path][method]
    answer = operation["responses"].get(str(reply.code))
    if answer is None:
        return [f"{reply.code} is not documented"]
    ours = {
        name.lower() for name in reply.headers if name.lower().startswith("x-") or name in ("Retry-After", "Allow")
    }
    strange = ours - named_headers(reply.code, operation)
    return faults(content(answer)["schema"], reply.body) + [f"header {name}" for name in strange]


def test_the_document_is_valid_openapi_31_and_its_schemas_are_valid():
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere():
    for pointer in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT))):
        part = DOCUMENT
        for name in pointer.split("/"):
            part = part[name]
        assert isinstance(part, dict)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_example_is_one(path, method, operation):  # noqa: ARG001 - named in the test's id
    media = [content(answer) for answer in operation["responses"].values() if "content" in answer]
    media += [content(operation["requestBody"])] if "requestBody" in operation else []
    for each in media:
        examples = [each["example"]] if "example" in each else []
        examples += [example["value"] for example in each.get("examples", {}).values()]
        for example in examples:
            assert faults(each["schema"], example) == []


def test_every_status_is_listed_with_what_it_means_and_what_to_do():
    status = DOCUMENT["components"]["schemas"]["Status"]
    assert set(status["enum"]) == set(Status) == set(MEANINGS) == set(status["x-meanings"])
    for meaning in MEANINGS.values():
        assert all(words.endswith(".") for words in meaning)


def test_what_a_refusal_says_reaches_customers_so_commands_of_staff_stand_behind_the_word_staff():
    for status, meaning in MEANINGS.items():
        assert "/" not in meaning.means
        told = re.sub(r"\bStaff\b.*", "", meaning.do)
        assert set(re.findall(r"`/[^`]+`", told)) <= {"`/claim`", "`/licenses`"}, status
        assert "holder" not in meaning.do  # who has no way to reset anything
    assert "reset" not in MEANINGS["ip_not_registered"].do  # it would free the only seat there is


def test_the_ten_fields_stand_in_the_contracts_order():
    ten = "valid status expires ip_registered ip_count max_ips version version_valid custom signature"
    schema = DOCUMENT["components"]["schemas"]["ValidateAnswer"]
    assert schema["required"] == ten.split()
    assert list(schema["properties"]) == [*ten.split(), "nonce", "message", "support_code"]


def test_what_the_document_says_of_a_request_is_what_is_parsed():
    schema = DOCUMENT["components"]["schemas"]["ValidateRequest"]
    assert list(schema["properties"]) == list(ValidateRequest.model_fields)
    assert schema["required"] == ["license_key"]
    assert "additionalProperties" not in schema


async def test_verdicts_are_answered_as_they_are_documented(shop):
    product, issued, revoked = await shop.product(), await shop.issue(max_ips=1), await shop.issue()
    await shop.licenses.revoke(shop.staff, revoked.key)
    seen = set()
    for key, members in (
        (issued.key, {"version": "1.4.0", "nonce": "5f0c", "device_id": "b1"}),
        (revoked.key, {}),
        ("ABCD-EFGH-JKMN-PQRS", {"nonce": ""}),
        (issued.key, {"address": "198.51.100.7"}),
    ):
        reply = await shop.validate(product.api_key, key, **members)
        assert undocumented(VALIDATE, reply) == []
        answer = ValidateAnswer.model_validate_json(reply.raw)
        written = answer.model_dump(mode="json", exclude_unset=True)
        assert list(reply.body.items()) == list(written.items())
        seen.add(str(answer.status))
    assert seen == {"active", "revoked", "license_not_found", "ip_limit_reached"}
    assert seen <= set(VERDICTS)


async def test_a_look_up_is_answered_as_it_is_documented(shop):
    product = await shop.product()
    for terms in ({"max_ips": 3, "notes": "№5", "expiry": "30d"}, {"discord_id": None}):
        issued = await shop.issue(**terms)
        reply = await shop.get(f"/api/v1/license/{issued.key}", product.api_key)
        assert undocumented(LOOK_UP, reply) == []
        assert list(reply.body) == list(LicenseDetails.model_fields)
        LicenseDetails.model_validate_json(reply.raw)
    keys = await shop.get("/api/v1/keys", product.api_key)
    assert undocumented(("/api/v1/keys", "get"), keys) == []
    Jwks.model_validate_json(keys.raw)


async def test_a_license_file_says_what_is_documented(shop):
    product = await shop.product(license_file_days=7)
    issued, revoked = await shop.issue(expiry="30d", max_ips=2), await shop.issue()
    await shop.licenses.revoke(shop.staff, revoked.key)
    signer, now_ms = Signer(shop.store.vault, os.urandom), shop.clock()
    key = signer.make(product.product.id, SigningKind.ED25519, now_ms=now_ms, signs_from_ms=now_ms)
    await shop.store.write(lambda tx: tx.signing_keys.insert(key))
    reply = await shop.get(f"/api/v1/license/{issued.key}/file?device_id=b1c7", product.api_key)
    answer = DOCUMENT["paths"][FILE[0]][FILE[1]]["responses"]["200"]
    assert (reply.code, reply.headers["Content-Type"].partition(";")[0]) == (200, next(iter(answer["content"])))
    assert faults(content(answer)["schema"], reply.raw.decode()) == []
    payload = base64.urlsafe_b64decode(reply.raw.split(b".")[1] + b"==")
    LicenseFile.model_validate_json(payload)
    refused = await shop.get(f"/api/v1/license/{revoked.key}/file", product.api_key)
    assert (refused.code, undocumented(FILE, refused)) == (403, [])


async def test_refusals_are_answered_as_they_are_documented(shop):
    product = await shop.product()
    bearer = {"Authorization": f"Bearer {product.api_key}", "Content-Type": "application/json"}
    body, seen = b'{"license_key":"x"}', {}
    for sent, headers in (
        (b"{", bearer),
        (body, {}),
        (body, bearer | {"Authorization": "Bearer kp_live_none"}),
        (b" " * 20_000, bearer),
        (body, bearer | {"Content-Type": "text/plain"}),
        (b"{}", bearer),
    ):
        reply = await shop.post(sent, headers)
        assert undocumented(VALIDATE, reply) == []
        Refusal.model_validate_json(reply.raw)
        seen[reply.code] = reply
    assert set(seen) == {400, 401, 413, 415, 422}
    missing = await shop.get("/api/v1/license/ABCD-EFGH-JKMN-PQRS", product.api_key)
    other = await shop.get("/api/v1/license/ABCD-EFGH-JKMN-PQRS", product.api_key, method="DELETE")
    assert (missing.code, undocumented(LOOK_UP, missing)) == (404, [])
    assert (other.code, undocumented(LOOK_UP, other)) == (405, [])


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_monitoring_is_answered_as_it_is_documented(shop, path):
    reply = await shop.get(path)
    assert (reply.code, undocumented((path, "get"), reply)) == (200, [])
    assert (await shop.get(path, method="HEAD")).code == 200


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
async def test_every_operation_is_served_and_refuses_other_methods_as_documented(shop, path, method, operation):
    if path == "/metrics" and (await shop.get(path)).code == 404:
        return  # this server was started without them, as the document says can be
    reply = await shop.get(path.replace("{key}", "ABCD-EFGH-JKMN-PQRS"), method="PUT")
    assert reply.seen == (405, "invalid_request")
    assert method.upper() in reply.headers["Allow"]
    assert "405" in operation["responses"]


async def test_the_document_is_served_once_and_then_known_by_its_tag(shop):
    reply = await shop.get("/openapi.json")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.body["info"]["version"] == shop.health.version
    tag = {"If-None-Match": reply.headers["ETag"]}
    async with shop.http.get(f"{shop.url}/openapi.json", headers=tag) as again:
        assert (again.status, await again.read()) == (304, b"")


async def test_every_file_that_the_page_names_is_served_under_its_strict_policy(shop):
    names = {path.name for path in PAGE.iterdir()} - {"index.html"}
    page = await shop.get("/docs")
    linked = set(re.findall(r'(?:src|href)="docs/([^"]+)"', page.raw.decode()))
    for name in names:
        reply = await shop.get(f"/docs/{name}")
        assert reply.code == 200
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        linked |= set(re.findall(r'from "\./([^"]+)"', reply.raw.decode()))
    assert linked == names
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_the_page_holds_no_inline_code_and_no_address_elsewhere():
    html = (PAGE / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html)
    for path in PAGE.iterdir():
        elsewhere = set(re.findall(r"(?:https?:)?//[\w-]+(?:\.[\w-]+)+", path.read_text()))
        assert elsewhere <= {"http://www.w3.org"}  # the name of a namespace, which nobody fetches


async def test_every_client_is_listed_and_served_as_text(shop):
    listed = (await shop.get("/docs/clients")).body["clients"]
    for client in listed:
        reply = await shop.get(f"/docs/clients/{client['name']}")
        assert (reply.code, reply.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert client["language"]


@pytest.mark.parametrize("path", ["/docs/none.js", "/docs/index.html", "/docs/clients/none.py", "/docs/..%2Fdocs.py"])
async def test_what_the_page_does_not_have_is_refused_in_the_one_shape(shop, path):
    reply = await shop.get(path)
    assert reply.seen == (404, "invalid_request")
    assert "/docs" in reply.body["message"]


async def test_a_slash_behind_the_pages_address_leads_to_it_under_any_prefix(shop):
    async with shop.http.get(f"{shop.url}/docs/", allow_redirects=False) as reply:
        assert (reply.status, reply.headers["Location"]) == (308, "../docs")
    assert (await shop.get("/docs/")).code == 200
