"""How staff find licenses: as they type, page by page, or all at once to take away."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from licensing.choices import Permission, ProductState
from licensing.events import Action, happened
from licensing.models import Actor, LicenseView, Product
from licensing.ports import Clock, Search, Steps, Store, Transaction, Vault
from licensing.services.access import require
from licensing.services.catalog import find_product
from licensing.services.lookup import meant_by, seek_license
from licensing.verdict import Status, license_status

COUNTED = 1_000  # how many are found is counted so far; more than these are "more than"
EXPORT_PAGE = 1_000
PAGE = 25

_PRODUCTS = 1_000  # of these the ones in the state that is sought are picked


@dataclass(frozen=True, slots=True)
class Place:
    """Which page is asked for: what follows a license, so that licenses that come meanwhile move nothing.

    `before_id` asks for older ones, `after_id` for newer ones; `page` is the number that it is shown under, if any.
    """

    page: int | None = 0
    before_id: int | None = None
    after_id: int | None = None


FIRST = Place()
LAST = Place(page=None, after_id=0)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was sought; `count` ends at `COUNTED` where there are more, and some pages have no number."""

    views: Sequence[LicenseView]
    page: int | None
    has_newer: bool
    has_older: bool
    count: int = 0
    is_more: bool = False
    last_page: int | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """A license with its whole key, as an export shows it."""

    view: LicenseView
    key: str
    status: Status


class FinderService:
    """Finds licenses of an organization."""

    def __init__(self, store: Store, vault: Vault, *, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def search(
        self, by: Actor, text: str, *, permission: Permission = Permission.LICENSES_VIEW, limit: int = PAGE
    ) -> Sequence[LicenseView]:
        """Return licenses by reference, key, the start of a key, holder, email or note, newest first.

        Raises: NotAllowed, for whoever lacks the permission of what the license is picked for.
        """

        def work(tx: Transaction) -> Steps[Sequence[LicenseView]]:
            yield from require(tx, by, permission)
            named = yield from seek_license(tx, self._vault, by.organization_id, text)
            if named is not None:
                return [named]
            return (yield from tx.search.page(by.organization_id, Search(text=text.strip(), limit=limit)))

        return await self._store.read(work)

    async def products(
        self,
        by: Actor,
        starting: str,
        *,
        permission: Permission = Permission.PRODUCTS_VIEW,
        state: ProductState | None = None,
        limit: int = PAGE,
    ) -> Sequence[Product]:
        """Return products to pick from, of one state or of any.

        Raises: NotAllowed, for whoever lacks the permission of what the product is picked for.
        """

        def work(tx: Transaction) -> Steps[Sequence[Product]]:
            yield from require(tx, by, permission)
            return (yield from tx.products.list(by.organization_id, starting=starting.strip(), limit=_PRODUCTS))

        found = await self._store.read(work)
        return [product for product in found if state in (None, product.state)][:limit]

    async def find(
        self,
        by: Actor,
        *,
        text: str = "",
        product: str | int | None = None,
        status: Status | None = None,
        place: Place = FIRST,
    ) -> Found:
        """Return a page of licenses by any of a text, a product and a status, and how many there are in all.

        A text that names one license, by its reference or its whole key, finds that one alone.

        Raises: NotAllowed, ProductNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[Found]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            product_id = (yield from find_product(tx, by.organization_id, product)).id if product else None
            meant = yield from meant_by(tx, self._vault, by.organization_id, text.strip())
            sought = replace(meant, product_id=product_id, status=status, now_ms=now_ms)
            return (yield from _found(tx, by.organization_id, sought, place))

        return await self._store.read(work)

    async def product_id(self, by: Actor, name: str) -> int:
        """Return the id of the product whose licenses are sought.

        Raises: NotAllowed, ProductNotFound.
        """

        def work(tx: Transaction) -> Steps[int]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            return (yield from find_product(tx, by.organization_id, name)).id

        return await self._store.read(work)

    async def held(self, by: Actor, discord_id: int, *, place: Place = FIRST) -> Found:
        """Return a page of everything that a member holds.

        Raises: NotAllowed.
        """

        def work(tx: Transaction) -> Steps[Found]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            return (yield from _found(tx, by.organization_id, Search(holder_id=discord_id), place))

        return await self._store.read(work)

    async def export(
        self, by: Actor, *, text: str = "", product: str | int | None = None, status: Status | None = None
    ) -> Sequence[Exported]:
        """Return every license that is sought with its whole key, and write down who asked.

        Raises: NotAllowed, ProductNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[tuple[Search, int]]:
            yield from require(tx, by, Permission.LICENSES_EXPORT)
            product_id = (yield from find_product(tx, by.organization_id, product)).id if product else None
            meant = yield from meant_by(tx, self._vault, by.organization_id, text.strip())
            sought = replace(meant, product_id=product_id, status=status, now_ms=now_ms, limit=EXPORT_PAGE)
            return sought, (yield from tx.search.count(by.organization_id, sought))

        # Counted by a reader: a million licenses take longer than anybody may hold the lock.
        sought, count = await self._store.read(work)
        # Not the text itself: it may be a whole key.
        after = {"licenses": count, "by_text": bool(text), "product_id": sought.product_id, "status": status}
        event = happened(Action.LICENSES_EXPORTED, by=by, at_ms=now_ms, after=after)

        def write_down(tx: Transaction) -> Steps[None]:
            yield from require(tx, by, Permission.LICENSES_EXPORT)
            yield from tx.ledger.append(event)

        await self._store.write(write_down)
        exported = list[Exported]()
        while page := await self._page(by, sought):
            exported += page
            sought = replace(sought, before_id=page[-1].view.license.id)
        return exported

    async def _page(self, by: Actor, sought: Search) -> Sequence[Exported]:
        """Return the next licenses of an export: page by page, so that nobody waits for the whole of it."""
        views = await self._store.read(lambda tx: tx.search.page(by.organization_id, sought))
        return [Exported(view, self._vault.reveal(view.key), _status(view, sought.now_ms)) for view in views]


def _status(view: LicenseView, now_ms: int) -> Status:
    return license_status(view.license, view.product, now_ms=now_ms)


def _found(tx: Transaction, organization_id: int, sought: Search, place: Place) -> Steps[Found]:
    one_more = replace(sought, limit=PAGE + 1)  # which tells whether another page follows
    newest = (yield from tx.search.page(organization_id, one_more)) if place == FIRST else []
    if place == FIRST and len(newest) <= PAGE:
        return Found(newest, 0, has_newer=False, has_older=False, count=len(newest), last_page=0)
    # What the first page shows need not be found again.
    rest = replace(sought, before_id=newest[-1].license.id) if newest else sought
    counted = len(newest) + (yield from tx.search.count(organization_id, rest, most=COUNTED + 1 - len(newest)))
    is_more = counted > COUNTED
    last_page = None if is_more else max(0, -(-counted // PAGE) - 1)
    if newest:
        found = Found(newest[:PAGE], 0, has_newer=False, has_older=True)
    else:
        found = yield from _page(tx, organization_id, one_more, place, last_page)
    return replace(found, count=min(counted, COUNTED), is_more=is_more, last_page=last_page)


def _page(tx: Transaction, organization_id: int, sought: Search, place: Place, last_page: int | None) -> Steps[Found]:
    """Return the page of a place."""
    if place.before_id is not None:
        views = yield from tx.search.page(organization_id, replace(sought, before_id=place.before_id))
        if views:
            page = place.page if last_page is None or place.page is None else min(place.page, last_page)
            return Found(views[:PAGE], page, has_newer=True, has_older=len(views) > PAGE)
        place = LAST
    if place.after_id is not None:
        views = yield from tx.search.page(organization_id, replace(sought, after_id=place.after_id))
        is_last, has_newer = place.after_id == 0, len(views) > PAGE
        if is_last or has_newer:
            # More came in since the first page was shown: which page this is now, nobody has counted.
            page = last_page if is_last else place.page or None
            return Found(views[-PAGE:], page, has_newer=has_newer, has_older=not is_last)
        place = FIRST
    page = min(place.page or 0, COUNTED // PAGE if last_page is None else last_page)
    views = yield from tx.search.page(organization_id, replace(sought, skip=page * PAGE))
    return Found(views[:PAGE], page, has_newer=page > 0, has_older=len(views) > PAGE)
