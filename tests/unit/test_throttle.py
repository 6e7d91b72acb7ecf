"""The rate limit: never more than its burst and its pace, and never more memory than it is given."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing import throttle
from licensing.services.limits import DAY_MS, MINUTE_MS, Limits, Rates, Reason
from licensing.throttle import Rate, Tallies, Tally, Throttle

PERIOD_MS = 1_000
START_MS = 1_750_000_000_000

calls = st.lists(st.integers(0, 2_500), max_size=60)
bursts = st.integers(1, 6)


def bound(monkeypatch: pytest.MonkeyPatch, *, keys: int, newcomers: int) -> None:
    monkeypatch.setattr(throttle, "_MAX_KEYS", keys)
    monkeypatch.setattr(throttle, "_MAX_NEWCOMERS", newcomers)


@given(burst=bursts, gaps=calls)
def test_no_window_ever_lets_through_more_than_the_burst_and_the_pace(burst: int, gaps: list[int]):
    limit, now_ms, allowed = Throttle(burst=burst, period_ms=PERIOD_MS), START_MS, []
    for gap in gaps:
        now_ms += gap
        if limit.spend("a", now_ms=now_ms) == 0:
            allowed.append(now_ms)
    for first, since in enumerate(allowed):
        for last in range(first, len(allowed)):
            assert last - first + 1 <= burst + (allowed[last] - since) // PERIOD_MS


@given(burst=bursts, gaps=calls)
def test_whoever_waits_as_long_as_they_were_told_is_let_through_and_not_a_millisecond_sooner(
    burst: int, gaps: list[int]
):
    limit, now_ms = Throttle(burst=burst, period_ms=PERIOD_MS), START_MS
    for gap in gaps:
        now_ms += gap
        wait_ms = limit.spend("a", now_ms=now_ms)
        if wait_ms:
            assert wait_ms <= PERIOD_MS
            assert limit.spend("a", now_ms=now_ms + wait_ms - 1) == 1
            now_ms += wait_ms
            assert limit.spend("a", now_ms=now_ms) == 0


@given(burst=bursts, gaps=calls)
def test_asking_how_long_to_wait_costs_nothing_and_says_what_a_call_would_be_told(burst: int, gaps: list[int]):
    limit, now_ms = Throttle(burst=burst, period_ms=PERIOD_MS), START_MS
    for gap in gaps:
        now_ms += gap
        told_ms = [limit.wait_ms("a", now_ms=now_ms) for _ in range(3)]
        assert told_ms == [limit.spend("a", now_ms=now_ms)] * 3


def test_a_burst_passes_at_once_and_the_next_call_waits_one_period():
    limit = Throttle(burst=3, period_ms=PERIOD_MS)
    assert [limit.spend("a", now_ms=START_MS) for _ in range(5)] == [0, 0, 0, PERIOD_MS, PERIOD_MS]


def test_keys_do_not_share_their_limit():
    limit = Throttle(burst=1, period_ms=PERIOD_MS)
    assert limit.spend("a", now_ms=START_MS) == 0
    assert limit.spend("b", now_ms=START_MS) == 0
    assert limit.spend("a", now_ms=START_MS) > 0


@given(burst=bursts, tries=st.integers(1, 20))
def test_a_call_that_is_refunded_costs_nothing(burst: int, tries: int):
    limit = Throttle(burst=burst, period_ms=PERIOD_MS)
    for _ in range(tries):
        assert limit.spend("a", now_ms=START_MS) == 0
        limit.refund("a")
    assert [limit.spend("a", now_ms=START_MS) for _ in range(burst + 1)] == [0] * burst + [PERIOD_MS]


@given(burst=bursts, refunds=st.integers(1, 20), idle_ms=st.integers(0, 10_000))
def test_no_number_of_refunds_gives_more_than_the_burst(burst: int, refunds: int, idle_ms: int):
    limit = Throttle(burst=burst, period_ms=PERIOD_MS)
    limit.spend("a", now_ms=START_MS)
    for _ in range(refunds):
        limit.refund("a")
    passed = [limit.spend("a", now_ms=START_MS + idle_ms) for _ in range(burst + 1)].count(0)
    assert passed == burst


def test_a_refund_to_a_stranger_is_nothing():
    limit = Throttle(burst=1, period_ms=PERIOD_MS)
    limit.refund("nobody")
    assert limit.spend("nobody", now_ms=START_MS) == 0
    assert limit.spend("nobody", now_ms=START_MS) == PERIOD_MS


def test_memory_stays_bounded_when_strangers_come_in_turn(monkeypatch):
    bound(monkeypatch, keys=100, newcomers=20)
    limit = Throttle(burst=2, period_ms=PERIOD_MS)
    for number in range(1_000):
        for _ in range(1 + number % 3):
            limit.spend(number, now_ms=START_MS + number * PERIOD_MS)
        assert len(limit) <= 140


def test_memory_stays_bounded_when_all_strangers_come_at_once(monkeypatch):
    bound(monkeypatch, keys=100, newcomers=20)
    limit = Throttle(burst=2, period_ms=PERIOD_MS)
    for number in range(1_000):
        for _ in range(1 + number % 3):
            limit.spend(number, now_ms=START_MS)
        assert len(limit) <= 140


@pytest.mark.parametrize("times", [1, 2])
def test_a_flood_of_strangers_does_not_free_whoever_used_up_their_limit(monkeypatch, times: int):
    bound(monkeypatch, keys=100, newcomers=20)
    limit = Throttle(burst=3, period_ms=PERIOD_MS)
    for _ in range(3):
        limit.spend("guesser", now_ms=START_MS)
    for number in range(times * 1_000):
        limit.spend(number // times, now_ms=START_MS)
    assert limit.spend("guesser", now_ms=START_MS) == PERIOD_MS


def test_a_flood_of_those_who_come_but_once_frees_nobody_who_came_again(monkeypatch):
    bound(monkeypatch, keys=100, newcomers=20)
    limit = Throttle(burst=2, period_ms=PERIOD_MS)
    for number in range(200):
        limit.spend(number // 2, now_ms=START_MS)
    for number in range(1_000):
        limit.spend(("stranger", number), now_ms=START_MS)
    assert all(limit.wait_ms(number, now_ms=START_MS) == PERIOD_MS for number in range(100))


def test_a_flood_of_guessers_who_try_one_key_each_frees_none_who_tried_too_many(monkeypatch):
    bound(monkeypatch, keys=100, newcomers=20)
    limits = Limits(Rates(failures_per_minute=2))
    for number in range(200):
        limits.failed(1, f"guesser {number // 2}", now_ms=START_MS)
    for number in range(1_000):
        assert limits.guesses(1, f"stranger {number}", now_ms=START_MS) == 0
        limits.failed(1, f"stranger {number}", now_ms=START_MS)
        assert limits.guesses(1, f"stranger {number}", now_ms=START_MS) == 0
    assert all(limits.guesses(1, f"guesser {number}", now_ms=START_MS) for number in range(100))


def test_what_a_guesser_tries_costs_nobody_anything():
    limits = Limits(Rates(license_per_minute=1, address_per_minute=1))
    for _ in range(3):
        told = limits.spend(1, "guesser", b"a license", guesses_ms=500, now_ms=START_MS)
        assert told == (Reason.FAILURES, 500)
    assert limits.spend(1, "customer", b"a license", now_ms=START_MS) is None
    assert limits.spend(1, "guesser", b"another license", now_ms=START_MS) is None


def test_strangers_who_are_given_their_call_back_free_nobody_and_have_all_of_their_limit(monkeypatch):
    bound(monkeypatch, keys=100, newcomers=20)
    limits = Limits(Rates(license_per_minute=2, address_per_minute=2, license_quota_percent=50))

    def spend(number: int) -> tuple[Reason, int] | None:
        return limits.spend(1, f"address {number}", b"%d" % number, quota=6, now_ms=START_MS)

    for number in range(200):
        assert spend(number // 2) is None
    for number in range(100, 1_100):
        assert spend(number) is None
        limits.take_back(1, f"address {number}", b"%d" % number, quota=6, now_ms=START_MS)
    assert all(spend(number) for number in range(100))
    for number in (0, 1_099):  # one who was known, and one who never was
        given_back = START_MS + MINUTE_MS
        limits.spend(1, f"address {number}", b"%d" % number, quota=60, now_ms=given_back)
        limits.take_back(1, f"address {number}", b"%d" % number, quota=60, now_ms=given_back)
        told = [limits.spend(1, f"address {number}", b"%d" % number, quota=60, now_ms=given_back) for _ in range(3)]
        assert [it is None for it in told] == [True, True, False]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1_500)), max_size=80))
def test_the_first_call_of_a_key_counts_as_every_other_does(calls: list[tuple[int, int]]):
    rate, tallies, limit = Rate(burst=2, period_ms=PERIOD_MS), {}, Throttle(burst=2, period_ms=PERIOD_MS)
    now_ms = START_MS
    for key, gap in calls:
        now_ms += gap
        tally = tallies.setdefault(key, Tally())
        told_ms = 0 if rate.take(tally, now_ms=now_ms) else rate.wait_ms(tally, now_ms=now_ms)
        assert limit.spend(key, now_ms=now_ms) == told_ms


def test_a_newcomer_is_remembered_until_as_many_came_as_are_kept(monkeypatch):
    bound(monkeypatch, keys=100, newcomers=20)
    tallies = Tallies(Rate(burst=3, period_ms=PERIOD_MS))
    for number in range(100):
        tallies.come(number, now_ms=START_MS)
    known = [tallies.find(number) for number in range(100)]
    assert not any(known[:60])
    assert [tally and tally.of_day(START_MS // DAY_MS) for tally in known[60:]] == [1] * 40
    assert [tally and tally.full_at_us for tally in known[60:]] == [1000 * (START_MS + PERIOD_MS)] * 40
    assert len(tallies) == 40  # nobody is kept twice


def test_a_flood_frees_few_of_many_who_used_up_their_limit(monkeypatch):
    monkeypatch.setattr(throttle, "_MAX_KEYS", 2_000)
    limit, heavy = Throttle(burst=3, period_ms=PERIOD_MS), range(500)
    for number in heavy:
        for _ in range(3):
            limit.spend(("heavy", number), now_ms=START_MS)
    for number in range(10_000):
        limit.spend(number // 2, now_ms=START_MS)
    assert sum(limit.wait_ms(("heavy", number), now_ms=START_MS) > 0 for number in heavy) > 0.7 * len(heavy)


def test_a_tally_is_forgotten_and_says_so_or_is_found_again(monkeypatch):
    monkeypatch.setattr(throttle, "_MAX_KEYS", 1_000)
    tallies = Tallies()
    given = {number: tallies.of(number) for number in range(1_500)}
    assert len(tallies) == sum(tally.is_kept for tally in given.values())
    assert all((tallies.find(number) is tally) == tally.is_kept for number, tally in given.items())


@pytest.mark.parametrize(("addresses", "licenses"), [(1, 200), (200, 1), (200, 200)])
def test_a_meter_is_kept_as_long_as_all_its_tallies_are(monkeypatch, addresses: int, licenses: int):
    monkeypatch.setattr(throttle, "_MAX_KEYS", 100)
    limits = Limits(Rates())
    meters = [limits.meter(1, f"address {number % addresses}", b"%d" % (number % licenses)) for number in range(200)]
    assert not meters[0].is_kept
    assert meters[-1].is_kept


def test_making_room_for_a_stranger_looks_at_few_of_the_keys_that_are_kept(monkeypatch):
    monkeypatch.setattr(throttle, "_MAX_KEYS", 20_000)
    limit, looked_at = Throttle(burst=3, period_ms=PERIOD_MS), 0

    class Key(int):
        """A key that counts how often it is touched."""

        def __hash__(self):
            nonlocal looked_at
            looked_at += 1
            return super().__hash__()

    for number in range(40_000):
        limit.spend(Key(number // 2), now_ms=START_MS)
    limit.spend("one more", now_ms=START_MS)
    before = looked_at
    limit.spend("one more", now_ms=START_MS)
    assert looked_at - before <= 1_000


@pytest.mark.parametrize("rate", [7, 600, 33_000, 45_000, 59_999])
def test_a_rate_is_kept_to_whatever_it_is(rate: int):
    limits = Limits(Rates(license_per_minute=rate))
    for _ in range(rate):  # the burst
        assert limits.spend(1, None, b"a license", now_ms=START_MS) is None
    asked = (START_MS + 1 + half // 2 for half in range(2 * MINUTE_MS))
    passed = sum(limits.spend(1, None, b"a license", now_ms=at_ms) is None for at_ms in asked)
    assert passed == pytest.approx(rate, rel=0.001, abs=1)


@pytest.mark.parametrize("rates", [Rates(), Rates(license_per_minute=60)])
def test_who_took_a_share_of_the_day_is_remembered_till_midnight_however_many_come_after(monkeypatch, rates: Rates):
    monkeypatch.setattr(throttle, "_MAX_KEYS", 100)
    limits, now_ms = Limits(replace(rates, license_quota_percent=25)), START_MS
    for number in range(100):  # yesterday's, who took more
        for _ in range(50):
            limits.spend(1, None, b"%d" % number, quota=100_000, now_ms=now_ms - DAY_MS + number)
    for _ in range(25):
        now_ms += MINUTE_MS
        assert limits.spend(1, None, b"heavy", quota=100, now_ms=now_ms) is None
    for number in range(2_000):
        now_ms += 5
        limits.spend(1, None, b"new %d" % (number // 2), quota=100_000, now_ms=now_ms)
    refused = limits.spend(1, None, b"heavy", quota=100, now_ms=now_ms + 2 * MINUTE_MS)
    assert refused == (Reason.LICENSE, DAY_MS - (now_ms + 2 * MINUTE_MS) % DAY_MS)
