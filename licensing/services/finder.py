"""How staff find licenses: as they type, page by page, or all at once to take away."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from licensing.choices import Permission, ProductState
from licensing.events import Action, happened
from licensing.models import Actor, LicenseView, Product
from licensing.ports import Clock, Search, Steps, Store, Transaction, Vault
from licensing.services.access import require
from licensing.services.catalog import find_product
from licensing.services.lookup import seek_license
from licensing.verdict import Status, license_status

EXPORT_PAGE = 1_000
PAGE = 25

_PRODUCTS = 1_000  # of these the ones in the state that is sought are picked


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was sought."""

    views: Sequence[LicenseView]
    count: int
    page: int
    last_page: int


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
            return (yield from tx.licenses.search(by.organization_id, Search(text=text.strip(), limit=limit)))

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
        page: int = 0,
    ) -> Found:
        """Return a page of licenses by any of a text, a product and a status, and how many there are in all.

        Raises: NotAllowed, ProductNotFound.
        """
        now_ms = self._clock()

        def work(tx: Transaction) -> Steps[Found]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            product_id = (yield from find_product(tx, by.organization_id, product)).id if product else None
            sought = Search(text=text.strip(), product_id=product_id, status=status, now_ms=now_ms, limit=PAGE)
            count = yield from tx.licenses.found(by.organization_id, sought)
            last_page = max(0, -(-count // sought.limit) - 1)
            shown = replace(sought, page=min(page, last_page))
            views = yield from tx.licenses.search(by.organization_id, shown)
            return Found(views, count, shown.page, last_page)

        return await self._store.read(work)

    async def product_id(self, by: Actor, name: str) -> int:
        """Return the id of the product whose licenses are sought.

        Raises: NotAllowed, ProductNotFound.
        """

        def work(tx: Transaction) -> Steps[int]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            return (yield from find_product(tx, by.organization_id, name)).id

        return await self._store.read(work)

    async def held(self, by: Actor, discord_id: int, *, page: int = 0) -> Found:
        """Return a page of everything that a member holds.

        Raises: NotAllowed.
        """

        def work(tx: Transaction) -> Steps[Sequence[LicenseView]]:
            yield from require(tx, by, Permission.LICENSES_VIEW)
            return (yield from tx.licenses.held_by(by.organization_id, discord_id))

        views = await self._store.read(work)
        last_page = max(0, -(-len(views) // PAGE) - 1)
        shown = min(page, last_page)
        return Found(views[shown * PAGE : (shown + 1) * PAGE], len(views), shown, last_page)

    async def export(
        self, by: Actor, *, text: str = "", product: str | int | None = None, status: Status | None = None
    ) -> Sequence[Exported]:
        """Return every license that is sought with its whole key, and write down who asked.

        Raises: NotAllowed, ProductNotFound.
        """
        now_ms = self._clock()

        def write_down(tx: Transaction) -> Steps[Search]:
            yield from require(tx, by, Permission.LICENSES_EXPORT)
            product_id = (yield from find_product(tx, by.organization_id, product)).id if product else None
            sought = Search(text=text.strip(), product_id=product_id, status=status, now_ms=now_ms, limit=EXPORT_PAGE)
            count = yield from tx.licenses.found(by.organization_id, sought)
            # Not the text itself: it may be a whole key.
            after = {"licenses": count, "by_text": bool(text), "product_id": product_id, "status": status}
            yield from tx.ledger.append(happened(Action.LICENSES_EXPORTED, by=by, at_ms=now_ms, after=after))
            return sought

        sought, exported = await self._store.write(write_down), list[Exported]()
        while page := await self._page(by, sought):
            exported += page
            sought = replace(sought, before_id=page[-1].view.license.id)
        return exported

    async def _page(self, by: Actor, sought: Search) -> Sequence[Exported]:
        """Return the next licenses of an export: page by page, so that nobody waits for the whole of it."""
        views = await self._store.read(lambda tx: tx.licenses.search(by.organization_id, sought))
        return [Exported(view, self._vault.reveal(view.key), _status(view, sought.now_ms)) for view in views]


def _status(view: LicenseView, now_ms: int) -> Status:
    return license_status(view.license, view.product, now_ms=now_ms)
