"""What callers leave behind: how they were answered, where they sit, and when they came.

Each who comes again and again has a trail, which is counted in without anything being looked up.
"""

from licensing.verdict import Call, Status

VERSION_LENGTH, DEVICE_LENGTH = 64, 128  # as they are kept

Attempt = tuple[int, Status, str | None, str | None, str | None]
Seat = tuple[int, str]  # a license and what sits there


class Trail:
    """Of one caller: calls that no log was told of yet, when the first and the last of them came, and if they sit."""

    __slots__ = ("address", "attempt", "count", "device", "first_ms", "is_seen", "last_ms", "written_ms")

    def __init__(self, attempt: Attempt, address: Seat | None = None, device: Seat | None = None) -> None:
        self.attempt = attempt
        self.address = address
        self.device = device
        self.count = 0
        self.first_ms = 0
        self.last_ms = 0
        self.written_ms = 0  # when the calls came that were written last
        self.is_seen = False  # since the seats' times were written


def attempt_of(license_id: int, status: Status, call: Call) -> Attempt:
    """Return what is kept of a validation."""
    device, version = call.device_id, call.version
    if device and (len(device) > DEVICE_LENGTH or not device.isprintable()):
        device = legible(device, DEVICE_LENGTH)
    if version and (len(version) > VERSION_LENGTH or not version.isprintable()):
        version = legible(version, VERSION_LENGTH)
    return license_id, status, call.address, device, version


def legible(text: str, length: int) -> str:
    """Return a text as long as it is kept, without what a database or a person's screen could stumble over."""
    cut = text[:length]
    return cut if cut.isprintable() else "".join(it if it.isprintable() else "\ufffd" for it in cut)
