"""What signs a product: turned on and off, rotated in time, never twice, and never told of in the ledger."""

import asyncio
import json

import pytest
from factories import DAY_MS
from hypothesis import given
from hypothesis import strategies as st
from storage_world import OWNER, World, opened

from licensing.choices import ActorKind, SigningKind
from licensing.errors import NothingToChange, SigningKeyRotatedAlready, SigningOff
from licensing.events import Action
from licensing.input_errors import GraceInvalid
from licensing.models import SigningKey
from licensing.proofs import current_key, ends_before, newest_key
from storage import DatabaseSettings

HMAC, ED25519, RSA = SigningKind.HMAC, SigningKind.ED25519, SigningKind.RSA
HOUR_MS = 3_600_000


async def signing_events(world: World):
    return [event for event in await world.events() if event.action is Action.PRODUCT_SIGNING_CHANGED]


async def keys_of(world: World, product_id: int = 1):
    return await world.store.read(lambda tx: tx.signing_keys.of(product_id))


@pytest.mark.parametrize("kind", SigningKind)
async def test_turning_a_kind_on_makes_its_key_once_and_turning_it_off_keeps_it(
    world: World, kind: SigningKind
) -> None:
    await world.product()
    on = await world.signing.turn_on(OWNER, "Pro", kind)
    assert on.view.is_on(kind)
    assert (on.secret is not None) is (kind is HMAC)
    key = on.view.newest(kind)
    off = await world.signing.turn_off(OWNER, "pro", kind)
    assert not off.view.is_on(kind)
    again = await world.signing.turn_on(OWNER, 1, kind)
    assert (again.view.newest(kind), again.secret) == (key, None)
    assert [each.id for each in await keys_of(world)] == [key.id]
    facts = [(event.before, event.after) for event in await signing_events(world)]
    switch, was, now = ("sign_hmac", False, True) if kind is HMAC else ("sign_headers", None, kind.value)
    assert facts == [
        ({switch: was}, {switch: now, "key_id": key.id}),
        ({switch: now}, {switch: was}),
        ({switch: was}, {switch: now}),
    ]


async def test_what_is_so_already_is_not_done_again_and_leaves_no_event(world: World) -> None:
    await world.product()
    with pytest.raises(NothingToChange):
        await world.signing.turn_off(OWNER, "Pro", HMAC)
    await world.signing.turn_on(OWNER, "Pro", ED25519)
    with pytest.raises(NothingToChange):
        await world.signing.turn_on(OWNER, "Pro", ED25519)
    with pytest.raises(NothingToChange):
        await world.signing.turn_off(OWNER, "Pro", RSA)  # which must not turn the other kind off
    assert (await world.signing.view(OWNER, "Pro")).is_on(ED25519)
    assert len(await signing_events(world)) == 1


async def test_one_kind_of_header_takes_the_place_of_the_other(world: World) -> None:
    await world.product()
    first = await world.signing.turn_on(OWNER, "Pro", ED25519)
    assert (first.view.replaced_by(RSA), first.view.replaced_by(ED25519), first.view.replaced_by(HMAC)) == (
        ED25519,
        None,
        None,
    )
    second = await world.signing.turn_on(OWNER, "Pro", RSA)
    assert (second.view.is_on(RSA), second.view.is_on(ED25519)) == (True, False)
    assert second.view.newest(ED25519) == first.view.newest(ED25519)


async def test_two_who_turn_it_on_at_once_make_one_key_and_the_secret_is_shown_to_one(
    settings: DatabaseSettings,
) -> None:
    async with opened(settings) as world, opened(settings) as elsewhere:
        await world.product()
        done = await asyncio.gather(
            *(each.signing.turn_on(OWNER, "Pro", HMAC) for each in (world, elsewhere, world)), return_exceptions=True
        )
        assert sorted(type(each).__name__ for each in done) == [
            "NothingToChange",
            "NothingToChange",
            "SigningChanged",
        ]
        [key] = await keys_of(world)
        [changed] = [each for each in done if not isinstance(each, BaseException)]
        assert changed.secret == world.signer.secret(key)


async def test_a_rotation_with_grace_hands_over_at_its_end_and_without_one_at_once(world: World) -> None:
    await world.product()
    old = (await world.signing.turn_on(OWNER, "Pro", ED25519)).view.newest(ED25519)
    changed = await world.signing.rotate(OWNER, "Pro", ED25519, grace="24h", replacing=old.id)
    new = changed.view.newest(ED25519)
    assert [shown.key.id for shown in changed.view.keys] == [old.id, new.id]
    assert new.signs_from_ms == world.now_ms + DAY_MS
    for after_ms, key in ((0, old), (DAY_MS - 1, old), (DAY_MS, new)):
        found = current_key(await keys_of(world), ED25519, now_ms=world.now_ms + after_ms)
        assert found is not None
        assert found.id == key.id
    newest = (await world.signing.rotate(OWNER, "Pro", ED25519)).view
    assert [shown.key.id for shown in newest.keys] == [newest.newest(ED25519).id]
    event = (await signing_events(world))[-2]
    assert event.before == {"kind": "ed25519", "key_ids": [old.id]}
    assert event.after == {"kind": "ed25519", "key_id": new.id, "signs_from_ms": world.now_ms + DAY_MS}


async def test_a_confirmation_that_is_pressed_twice_rotates_once(world: World) -> None:
    await world.product()
    old = (await world.signing.turn_on(OWNER, "Pro", HMAC)).view.newest(HMAC)
    presses = [world.signing.rotate(OWNER, "Pro", HMAC, grace="1h", replacing=old.id) for _ in range(3)]
    done = await asyncio.gather(*presses, return_exceptions=True)
    assert sum(isinstance(each, SigningKeyRotatedAlready) for each in done) == 2
    assert len(await keys_of(world)) == 2


async def test_what_has_no_key_cannot_be_rotated_and_what_is_no_grace_is_refused(world: World) -> None:
    await world.product()
    with pytest.raises(SigningOff):
        await world.signing.rotate(OWNER, "Pro", RSA)
    await world.signing.turn_on(OWNER, "Pro", ED25519)
    with pytest.raises(GraceInvalid):
        await world.signing.rotate(OWNER, "Pro", ED25519, grace="31d")


async def test_keys_that_ended_before_the_last_rotation_are_forgotten(world: World) -> None:
    await world.product()
    await world.signing.turn_on(OWNER, "Pro", ED25519)
    await world.signing.turn_on(OWNER, "Pro", HMAC)
    for _ in range(5):
        world.now_ms += 1
        await world.signing.rotate(OWNER, "Pro", ED25519)
    kinds = [key.kind for key in await keys_of(world)]
    assert sorted(kinds) == [ED25519, ED25519, HMAC]


async def test_no_secret_reaches_the_ledger_or_a_printed_result(world: World) -> None:
    await world.product()
    on = [await world.signing.turn_on(OWNER, "Pro", kind) for kind in SigningKind]
    rotated = [await world.signing.rotate(OWNER, "Pro", kind) for kind in SigningKind]
    told = json.dumps([event.model_dump(mode="json") for event in await world.events()])
    assert "kp_sign_" not in told + repr(on) + repr(rotated)
    assert "PRIVATE" not in told
    for key in await keys_of(world):
        assert key.sealed.hex() not in told


async def test_a_products_key_for_files_is_made_once_by_the_program_itself(world: World) -> None:
    product = (await world.product(license_file_days=7)).product
    made = await asyncio.gather(*(world.signing.file_key(product) for _ in range(4)))
    assert len({key.id for key in made}) == 1
    assert [key.id for key in await keys_of(world)] == [made[0].id]
    [event] = await signing_events(world)
    assert (event.actor_kind, event.product_id) == (ActorKind.SYSTEM, product.id)
    assert event.after == {"kind": "ed25519", "key_id": made[0].id}


async def test_whoever_looks_at_a_product_with_files_is_shown_the_key_to_ship(world: World) -> None:
    product = (await world.product(license_file_days=7)).product
    shown = (await world.signing.view(OWNER, "Pro")).newest(ED25519)
    assert await world.signing.file_key(product) == shown
    assert len(await signing_events(world)) == 1
    await world.product("Plain")
    assert (await world.signing.view(OWNER, "Plain")).keys == []


def a_key(name: int, *, signs_from_ms: int) -> SigningKey:
    return SigningKey(
        id=str(name),
        product_id=1,
        kind=HMAC,
        sealing_id="",
        sealed=b"",
        created_at_ms=0,
        signs_from_ms=signs_from_ms,
    )


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=8), st.integers(-5, 60))
def test_however_keys_were_rotated_one_signs_at_every_moment_and_it_is_published(
    rotations: list[tuple[int, int]], later_ms: int
) -> None:
    keys, now_ms = [a_key(0, signs_from_ms=0)], 0
    for number, (waited_ms, grace_ms) in enumerate(rotations, start=1):
        now_ms += waited_ms
        ends = dict(ends_before(keys, HMAC, begins_ms=now_ms + grace_ms, now_ms=now_ms))
        keys = [key.model_copy(update={"signs_until_ms": ends.get(key.id, key.signs_until_ms)}) for key in keys]
        keys.append(a_key(number, signs_from_ms=now_ms + grace_ms))
        assert newest_key(keys, HMAC) == keys[-1]
        assert current_key(keys, HMAC, now_ms=now_ms + grace_ms) == keys[-1]
    at_ms = now_ms + later_ms
    current = current_key(keys, HMAC, now_ms=at_ms)
    assert current is not None
    assert later_ms < 0 or current.signs_from_ms <= at_ms
