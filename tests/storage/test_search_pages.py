"""Pages of what is found: complete, in order, and nothing twice, while licenses come and go."""

from collections.abc import Callable

import pytest
from storage_world import OWNER, World

from licensing.services.finder import COUNTED, FIRST, LAST, PAGE, Found, Place


async def walked(world: World, step: Callable[[Found], Place | None], start: Place, **sought: object) -> list[Found]:
    pages, place = list[Found](), start
    while True:
        pages.append(await world.finder.find(OWNER, place=place, **sought))  # type: ignore[arg-type]
        following = step(pages[-1])
        if following is None:
            return pages
        place = following


def older(page: Found) -> Place | None:
    return Place((page.page or 0) + 1, before_id=page.views[-1].license.id) if page.has_older else None


def newer(page: Found) -> Place | None:
    return Place((page.page or 0) - 1, after_id=page.views[0].license.id) if page.has_newer else None


async def test_pages_are_complete_and_without_doubles_while_licenses_come(world: World) -> None:
    await world.product()
    there = [(await world.issue(notes="order")).view.license.id for _ in range(3 * PAGE + 5)]
    place, seen, numbers = FIRST, list[int](), list[tuple[int | None, int | None]]()
    while place is not None:
        page = await world.finder.find(OWNER, text="order", place=place)
        seen += [view.license.id for view in page.views]
        numbers.append((page.page, page.last_page))
        await world.issue(notes="order")
        place = older(page)  # type: ignore[assignment]
    assert seen == sorted(there, reverse=True)
    assert numbers == [(0, 3), (1, 3), (2, 3), (3, 3)]


async def test_pages_lead_back_to_the_newest_and_from_the_last_to_all_of_them(world: World) -> None:
    await world.product()
    ids = [(await world.issue()).view.license.id for _ in range(2 * PAGE + 5)]
    pages = await walked(world, newer, LAST)
    assert [view.license.id for page in pages for view in reversed(page.views)][: 2 * PAGE] == ids[: 2 * PAGE]
    assert [view.license.id for view in pages[-1].views] == sorted(ids, reverse=True)[:PAGE]
    assert (pages[0].has_older, pages[0].page, pages[-1].has_newer, pages[-1].page) == (False, 2, False, 0)


async def test_a_page_has_no_number_where_newer_licenses_came_in_before_it(world: World) -> None:
    await world.product()
    for _ in range(2 * PAGE):
        await world.issue()
    second = await world.finder.find(OWNER, place=older(await world.finder.find(OWNER)) or FIRST)
    for _ in range(2 * PAGE):
        await world.issue()
    back = await world.finder.find(OWNER, place=newer(second) or FIRST)
    assert (back.page, back.has_newer, back.has_older) == (None, True, True)
    further = await walked(world, newer, Place(None, after_id=back.views[0].license.id))
    assert [page.page for page in further] == [None, 0]


async def test_a_page_of_which_nothing_is_left_gives_way_to_the_last_one(world: World) -> None:
    await world.product()
    ids = [(await world.issue()).view.license.id for _ in range(PAGE + 5)]
    emptied = await world.finder.find(OWNER, place=Place(1, before_id=ids[0]))
    assert [view.license.id for view in emptied.views] == sorted(ids[:PAGE], reverse=True)
    nothing = await world.finder.find(OWNER, text="nobody", place=Place(1, before_id=ids[0]))
    assert (list(nothing.views), nothing.count, nothing.has_newer, nothing.has_older) == ([], 0, False, False)


async def test_more_than_a_thousand_are_not_counted_and_yet_all_are_reached(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("licensing.services.finder.COUNTED", 40)
    await world.product()
    ids = [(await world.issue()).view.license.id for _ in range(3 * PAGE)]
    pages = await walked(world, older, FIRST)
    assert [view.license.id for page in pages for view in page.views] == sorted(ids, reverse=True)
    assert {(page.count, page.is_more, page.last_page) for page in pages} == {(40, True, None)}
    last = await world.finder.find(OWNER, place=LAST)
    assert ([view.license.id for view in last.views], last.page) == (sorted(ids[:PAGE], reverse=True), None)
    assert len(await world.finder.export(OWNER)) == 3 * PAGE
    assert COUNTED == 1_000
