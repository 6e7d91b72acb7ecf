"""Named API keys: few, told apart whatever the case, dead at once, and never written down as they are."""

import asyncio
import json

import pytest
from storage_world import OWNER, World, opened

from licensing.choices import KeyScope
from licensing.errors import ApiKeyNotFound, KeyNameTaken, TooManyApiKeys
from licensing.events import Action
from licensing.input_errors import KeyNameInvalid
from storage import DatabaseSettings


async def test_a_named_key_is_listed_by_name_and_prefix_and_only_its_hash_is_kept(
    world: World, settings: DatabaseSettings
) -> None:
    await world.product()
    new = await world.api_keys.add(OWNER, "pro", "  Shipped \t jar ")
    found = await world.api_keys.list(OWNER, "Pro")
    [key] = found.keys
    assert (key.name, key.prefix, key.scope) == ("Shipped jar", new.api_key[:12], KeyScope.VALIDATE)
    assert new.api_key.startswith("kp_live_")
    view = await world.catalog.view(OWNER, name="Pro")
    assert list(view.named_keys) == [key]
    assert key not in view.api_keys
    told = json.dumps([event.model_dump(mode="json") for event in await world.events()])
    event = (await world.events())[-1]
    assert (event.action, event.after) == (Action.PRODUCT_KEY_ADDED, {"name": "Shipped jar", "prefix": key.prefix})
    assert new.api_key not in told
    assert new.api_key.encode() not in settings.path.read_bytes()


@pytest.mark.parametrize("name", ["", "   ", "x" * 33, "a\nb\x07", "\u202eabc", "\ud800"])
async def test_a_name_that_nobody_could_read_is_refused(world: World, name: str) -> None:
    await world.product()
    with pytest.raises(KeyNameInvalid):
        await world.api_keys.add(OWNER, "Pro", name)


async def test_no_two_living_keys_have_the_same_name_whatever_the_case_and_a_removed_name_is_free(
    world: World,
) -> None:
    await world.product()
    await world.api_keys.add(OWNER, "Pro", "Straße")
    for name in ("straße", "STRASSE", " Straße "):
        with pytest.raises(KeyNameTaken):
            await world.api_keys.add(OWNER, "Pro", name)
    removed = await world.api_keys.remove(OWNER, "Pro", "STRASSE")
    assert removed.key.name == "Straße"
    event = (await world.events())[-1]
    assert (event.action, event.before) == (
        Action.PRODUCT_KEY_REMOVED,
        {"name": "Straße", "prefix": removed.key.prefix},
    )
    with pytest.raises(ApiKeyNotFound):
        await world.api_keys.remove(OWNER, "Pro", "Straße")
    await world.api_keys.add(OWNER, "Pro", "strasse")
    assert len((await world.api_keys.list(OWNER, "Pro")).keys) == 1


async def test_six_who_race_for_four_places_get_four(settings: DatabaseSettings) -> None:
    async with opened(settings) as world, opened(settings) as elsewhere:
        await world.product()
        adding = [
            each.api_keys.add(OWNER, "Pro", f"key {n}{i}")
            for n, each in enumerate((world, elsewhere))
            for i in range(3)
        ]
        done = await asyncio.gather(*adding, return_exceptions=True)
        assert sum(isinstance(each, TooManyApiKeys) for each in done) == 2
        assert len((await world.api_keys.list(OWNER, "Pro")).keys) == 4


async def test_a_confirmation_about_an_earlier_key_leaves_a_later_one_of_the_same_name_alone(world: World) -> None:
    await world.product()
    first = await world.api_keys.add(OWNER, "Pro", "Jar")
    asked = await world.api_keys.removable(OWNER, "Pro", "jar")
    await world.api_keys.remove(OWNER, "Pro", "Jar", prefix=asked.key.prefix)
    second = await world.api_keys.add(OWNER, "Pro", "Jar")
    assert first.api_key != second.api_key
    with pytest.raises(ApiKeyNotFound):
        await world.api_keys.remove(OWNER, "Pro", "Jar", prefix=asked.key.prefix)
    assert len((await world.api_keys.list(OWNER, "Pro")).keys) == 1
