"""Work that is done again and again begins in time."""

import pytest

from bot.workers import pause_s


@pytest.mark.parametrize(("took_s", "pause"), [(0.0, 0.5), (0.2, 0.3), (0.44, 0.06), (0.5, 0.05), (9.0, 0.05)])
def test_a_turn_begins_in_time_after_the_last_one_began_and_never_without_a_rest(took_s: float, pause: float) -> None:
    assert pause_s(0.5, took_s=took_s) == pytest.approx(pause)
