"""What staff find by what they type, and that nobody finds what is not theirs."""

import pytest
from storage_world import OWNER, World, member

from licensing.choices import LicenseState
from licensing.errors import NotAllowed
from licensing.models import Actor
from licensing.verdict import Status

FULL_WIDTH = "\uff46\uff55\uff4c\uff4c"  # what a Japanese keyboard types for "full"


OTHER = Actor(organization_id=2, id=11, name="Rita", is_administrator=True)


async def found(world: World, text: str, **filters: object) -> list[int]:
    page = await world.finder.find(OWNER, text=text, **filters)  # type: ignore[arg-type]
    return [view.license.id for view in page.views]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("grace", True),
        ("Hop", True),
        ("  hopper GRACE ", True),
        ("hop gra navy", True),
        ("grace hopper ada", False),
        ("opper", False),
        ("g.hopper", True),
        ("g.hopper+keys@navy-yard.example", True),
        ("NAVY-YARD", True),
        ("example", True),
        ("@", False),
        ("hopper@", True),
        ("400123", True),
        ("40012", False),
        ("order 77", True),
        ("77 order", True),
        ("#77a", True),
        ("STRASSE", True),
        ("straße 5", True),
        ("ÄRGER", True),
        ("arger", False),
        (FULL_WIDTH, True),
        ("हिन्दी", True),
        ("мир", True),
        ("%", False),
        ("_", False),
        ("hop%", True),
        ("🔥", False),
        ("'; DROP TABLE license_words; --", False),
        ('"', False),
        ("\\", False),
        ("9" * 300, False),
        ("x" * 300, False),
    ],
)
async def test_a_license_is_found_by_the_start_of_every_word_that_was_typed(
    world: World, text: str, is_found: bool
) -> None:
    await world.product()
    notes = 'Straße 5, Ärger; "order" #77a_b full हिन्दी мир 🔥 \\'
    held = await world.issue(discord_id=400123, holder_name="Grace Hopper", notes=notes)
    emailed = await world.issue(email="G.Hopper+keys@Navy-Yard.example", notes=f"grace {notes}")
    either = {held.view.license.id, emailed.view.license.id}
    assert bool(either & set(await found(world, text))) == is_found


async def test_the_start_of_a_key_finds_it_however_it_is_typed_and_so_does_the_whole_key(world: World) -> None:
    await world.product()
    issued = await world.issue()
    for text in (
        issued.key[:1],
        issued.key[:3],
        issued.key[:4].lower(),
        issued.key[:7],
        issued.key.replace("-", " "),
    ):
        assert await found(world, text) == [issued.view.license.id]
        assert [view.license.id for view in await world.finder.search(OWNER, text)] == [issued.view.license.id]
    for text in (f"#{issued.view.license.id}", issued.key):
        assert [view.license.id for view in await world.finder.search(OWNER, text)] == [issued.view.license.id]


async def test_a_text_that_names_one_license_finds_that_alone_and_within_the_filters(world: World) -> None:
    await world.product()
    await world.product("Lite")
    first, second = await world.issue(), await world.issue(notes="order #1", discord_id=20)
    (one, two), key = (issued.view.license.id for issued in (first, second)), second.key
    for text in (f"#{two}", f" #{two} ", key, key.lower().replace("-", " ")):
        assert await found(world, text) == await found(world, text, product="Pro", status=Status.ACTIVE) == [two]
        assert await found(world, text, product="Lite") == await found(world, text, status=Status.REVOKED) == []
        assert [row.view.license.id for row in await world.finder.export(OWNER, text=text)] == [two]
    assert await found(world, f"#{one}") == [one]
    assert await found(world, "#999") == []


async def test_a_whole_key_is_not_taken_for_the_start_that_it_shares_with_others(world: World) -> None:
    await world.product()
    issued = await world.issue(notes="reseller Hartmut Bernsteyn")
    mistyped = issued.key[:-1] + ("2" if issued.key[-1] != "2" else "3")
    longer = issued.key + "-ABCD"
    for text in (mistyped, mistyped.replace("-", ""), longer):
        assert await found(world, text) == await world.finder.search(OWNER, text) == []
    assert await found(world, issued.key[:-1]) == [issued.view.license.id]
    assert await found(world, f"{issued.key[:4]}@navy.example") == []
    assert await found(world, "Hartmut Bernsteyn") == [issued.view.license.id]  # as long as a key


@pytest.mark.parametrize("mention", ["<@400123>", "<@!400123>", " <@400123> "])
async def test_a_mention_finds_what_the_member_holds(world: World, mention: str) -> None:
    await world.product()
    held = await world.issue(discord_id=400123)
    await world.issue(discord_id=400124)
    assert await found(world, mention) == [held.view.license.id]
    assert [view.license.id for view in await world.finder.search(OWNER, mention)] == [held.view.license.id]
    assert await found(world, "<@&400123>") == await found(world, "<@>") == []


async def test_a_text_of_very_many_words_is_read_as_far_as_it_can_be_looked_for(world: World) -> None:
    await world.product()
    words = [f"w{number}" for number in range(1_600)]
    issued = await world.issue(notes=" ".join(words[:200]))
    assert await found(world, " ".join(words)) == [issued.view.license.id]
    assert [view.license.id for view in await world.finder.search(OWNER, " ".join(words))] == [issued.view.license.id]
    assert await found(world, " ".join(reversed(words))) == []


async def test_a_long_word_is_found_by_its_start_and_by_all_of_it(world: World) -> None:
    await world.product()
    issued = await world.issue(notes="y" * 900)
    for typed in (3, 64, 65, 900):
        assert await found(world, "y" * typed) == [issued.view.license.id]
    assert await found(world, "z" + "y" * 899) == []


async def test_nobody_finds_by_words_or_ids_what_belongs_to_another_server(two_shops: World) -> None:
    world = two_shops
    await world.product()
    await world.product("Other", by=OTHER)
    issued = await world.issue(discord_id=20, holder_name="Grace Hopper", notes="order 5")
    for text in ("grace", "order", "20", issued.key[:4], ""):
        assert await found(world, text) == [issued.view.license.id]
        assert (await world.finder.find(OTHER, text=text)).count == 0
    assert (await world.finder.held(OTHER, 20)).count == 0
    for status in Status.NOT_CLAIMED, Status.ACTIVE, Status.EXPIRED, Status.REVOKED:
        assert (await world.finder.find(OTHER, status=status)).count == 0


async def test_a_license_that_was_restored_is_no_longer_among_the_revoked(world: World) -> None:
    await world.product()
    issued = await world.issue(discord_id=20)
    await world.licenses.revoke(OWNER, issued.key)
    assert await found(world, "", status=Status.REVOKED) == [issued.view.license.id]
    assert (await world.licenses.view(OWNER, issued.key)).license.state is LicenseState.REVOKED
    assert await found(world, "", status=Status.ACTIVE) == []


async def test_a_member_finds_nothing_by_words(world: World) -> None:
    await world.product()
    await world.issue(notes="order")
    with pytest.raises(NotAllowed):
        await world.finder.find(member(30), text="order")
