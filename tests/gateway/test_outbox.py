"""How the outbox follows the ledger: in order, at least once, and never held up for ever by one event."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from cogs.deliveries import Pace
from cogs.lanes import SINGLE
from cogs.outbox import Away, Outbox, Outcome, Patience
from licensing.events import Event
from licensing.ports import Unavailable


@dataclass
class Minutes:
    """A clock that a failing delivery moves on by a minute."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


class Desk:
    """Delivers to nobody, failing as told."""

    def __init__(self, failures: dict[int, list[Exception]]) -> None:
        self.failures = failures
        self.seen: list[int] = []

    async def deliver(self, event: Event) -> Outcome:
        self.seen.append(event.id)
        if self.failures.get(event.id):
            raise self.failures[event.id].pop(0)
        return Outcome.DELIVERED


async def _events(world, count: int) -> None:
    for number in range(count):
        await world.organizations.joined(100 + number, name=f"Shop {number}")


async def test_nothing_overtakes_an_event_that_has_to_wait(world):
    await _events(world, 3)
    desk, outbox = Desk({2: [Unavailable(), OSError()]}), Outbox(world.store, pauses_s=(0,), poll_s=0.01)
    outbox.start(desk.deliver)

    assert await outbox.outcome(3, within_s=10) is Outcome.DELIVERED
    await outbox.stop()

    assert desk.seen == [1, 2, 2, 2, 3]


async def test_a_restart_repeats_at_most_the_event_in_hand(world):
    await _events(world, 3)
    reached = asyncio.Event()
    first = Desk({})

    async def hang_at_the_second(event: Event) -> Outcome:
        outcome = await first.deliver(event)
        if event.id == 2:
            reached.set()
            await asyncio.Event().wait()
        return outcome

    outbox = Outbox(world.store)
    outbox.start(hang_at_the_second)
    await reached.wait()
    await outbox.stop()

    second, again = Desk({}), Outbox(world.store)
    again.start(second.deliver)
    await again.outcome(3, within_s=10)
    await again.stop()

    assert first.seen == [1, 2]
    assert second.seen == [2, 3]
    assert await world.store.read(lambda tx: tx.ledger.position(SINGLE.follower)) == 3


async def test_an_outcome_that_does_not_come_in_time_is_pending(world):
    outbox = Outbox(world.store)

    assert await outbox.outcome(1, within_s=0.01) is Outcome.PENDING


def _server_error() -> discord.DiscordServerError:
    response = cast(Any, SimpleNamespace(status=503, reason="Service Unavailable"))
    return discord.DiscordServerError(response, "")


class SlowlyFailing(Desk):
    """Delivers everything but one event, which takes a minute to fail, every time."""

    def __init__(self, event_id: int, error: Callable[[], Exception], clock: Minutes) -> None:
        super().__init__({})
        self._event_id, self._error, self._clock = event_id, error, clock

    async def deliver(self, event: Event) -> Outcome:
        outcome = await super().deliver(event)
        if event.id == self._event_id:
            self._clock.now_s += 60
            raise self._error()
        return outcome


async def test_an_event_that_discord_fails_at_for_too_long_is_given_up_with_one_error(world, caplog):
    await _events(world, 3)
    clock = Minutes()
    desk = SlowlyFailing(2, _server_error, clock)
    outbox = Outbox(world.store, pauses_s=(0,), poll_s=0.01, patience=Patience(give_up_s=900, clock=clock))
    outbox.start(desk.deliver)

    assert await outbox.outcome(3, within_s=10) is Outcome.DELIVERED
    assert await outbox.outcome(2, within_s=10) is Outcome.LOST
    await outbox.stop()

    assert len([seen for seen in desk.seen if seen == 2]) == 16  # the first, and one for each of 15 minutes
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert errors == ["event 2 is given up: Discord failed at it for too long"]
    assert sum(record.levelname == "WARNING" for record in caplog.records) == 1
    caplog.clear()


@pytest.mark.parametrize("trouble", [Away, Unavailable, OSError])
async def test_trouble_that_is_not_an_events_own_holds_everything_up_and_loses_nothing(world, caplog, trouble):
    await _events(world, 2)
    clock = Minutes()
    desk = SlowlyFailing(1, trouble, clock)
    outbox = Outbox(world.store, pauses_s=(0,), poll_s=0.01, patience=Patience(give_up_s=900, clock=clock))
    outbox.start(desk.deliver)
    async with asyncio.timeout(10):
        while clock.now_s < 3_600:
            await asyncio.sleep(0)
    await outbox.stop()

    assert set(desk.seen) == {1}
    assert await world.store.read(lambda tx: tx.ledger.position(SINGLE.follower)) == 0
    assert [record.levelname for record in caplog.records if record.levelname == "WARNING"] == ["WARNING"]


async def test_events_that_nobody_is_told_of_cost_one_write_together(world, monkeypatch):
    await _events(world, 50)
    writes = []
    write = type(world.store).write

    async def counted(store, work):
        writes.append(work)
        return await write(store, work)

    monkeypatch.setattr(type(world.store), "write", counted)

    async def tell_nobody(_event: Event) -> Outcome:
        return Outcome.NOBODY

    outbox = Outbox(world.store, poll_s=60)
    outbox.start(tell_nobody)
    async with asyncio.timeout(10):
        while await world.store.read(lambda tx: tx.ledger.position(SINGLE.follower)) < 50:
            await asyncio.sleep(0.01)
    await outbox.stop()

    assert len(writes) == 1


async def test_an_attempt_that_outlives_its_outbox_delivers_nothing_beside_the_next_one(world, caplog):
    await _events(world, 2)
    begun, go_on, seen = asyncio.Event(), asyncio.Event(), []

    async def stubborn(event: Event) -> Outcome:
        seen.append(event.id)
        begun.set()
        while not go_on.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await go_on.wait()
        return Outcome.DELIVERED

    outbox = Outbox(world.store)
    outbox.start(stubborn)
    await begun.wait()
    (task,) = [each for each in asyncio.all_tasks() if each.get_name() == "outbox"]
    await outbox.stop()
    go_on.set()
    await asyncio.wait({task})

    assert seen == [1]
    assert await world.store.read(lambda tx: tx.ledger.position(SINGLE.follower)) == 0
    assert "did not end in time" in caplog.text


async def test_a_few_people_are_written_to_at_once_and_then_one_at_a_time():
    now, slept = Minutes(), []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now.now_s += seconds

    pace = Pace(at_once=3, every_s=2, clock=now, sleep=sleep)
    for _ in range(5):
        await pace.keep()

    assert slept == [0, 0, 0, 2, 2]
