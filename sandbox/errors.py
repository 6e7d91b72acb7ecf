"""Discord's error answers, by their documented codes, and what its client would not let a person do."""

from dataclasses import dataclass
from typing import Any, Self

Json = dict[str, Any]


class ApiError(Exception):
    """An answer other than success, in the shape Discord gives it."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> Json:
        found: Json = {"message": self.message, "code": self.code}
        if self.errors:
            found["errors"] = self.errors
        return found


class DriverError(Exception):
    """What a person asked for and Discord's own client would not let them do."""


@dataclass(frozen=True)
class Fault:
    """One documented error: HTTP status, JSON error code, message."""

    status: int
    code: int
    message: str

    def error(self) -> ApiError:
        return ApiError(self.status, self.code, self.message)


UNAUTHORIZED = Fault(401, 0, "401: Unauthorized")
NOT_FOUND = Fault(404, 0, "404: Not Found")
METHOD_NOT_ALLOWED = Fault(405, 0, "405: Method Not Allowed")
UNKNOWN_APPLICATION = Fault(404, 10002, "Unknown Application")
UNKNOWN_CHANNEL = Fault(404, 10003, "Unknown Channel")
UNKNOWN_GUILD = Fault(404, 10004, "Unknown Guild")
UNKNOWN_MEMBER = Fault(404, 10007, "Unknown Member")
UNKNOWN_MESSAGE = Fault(404, 10008, "Unknown Message")
UNKNOWN_ROLE = Fault(404, 10011, "Unknown Role")
UNKNOWN_USER = Fault(404, 10013, "Unknown User")
UNKNOWN_WEBHOOK = Fault(404, 10015, "Unknown Webhook")
UNKNOWN_BAN = Fault(404, 10026, "Unknown Ban")
UNKNOWN_INTERACTION = Fault(404, 10062, "Unknown interaction")
UNKNOWN_COMMAND = Fault(404, 10063, "Unknown application command")
UNKNOWN_COMMAND_PERMISSIONS = Fault(404, 10066, "Unknown application command permissions")
BOTS_ONLY = Fault(403, 20002, "Only bots can use this endpoint")
OTHER_APPLICATION = Fault(403, 20012, "You are not authorized to perform this action on this application")
TOO_MANY_COMMANDS = Fault(400, 30032, "Maximum number of application commands reached (100)")
REQUEST_TOO_LARGE = Fault(413, 40005, "Request entity too large")
ALREADY_ACKNOWLEDGED = Fault(400, 40060, "Interaction has already been acknowledged.")
MISSING_ACCESS = Fault(403, 50001, "Missing Access")
NOT_THE_AUTHOR = Fault(403, 50005, "Cannot edit a message authored by another user")
EMPTY_MESSAGE = Fault(400, 50006, "Cannot send an empty message")
CANNOT_MESSAGE_USER = Fault(403, 50007, "Cannot send messages to this user")
MISSING_PERMISSIONS = Fault(403, 50013, "Missing Permissions")
INVALID_WEBHOOK_TOKEN = Fault(401, 50027, "Invalid Webhook Token")
INVALID_ROLE = Fault(400, 50028, "Invalid Role")
INVALID_JSON = Fault(400, 50109, "The request body contains invalid JSON.")


class Form:
    """Collects what is wrong with a body, each fault at its path, as Discord's error 50035 lists them."""

    def __init__(self, path: tuple[str, ...] = (), root: Json | None = None) -> None:
        self._path = path
        self._root: Json = {} if root is None else root

    def at(self, *steps: str | int) -> Self:
        return type(self)((*self._path, *map(str, steps)), self._root)

    def add(self, code: str, message: str) -> None:
        place = self._root
        for step in self._path:
            place = place.setdefault(step, {})
        place.setdefault("_errors", []).append({"code": code, "message": message})

    def check(self) -> None:
        """Refuse the body if anything was added anywhere in the form."""
        if self._root:
            raise ApiError(400, 50035, "Invalid Form Body", self._root)


def invalid_form(code: str, message: str, *path: str | int) -> ApiError:
    """The answer to a body with one thing wrong."""
    form = Form().at(*path)
    form.add(code, message)
    try:
        form.check()
    except ApiError as error:
        return error
    raise AssertionError  # a fault was added just above
