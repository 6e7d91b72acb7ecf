"""Every public method of a service that acts for somebody, with what it is called with; and a shop to call it in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from storage_world import OWNER, World, member

from licensing.choices import AutoRegister, OrganizationState, Permission, ProductState, SigningKind, VersionState
from licensing.keys import API_KEY_PREFIX_LENGTH
from licensing.models import Actor, ProductSettings
from licensing.services.block_targets import Target
from licensing.services.bulk import BulkChange, Selection
from licensing.services.changes import Edit
from licensing.services.terms import Terms
from licensing.verdict import Call, Status

HOLDER, RECIPIENT = 20, 21
ROLE = 77
FREE_ROLE = 5
BLOCKED = "198.51.100.0/24"

Given = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Shop:
    """What the first organization has, each thing by the names that people know it by."""

    license_id: int
    license: str  # held, with a seat taken
    suspended: str
    revoked: str
    stock: str
    offered_id: int
    accepted_id: int
    support_code: str  # of a refusal of the suspended license
    product_id: int
    customer_id: int
    api_key: str
    product_name: str = "Pro"
    product: str | int = "Pro"


@dataclass(frozen=True)
class Door:
    """A method by its module and name; any of the permissions opens it, none means the operator alone."""

    name: str
    permissions: tuple[Permission, ...]
    given: Callable[[Shop], Given]
    as_member: int | None = None
    makes_own: bool = False  # what it does, any organization may do for itself

    async def open(self, world: World, by: Actor, shop: Shop) -> object:
        args, named = self.given(shop)
        service, method = self.name.split(".")
        return await getattr(getattr(world, service), method)(by, *args, **named)


def given(*args: object, **named: object) -> Given:
    return args, named


def staff(
    name: str, *permissions: Permission, call: Callable[[Shop], Given] = lambda _: given(), makes_own: bool = False
) -> Door:
    return Door(name, permissions, call, makes_own=makes_own)


def of_member(name: str, discord_id: int, call: Callable[[Shop], Given] = lambda _: given()) -> Door:
    return Door(name, (), call, as_member=discord_id)


def _selecting(name: str) -> list[Door]:
    """Return the doors to a selection of licenses: by each way to name some, and for each change."""
    revoke, suspend, reinstate = BulkChange
    return [
        staff(name, _P.LICENSES_REVOKE, call=lambda it: given(revoke, Selection(license_ids=[it.license_id]))),
        staff(name, _P.LICENSES_EDIT, call=lambda _: given(suspend, Selection(discord_id=HOLDER))),
        staff(name, _P.LICENSES_EDIT, call=lambda _: given(reinstate, Selection(status=Status.SUSPENDED))),
        staff(name, _P.LICENSES_REVOKE, call=lambda it: given(revoke, Selection(product=it.product))),
    ]


_OWN_ROLE = {"role_id": FREE_ROLE, "permissions": [Permission.ROLES_EDIT]}
_HELD_ROLE = {"role_id": ROLE, "permissions": [Permission.ROLES_EDIT]}
_P = Permission

STAFF = [
    staff(
        "catalog.create",
        _P.PRODUCTS_EDIT,
        call=lambda it: given(name=f"New {it.product}", settings=ProductSettings()),
        makes_own=True,
    ),
    staff("catalog.rotate_key", _P.PRODUCTS_EDIT, call=lambda it: given(name=it.product)),
    staff(
        "catalog.rotate_key",
        _P.PRODUCTS_EDIT,
        call=lambda it: given(name=it.product, replacing=it.api_key[:API_KEY_PREFIX_LENGTH]),
    ),
    staff("catalog.change_settings", _P.PRODUCTS_EDIT, call=lambda it: given(it.product_id, enforce_expiry=False)),
    staff(
        "catalog.preview_settings",
        _P.PRODUCTS_EDIT,
        call=lambda it: given(it.product_id, auto_register=AutoRegister.OFF),
    ),
    staff("catalog.preview_settings", _P.PRODUCTS_EDIT, call=lambda it: given(it.product_id, max_devices=1)),
    staff("catalog.change_state", _P.PRODUCTS_EDIT, call=lambda it: given(it.product, ProductState.ARCHIVED)),
    staff("catalog.change_custom", _P.PRODUCTS_EDIT, call=lambda it: given(it.product, '{"tier":"gold"}')),
    staff("catalog.changeable", _P.PRODUCTS_EDIT, call=lambda it: given(it.product)),
    staff("catalog.list", _P.PRODUCTS_VIEW, _P.LICENSES_CREATE),
    staff("catalog.view", _P.PRODUCTS_VIEW, call=lambda it: given(name=it.product)),
    staff("signing.view", _P.PRODUCTS_VIEW, call=lambda it: given(it.product)),
    staff("signing.changeable", _P.PRODUCTS_EDIT, call=lambda it: given(it.product)),
    staff("signing.turn_on", _P.PRODUCTS_EDIT, call=lambda it: given(it.product, SigningKind.HMAC)),
    staff("signing.turn_off", _P.PRODUCTS_EDIT, call=lambda it: given(it.product, SigningKind.ED25519)),
    staff("signing.rotate", _P.PRODUCTS_EDIT, call=lambda it: given(it.product, SigningKind.ED25519, grace="1h")),
    staff("api_keys.list", _P.PRODUCTS_VIEW, call=lambda it: given(it.product)),
    staff("api_keys.add", _P.PRODUCTS_EDIT, call=lambda it: given(it.product, "New")),
    staff("api_keys.removable", _P.PRODUCTS_EDIT, call=lambda it: given(it.product, "Jar")),
    staff("api_keys.remove", _P.PRODUCTS_EDIT, call=lambda it: given(it.product, "Jar")),
    staff(
        "versions.set",
        _P.PRODUCTS_EDIT,
        call=lambda it: given(it.product, spec=">=2.0", state=VersionState.BLOCKED),
    ),
    staff("versions.remove", _P.PRODUCTS_EDIT, call=lambda it: given(it.product, spec="1.0")),
    staff(
        "versions.preview",
        _P.PRODUCTS_EDIT,
        call=lambda it: given(it.product, spec=">=2.0", state=VersionState.BLOCKED),
    ),
    staff("versions.list", _P.PRODUCTS_VIEW, call=lambda it: given(it.product)),
    staff("versions.is_known", _P.LICENSES_EDIT, call=lambda it: given(it.product, "1.0")),
    staff("versions.settable", _P.PRODUCTS_EDIT, call=lambda it: given(it.product)),
    staff("versions.removable", _P.PRODUCTS_EDIT, call=lambda it: given(it.product)),
    staff("licenses.issue", _P.LICENSES_CREATE, call=lambda it: given(Terms(it.product_name, discord_id=HOLDER))),
    staff("licenses.view", _P.LICENSES_VIEW, call=lambda it: given(it.license)),
    staff("licenses.check", _P.LICENSES_VIEW, call=lambda it: given(it.license, Call(""))),
    staff("licenses.reveal", _P.LICENSES_REVEAL, call=lambda it: given(it.license)),
    staff("licenses.revocable", _P.LICENSES_REVOKE, call=lambda it: given(it.license)),
    staff("licenses.revoke", _P.LICENSES_REVOKE, call=lambda it: given(it.license)),
    staff("changes.extend", _P.LICENSES_EDIT, call=lambda it: given(it.license, "5d")),
    staff("changes.edit", _P.LICENSES_EDIT, call=lambda it: given(it.license, Edit(notes="changed"))),
    staff("changes.pin", _P.LICENSES_EDIT, call=lambda it: given(it.license, "1.x")),
    staff("changes.override", _P.LICENSES_EDIT, call=lambda it: given(it.license, '{"tier":"gold"}')),
    staff("changes.editable", _P.LICENSES_EDIT, call=lambda it: given(it.license)),
    staff("changes.suspend", _P.LICENSES_EDIT, call=lambda it: given(it.license)),
    staff("changes.suspendable", _P.LICENSES_EDIT, call=lambda it: given(it.license)),
    staff("changes.reinstate", _P.LICENSES_EDIT, call=lambda it: given(it.suspended)),
    staff("changes.reset_ips", _P.LICENSES_RESET_IPS, call=lambda it: given(it.license)),
    staff("changes.resettable", _P.LICENSES_RESET_IPS, call=lambda it: given(it.license)),
    staff("changes.restore", call=lambda it: given(it.revoked)),
    staff("bulk.issue", _P.LICENSES_CREATE, call=lambda it: given(Terms(it.product_name, discord_id=HOLDER), 3)),
    *_selecting("bulk.preview"),
    *_selecting("bulk.change"),
    staff("finder.search", _P.LICENSES_VIEW, call=lambda _: given("secret")),
    staff("finder.search", _P.LICENSES_VIEW, call=lambda it: given(it.license)),
    staff("finder.search", _P.LICENSES_VIEW, call=lambda _: given("holder")),
    staff("finder.search", _P.LICENSES_EDIT, call=lambda _: given("secret", permission=_P.LICENSES_EDIT)),
    staff("finder.products", _P.PRODUCTS_VIEW, call=lambda _: given("")),
    staff("finder.products", _P.LICENSES_CREATE, call=lambda _: given("", permission=_P.LICENSES_CREATE)),
    staff("finder.find", _P.LICENSES_VIEW),
    staff("finder.find", _P.LICENSES_VIEW, call=lambda it: given(product=it.product)),
    staff("finder.product_id", _P.LICENSES_VIEW, call=lambda it: given(it.product_name)),
    staff("finder.held", _P.LICENSES_VIEW, call=lambda _: given(HOLDER)),
    staff("finder.export", _P.LICENSES_EXPORT, makes_own=True),
    staff("finder.export", _P.LICENSES_EXPORT, call=lambda it: given(product=it.product)),
    staff(
        "blacklist.add",
        _P.BLACKLIST_EDIT,
        call=lambda it: given(network="203.0.113.0/24" if it.product == "Pro" else "203.0.113.7", reason="abuse"),
        makes_own=True,
    ),
    staff(
        "blacklist.add",
        _P.BLACKLIST_EDIT,
        call=lambda it: given(network="203.0.113.7", target=Target(license=it.license)),
    ),
    staff(
        "blacklist.add",
        _P.BLACKLIST_EDIT,
        call=lambda it: given(network=f"203.0.113.{len(str(it.product))}", target=Target(discord_id=24, name="Eve")),
        makes_own=True,
    ),
    staff(
        "blacklist.preview",
        _P.BLACKLIST_EDIT,
        call=lambda it: given(network="203.0.113.0/24", target=Target(license=it.license)),
    ),
    staff(
        "blacklist.preview",
        _P.BLACKLIST_EDIT,
        call=lambda it: given(network="203.0.113.7", target=Target(customer_id=it.customer_id)),
    ),
    staff("blacklist.remove", _P.BLACKLIST_EDIT, call=lambda _: given(network=BLOCKED)),
    staff("blacklist.remove", _P.BLACKLIST_EDIT, call=lambda _: given(network="#1")),
    staff(
        "blacklist.remove",
        _P.BLACKLIST_EDIT,
        call=lambda it: given(network=BLOCKED, target=Target(license=it.license)),
    ),
    staff("blacklist.list", _P.LICENSES_VIEW, _P.BLACKLIST_EDIT),
    staff(
        "blacklist.list",
        _P.LICENSES_VIEW,
        _P.BLACKLIST_EDIT,
        call=lambda it: given(target=Target(license=it.license)),
    ),
    staff("blacklist.search", _P.BLACKLIST_EDIT, call=lambda _: given("198.51.100.7")),
    staff(
        "organizations.change_state",
        call=lambda it: given(OrganizationState("suspended" if it.product == "Pro" else "billing_suspended")),
        makes_own=True,
    ),
    staff("organizations.change_plan", call=lambda it: given("large" if it.product == "Pro" else ""), makes_own=True),
    staff("transfers.waiting", _P.TRANSFERS_DECIDE),
    staff("transfers.approve", _P.TRANSFERS_DECIDE, call=lambda it: given(it.accepted_id)),
    staff("transfers.deny", _P.TRANSFERS_DECIDE, call=lambda it: given(it.accepted_id)),
    staff("history.attempts", _P.LICENSES_VIEW, call=lambda it: given(it.license)),
    staff("staff.grant", _P.ROLES_EDIT, call=lambda _: given(**_OWN_ROLE), makes_own=True),
    staff("staff.revoke", _P.ROLES_EDIT, call=lambda _: given(**_HELD_ROLE)),
    staff("staff.list", _P.ROLES_EDIT),
]

# No permission opens these: each asks who the member is, and is tested where members are.
MEMBERS = [
    of_member("account.claim", 22, lambda it: given(it.stock)),
    of_member("account.list", HOLDER),
    of_member("account.view", HOLDER, lambda it: given(it.license_id)),
    of_member("account.named", HOLDER, lambda it: given(it.license)),
    of_member("account.reveal", HOLDER, lambda it: given(it.license_id)),
    of_member("resets.standing", HOLDER, lambda it: given(it.license_id)),
    of_member("resets.resettable", HOLDER, lambda it: given(it.license_id)),
    of_member("resets.reset", HOLDER, lambda it: given(it.license_id)),
    of_member("transfers.offer", HOLDER, lambda it: given(it.license_id, to_discord_id=RECIPIENT, to_name="Bob")),
    of_member("transfers.accept", RECIPIENT, lambda it: given(it.offered_id)),
    of_member("transfers.decline", RECIPIENT, lambda it: given(it.offered_id)),
    of_member("transfers.cancel", HOLDER, lambda it: given(it.offered_id)),
    of_member("transfers.mine", HOLDER),
    of_member("transfers.mine", RECIPIENT),
    of_member("history.explain", HOLDER, lambda it: given(it.support_code)),
]


async def stocked(world: World) -> Shop:
    """Give the first organization one of everything."""
    product = await world.product(reset_cooldown_days=1)
    await world.signing.turn_on(OWNER, product.product.id, SigningKind.ED25519)
    await world.api_keys.add(OWNER, product.product.id, "Jar")
    await world.versions.set(OWNER, product.product.id, spec="1.0", state=VersionState.ALLOWED)
    held = await world.issue(discord_id=HOLDER, holder_name="The Holder", expiry="90d", notes="secret note")
    await world.validate(product.api_key, held.key)
    others = [await world.issue(discord_id=HOLDER) for _ in range(4)]
    await world.changes.suspend(OWNER, others[0].key)
    await world.licenses.revoke(OWNER, others[1].key)
    offers = [
        await world.transfers.offer(
            member(HOLDER), issued.view.license.id, to_discord_id=RECIPIENT, to_name=f"member {RECIPIENT}"
        )
        for issued in others[2:]
    ]
    await world.transfers.accept(member(RECIPIENT), offers[1].transfer.id)
    refused = await world.validation.validate(product.api_key, Call(others[0].key))
    await world.attempts.flush(world.store)
    await world.refusals.flush(world.store)
    stock = await world.issue()
    await world.staff.grant(OWNER, role_id=FREE_ROLE + 1, permissions=list(Permission))
    await world.blacklist.add(OWNER, network=BLOCKED, reason="scans")
    await world.blacklist.add(OWNER, network=BLOCKED, target=Target(license=held.key))
    view = held.view
    return Shop(
        license_id=view.license.id,
        license=held.key,
        suspended=others[0].key,
        revoked=others[1].key,
        stock=stock.key,
        offered_id=offers[0].transfer.id,
        accepted_id=offers[1].transfer.id,
        support_code=refused.support_code or "",
        product_id=product.product.id,
        customer_id=view.license.customer_id or 0,
        api_key=product.api_key,
    )
