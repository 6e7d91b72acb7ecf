"""What staff change about a license after it was issued, each change shown before and after."""

from collections.abc import Callable
from dataclasses import dataclass

from licensing import lifecycle
from licensing.choices import ActorKind, LicenseState, Permission
from licensing.errors import LicenseNotFound, NoAddresses, NotAllowed, NothingToChange
from licensing.events import Action, about, difference, happened
from licensing.input_errors import MaxIpsInvalid, NotesTooLong, NothingNamed
from licensing.models import MAX_IPS_LIMIT, NOTES_LIMIT, Actor, License, LicenseView
from licensing.ports import Clock, Steps, Store, Transaction, Vault
from licensing.services.access import require
from licensing.services.lookup import find_license
from licensing.services.resets import free_seats
from licensing.services.switches import checked_custom
from licensing.services.terms import checked_reason
from licensing.versions import parse_pin


@dataclass(frozen=True, slots=True)
class Changed:
    """A license as it was and as it is now."""

    before: LicenseView
    after: LicenseView


@dataclass(frozen=True, slots=True)
class Edit:
    """What staff typed into the edit; None leaves a thing as it is, 0 is no limit, an empty text is none."""

    max_ips: int | None = None
    notes: str | None = None
    expiry: str | None = None
    version: str | None = None


class ChangeService:
    """Extends, edits, suspends, reinstates, resets and restores."""

    def __init__(self, store: Store, vault: Vault, *, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def extend(self, by: Actor, text: str, duration: str) -> Changed:
        """Give a license more time.

        Raises: NotAllowed, LicenseNotFound, LicenseNotActive, LicenseUnlimited, ExpiryInvalid and its kin.
        """
        now_ms = self._clock()
        return await self._change(
            by, text, Action.LICENSE_EXTENDED, lambda it: lifecycle.extend(it, duration, now_ms=now_ms), now_ms=now_ms
        )

    async def edit(self, by: Actor, text: str, edit: Edit) -> Changed:
        """Change a license's address limit, notes, end or pin.

        Raises: NotAllowed, LicenseNotFound, LicenseNotActive, NothingToChange, MaxIpsInvalid, NotesTooLong,
        VersionInvalid, VersionRangeInvalid, ExpiryInvalid and its kin.
        """
        check_edit(edit)
        now_ms = self._clock()
        return await self._change(
            by, text, Action.LICENSE_UPDATED, lambda it: _edited(it, edit, now_ms), now_ms=now_ms
        )

    async def pin(self, by: Actor, text: str, pin_text: str) -> Changed:
        """Let a license run one version or range of versions alone; an empty text lets it run any.

        Raises: NotAllowed, LicenseNotFound, LicenseNotActive, NothingToChange, VersionInvalid, VersionRangeInvalid.
        """
        return await self.edit(by, text, Edit(version=pin_text))

    async def override(self, by: Actor, text: str, custom_text: str | None) -> Changed:
        """Set what a license's answers say in place of its product's custom response, or take it away.

        Raises: NotAllowed, LicenseNotFound, LicenseNotActive, NothingToChange, CustomNotJson and its kin.
        """
        custom, now_ms = checked_custom(custom_text), self._clock()
        return await self._change(
            by, text, Action.LICENSE_UPDATED, lambda it: _overridden(it, custom, now_ms), now_ms=now_ms
        )

    async def suspend(self, by: Actor, text: str, *, reason: str | None = None) -> Changed:
        """Pause a license: the very next validation is refused.

        Raises: NotAllowed, LicenseNotFound, LicenseNotActive, NothingToChange, NotesTooLong.
        """
        now_ms = self._clock()
        return await self._change(
            by,
            text,
            Action.LICENSE_SUSPENDED,
            lambda it: lifecycle.suspend(it, now_ms=now_ms),
            now_ms=now_ms,
            reason=reason,
        )

    async def reinstate(self, by: Actor, text: str) -> Changed:
        """End a pause.

        Raises: NotAllowed, LicenseNotFound, LicenseNotActive, LicenseNotSuspended.
        """
        now_ms = self._clock()
        return await self._change(
            by, text, Action.LICENSE_REINSTATED, lambda it: lifecycle.reinstate(it, now_ms=now_ms), now_ms=now_ms
        )

    async def restore(self, by: Actor, text: str) -> Changed:
        """Take a revocation back; nobody in Discord can.

        Raises: NotAllowed, LicenseNotFound, LicenseNotRevoked.
        """
        if by.kind is not ActorKind.OPERATOR:
            raise NotAllowed(permission=Permission.LICENSES_REVOKE)
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[Changed]:
            view = yield from find_license(tx, self._vault, by.organization_id, text)
            # Locked before the ledger is read, so that no later revocation is missed.
            yield from tx.licenses.lock(by.organization_id, view.license.id)
            revoked = yield from tx.ledger.last(view.license.id, Action.LICENSE_REVOKED)
            state = LicenseState((revoked.before or {}).get("state", LicenseState.ACTIVE) if revoked else "active")
            return (
                yield from _apply(
                    tx,
                    by,
                    view,
                    action=Action.LICENSE_RESTORED,
                    change=lambda it: lifecycle.restore(it, state=state, now_ms=now_ms),
                    now_ms=now_ms,
                )
            )

        return await self._store.write(work)

    async def reset_ips(self, by: Actor, text: str) -> Changed:
        """Free every seat of a license: those of its addresses and those of its devices.

        Raises: NotAllowed, LicenseNotFound, NothingToChange.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[Changed]:
            yield from require(tx, by, Permission.LICENSES_RESET_IPS)
            view = yield from find_license(tx, self._vault, by.organization_id, text)
            yield from free_seats(tx, by, view, now_ms=now_ms)
            return Changed(view, view.model_copy(update={"addresses": (), "devices": ()}))

        return await self._store.write(work)

    async def suspendable(self, by: Actor, text: str) -> LicenseView:
        """Return a license that this actor could suspend now: what is asked before it is done.

        Raises: NotAllowed, LicenseNotFound, LicenseNotActive, NothingToChange.
        """
        now_ms = self._clock()
        view = await self.editable(by, text)
        lifecycle.suspend(view.license, now_ms=now_ms)
        return view

    async def editable(self, by: Actor, text: str) -> LicenseView:
        """Return a license that this actor could change, with what a form is filled in with.

        Raises: NotAllowed, LicenseNotFound, LicenseNotActive.
        """
        view = await self._seen_by(by, text, Permission.LICENSES_EDIT)
        lifecycle.edit(view.license, max_ips=None, notes=None, now_ms=self._clock())
        return view

    async def resettable(self, by: Actor, text: str) -> LicenseView:
        """Return a license whose seats this actor could free now.

        Raises: NotAllowed, LicenseNotFound, NothingToChange.
        """
        view = await self._seen_by(by, text, Permission.LICENSES_RESET_IPS)
        if not view.addresses and not view.devices:
            raise NoAddresses
        return view

    async def _seen_by(self, by: Actor, text: str, permission: Permission) -> LicenseView:
        def work(tx: Transaction) -> Steps[LicenseView]:
            yield from require(tx, by, permission)
            return (yield from find_license(tx, self._vault, by.organization_id, text))

        return await self._store.read(work)

    async def _change(
        self,
        by: Actor,
        text: str,
        action: Action,
        change: Callable[[License], License],
        *,
        now_ms: int,
        reason: str | None = None,
    ) -> Changed:
        reason = checked_reason(reason)

        def work(tx: Transaction) -> Steps[Changed]:
            yield from require(tx, by, Permission.LICENSES_EDIT)
            view = yield from find_license(tx, self._vault, by.organization_id, text)
            return (yield from _apply(tx, by, view, action=action, change=change, now_ms=now_ms, reason=reason))

        return await self._store.write(work)


def _apply(
    tx: Transaction,
    by: Actor,
    view: LicenseView,
    *,
    action: Action,
    change: Callable[[License], License],
    now_ms: int,
    reason: str | None = None,
) -> Steps[Changed]:
    before = yield from tx.licenses.lock(by.organization_id, view.license.id)
    if before is None:
        raise LicenseNotFound(text=f"#{view.license.id}")
    after = change(before)
    yield from tx.licenses.save(after)
    event = happened(action, by=by, at_ms=now_ms, reason=reason, **about(after), **difference(before, after))
    yield from tx.ledger.append(event)
    return Changed(view.model_copy(update={"license": before}), view.model_copy(update={"license": after}))


def check_edit(edit: Edit) -> None:
    """Refuse values that no license could have.

    Raises: MaxIpsInvalid, NotesTooLong, NothingNamed, VersionInvalid, VersionRangeInvalid.
    """
    if edit == Edit():
        raise NothingNamed
    if edit.max_ips is not None and not 0 <= edit.max_ips <= MAX_IPS_LIMIT:
        raise MaxIpsInvalid(limit=MAX_IPS_LIMIT)
    if edit.notes is not None and len(edit.notes) > NOTES_LIMIT:
        raise NotesTooLong(limit=NOTES_LIMIT)
    parse_pin(edit.version or "")


def _edited(license_: License, edit: Edit, now_ms: int) -> License:
    max_ips = license_.max_ips if edit.max_ips is None else edit.max_ips or None
    notes = license_.notes if edit.notes is None else edit.notes.strip() or None
    edited = lifecycle.edit(license_, max_ips=max_ips, notes=notes, now_ms=now_ms)
    if edit.expiry is not None:
        edited = lifecycle.set_end(edited, edit.expiry, now_ms=now_ms)
    if edit.version is not None:
        version, minimum, maximum = parse_pin(edit.version)
        edited = lifecycle.pin(edited, version=version, minimum=minimum, maximum=maximum, now_ms=now_ms)
    return _differing(license_, edited)


def _overridden(license_: License, custom: str | None, now_ms: int) -> License:
    return _differing(license_, lifecycle.override(license_, custom, now_ms=now_ms))


def _differing(before: License, after: License) -> License:
    """Return a changed license, if anything about it changed.

    Raises: NothingToChange.
    """
    if after.model_copy(update={"updated_at_ms": before.updated_at_ms}) == before:
        raise NothingToChange
    return after
