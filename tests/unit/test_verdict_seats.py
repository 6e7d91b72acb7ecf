"""The validation rules about seats: which address and which device may take one, and what is told of them."""

from dataclasses import replace

import pytest
from factories import ADDRESS
from hypothesis import given
from hypothesis import strategies as st
from situations import EVERY_WRONG, Change, Situation, addresses, seats, situations, working

from licensing.choices import AutoRegister
from licensing.verdict import Status, Verdict

SEATS = [
    # mode, max_ips, seats taken by others, is the caller's own seat taken -> status
    (AutoRegister.OFF, None, 0, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.OFF, 3, 2, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.OFF, 1, 1, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.OFF, 1, 0, True, Status.ACTIVE),
    (AutoRegister.OFF, 1, 3, True, Status.ACTIVE),
    (AutoRegister.FIRST, None, 0, False, Status.ACTIVE),
    (AutoRegister.FIRST, 1, 0, False, Status.ACTIVE),
    (AutoRegister.FIRST, None, 1, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.FIRST, 3, 1, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.FIRST, 1, 1, False, Status.IP_NOT_REGISTERED),
    (AutoRegister.FIRST, 1, 0, True, Status.ACTIVE),
    (AutoRegister.FIRST, 1, 2, True, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, None, 0, False, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, None, 3, False, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, 0, 3, False, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, 1, 0, False, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, 3, 2, False, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, 2, 2, False, Status.IP_LIMIT_REACHED),
    (AutoRegister.UP_TO_MAX, 1, 3, False, Status.IP_LIMIT_REACHED),
    (AutoRegister.UP_TO_MAX, 3, 2, True, Status.ACTIVE),
    (AutoRegister.UP_TO_MAX, 1, 3, True, Status.ACTIVE),
]


@pytest.mark.parametrize(("mode", "max_ips", "others", "mine", "status"), SEATS)
def test_who_may_take_a_seat(mode: AutoRegister, max_ips: int | None, others: int, mine: bool, status: Status):
    situation = seats(mode, max_ips=max_ips, taken=others)(Situation())
    if mine:
        situation = replace(situation, addresses=situation.addresses | {ADDRESS})
    verdict, registers = situation.judged(), status is Status.ACTIVE and not mine
    assert verdict.status is status
    assert verdict.registers == (ADDRESS if registers else None)
    assert verdict.ip_registered == (mine or registers)
    assert verdict.ip_count == others + mine + registers


@pytest.mark.parametrize("mode", AutoRegister)
def test_an_address_that_cannot_be_known_neither_takes_nor_misses_a_seat(mode: AutoRegister):
    full = seats(mode, max_ips=1, taken=1)(Situation(address=None))
    assert full.judged() == Verdict(Status.ACTIVE, full.license_snapshot, ip_registered=False, ip_count=1)


@pytest.mark.parametrize("mode", AutoRegister)
def test_with_the_ip_system_off_no_address_is_refused_registered_or_told_of(mode: AutoRegister):
    situation = seats(mode, max_ips=1, taken=3)(Situation()).with_settings(track_ip_on_validate=False)
    assert situation.judged() == Verdict(Status.ACTIVE, situation.license_snapshot)


@pytest.mark.parametrize("change", [change for _, status, change in EVERY_WRONG if not status.endswith("_not_found")])
def test_the_ip_fields_of_a_refused_license_say_how_its_seats_stand(change: Change):
    situation = change(Situation())
    verdict = situation.judged()
    assert verdict.license == situation.license_snapshot
    assert (verdict.ip_registered, verdict.ip_count) == (False, len(situation.addresses))
    without = situation.with_settings(track_ip_on_validate=False).judged()
    assert (without.ip_registered, without.ip_count) == (None, None)


@given(situations | working)
def test_only_a_valid_answer_to_an_unknown_address_registers_it(situation: Situation):
    verdict = situation.judged()
    tracked = situation.product.settings.track_ip_on_validate
    new = situation.address is not None and situation.address not in situation.addresses
    assert verdict.registers == (situation.address if verdict.valid and tracked and new else None)


@given(working)
def test_once_the_address_is_stored_the_same_call_gets_the_same_answer(situation: Situation):
    first = situation.judged()
    stored = replace(
        situation,
        addresses=situation.addresses | ({first.registers} - {None}),
        devices=situation.devices | ({first.registers_device} - {None}),
    )
    told = first._replace(license=stored.license_snapshot, registers=None, registers_device=None)
    assert stored.judged() == told


@given(situations | working)
def test_the_ip_fields_are_null_together_and_only_where_the_contract_says_so(situation: Situation):
    verdict = situation.judged()
    told = verdict.license is not None and situation.product.settings.track_ip_on_validate
    assert (verdict.ip_registered is not None, verdict.ip_count is not None) == (told, told)


@given(situation=situations | working, more=st.none() | st.integers(1, 5))
def test_more_seats_never_refuse_what_fewer_allowed(situation: Situation, more: int | None):
    limit = situation.license.max_ips or None
    roomier = situation.with_license(max_ips=None if limit is None or more is None else limit + more)
    assert roomier.judged().valid >= situation.judged().valid


@given(situation=situations | working, freed=addresses)
def test_freeing_the_seat_of_another_never_refuses_what_was_allowed(situation: Situation, freed: str):
    emptier = replace(situation, addresses=situation.addresses - ({freed} - {situation.address}))
    assert emptier.judged().valid >= situation.judged().valid


@given(callers=st.lists(addresses, max_size=12), mode=st.sampled_from(AutoRegister), max_ips=st.integers(1, 4))
def test_no_order_of_callers_ever_takes_more_seats_than_there_are(
    callers: list[str], mode: AutoRegister, max_ips: int
):
    situation = seats(mode, max_ips=max_ips, taken=0)(Situation())
    for address in callers:
        verdict = replace(situation, address=address).judged()
        situation = replace(situation, addresses=situation.addresses | ({verdict.registers} - {None}))
    most = {AutoRegister.OFF: 0, AutoRegister.FIRST: 1, AutoRegister.UP_TO_MAX: max_ips}[mode]
    assert len(situation.addresses) == min(most, len(set(callers)))


DEVICES = [
    # limit, taken, the call's -> status, what is registered
    (None, (), "mine", Status.ACTIVE, None),
    (None, ("one", "two"), None, Status.ACTIVE, None),
    (1, (), "mine", Status.ACTIVE, "mine"),
    (1, (), None, Status.ACTIVE, ""),
    (1, ("",), None, Status.ACTIVE, None),
    (1, ("mine",), "mine", Status.ACTIVE, None),
    (1, ("mine",), None, Status.DEVICE_LIMIT_REACHED, None),
    (1, ("",), "mine", Status.DEVICE_LIMIT_REACHED, None),
    (2, ("one",), "mine", Status.ACTIVE, "mine"),
    (2, ("one", "two"), "mine", Status.DEVICE_LIMIT_REACHED, None),
    (2, ("one", "two", "three"), "one", Status.ACTIVE, None),
]


@pytest.mark.parametrize("row", DEVICES, ids=str)
@pytest.mark.parametrize("tracked", [True, False])
def test_which_device_may_take_a_seat(row, tracked: bool):
    limit, taken, mine, status, registers = row
    situation = Situation().with_settings(max_devices=limit, track_ip_on_validate=tracked)
    verdict = replace(situation, devices=frozenset(taken), device=mine).judged()
    assert (verdict.status, verdict.registers_device) == (status, registers)
    assert verdict.takes_a_seat is (registers is not None or verdict.registers is not None)


@given(situations | working)
def test_only_a_valid_answer_to_an_unknown_device_registers_it(situation: Situation):
    verdict = situation.judged()
    new = situation.product.settings.max_devices is not None and (situation.device or "") not in situation.devices
    assert verdict.registers_device == ((situation.device or "") if verdict.valid and new else None)


@given(situation=situations | working, more=st.none() | st.integers(1, 5))
def test_more_devices_never_refuse_what_fewer_allowed(situation: Situation, more: int | None):
    limit = situation.product.settings.max_devices
    roomier = situation.with_settings(max_devices=None if limit is None or more is None else limit + more)
    assert roomier.judged().valid >= situation.judged().valid
