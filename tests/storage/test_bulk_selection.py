"""What a change of many licenses is about: what was selected and shown before, and nothing beside it."""

import pytest
from storage_world import OTHER_OWNER, OWNER, World
from stored_rows import rows_of

from licensing.input_errors import NothingSelected
from licensing.services import bulk
from licensing.services.bulk import BulkChange, Selection
from licensing.services.terms import Terms
from licensing.verdict import Status
from storage import DatabaseSettings

EVERYTHING = Selection(product="Pro")
REVOKE, SUSPEND, REINSTATE = BulkChange


async def test_a_selection_holds_what_everything_named_applies_to_and_its_preview_shows_that(world: World) -> None:
    await world.product()
    await world.product("Lite")
    held = await world.bulk.issue(OWNER, Terms("Pro", discord_id=20), 4)
    await world.bulk.issue(OWNER, Terms("Pro", discord_id=21), 3)
    await world.bulk.issue(OWNER, Terms("Lite", discord_id=20), 2)
    await world.bulk.issue(OWNER, Terms("Pro"), 1)
    await world.bulk.change(OWNER, REVOKE, Selection(license_ids=[held.keys[0][0]]))
    shown = await world.bulk.preview(OWNER, REVOKE, EVERYTHING)
    assert (shown.count, shown.holders.count, shown.left_alone, len(shown.sample)) == (7, 2, 1, bulk.SAMPLE)
    for selection, count in (
        (Selection(discord_id=20), 5),
        (Selection(product="Pro", discord_id=20), 3),
        (Selection(status=Status.NOT_CLAIMED), 1),
        (Selection(product="Pro", status=Status.REVOKED), 0),
        (Selection(license_ids=[license_id for license_id, _ in held.keys]), 3),
        (Selection(license_ids=[]), 0),
    ):
        assert (await world.bulk.preview(OWNER, REVOKE, selection)).count == count
    with pytest.raises(NothingSelected):
        await world.bulk.preview(OWNER, REVOKE, Selection())


async def test_as_many_other_licenses_have_another_digest_and_the_same_ones_the_same(world: World) -> None:
    await world.product()
    lot = await world.bulk.issue(OWNER, Terms("Pro"), 8)
    ids = [license_id for license_id, _ in lot.keys]

    async def digest(*chosen: int) -> int:
        return (await world.bulk.preview(OWNER, REVOKE, Selection(license_ids=[ids[it] for it in chosen]))).digest

    # Equal sums, and equal sums of squares too.
    assert await digest(0, 3) != await digest(1, 2)
    assert await digest(0, 4, 5) != await digest(1, 2, 6)
    before = await digest(0, 3)
    await world.bulk.change(OWNER, SUSPEND, Selection(license_ids=[ids[0]]))
    assert await digest(0, 3) == before


async def test_what_is_issued_after_the_preview_is_not_changed_with_what_it_showed(world: World) -> None:
    product = await world.product()
    await world.bulk.issue(OWNER, Terms("Pro", discord_id=20), 2)
    shown = await world.bulk.preview(OWNER, REVOKE, EVERYTHING)
    later = await world.issue(discord_id=20)
    assert (await world.bulk.change(OWNER, REVOKE, shown.selection)).changed == 2
    assert (await world.validate(product.api_key, later.key)).valid


async def test_nothing_of_another_organization_is_touched_whatever_is_selected(
    two_shops: World, settings: DatabaseSettings
) -> None:
    world = two_shops
    await world.product()
    await world.product(by=OTHER_OWNER)
    lot = await world.bulk.issue(OWNER, Terms("Pro", discord_id=20), 3)
    await world.bulk.issue(OTHER_OWNER, Terms("Pro", discord_id=20), 3)
    before = rows_of(settings.path, 1)
    ids = [license_id for license_id, _ in lot.keys]
    assert (await world.bulk.change(OTHER_OWNER, REVOKE, Selection(license_ids=ids))).changed == 0
    assert (await world.bulk.change(OTHER_OWNER, SUSPEND, Selection(discord_id=20))).changed == 3
    assert (await world.bulk.change(OTHER_OWNER, REVOKE, EVERYTHING)).changed == 3
    assert rows_of(settings.path, 1) == before
