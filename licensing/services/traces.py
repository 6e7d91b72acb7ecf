"""What a validation leaves behind in memory, to be written later."""

from dataclasses import dataclass

from licensing.services.attempts import AttemptLog
from licensing.services.refusals import RefusalLog
from licensing.services.trails import Attempt, Seat, Trail
from licensing.services.usage import LastSeen, UsageMeter


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Every log and count that a validation leaves something in."""

    usage: UsageMeter
    seen: LastSeen
    attempts: AttemptLog
    refusals: RefusalLog

    def note(self, attempt: Attempt, seat: Seat | None, device: Seat | None, *, now_ms: int) -> None:
        """Remember how a validation ended and where it came from."""
        self.attempts.note(attempt, now_ms=now_ms)
        if seat is not None:
            self.seen.note(seat, now_ms=now_ms)
        if device is not None:
            self.seen.note_device(device, now_ms=now_ms)

    def follow(self, trail: Trail, *, now_ms: int) -> None:
        """Remember a validation that ended as the one before it."""
        trail.last_ms = now_ms
        if trail.count:
            trail.count += 1
        else:
            self.attempts.follow(trail, now_ms=now_ms)
        if not trail.is_seen:
            self.seen.follow(trail)
