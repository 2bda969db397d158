"""Every error Luna raises on purpose: what was wrong, where, and what to do.

LunaError
├── InvalidInputError      the caller sent something that cannot be used        422, exit 2
├── UnauthenticatedError   nobody says who asks, or it is not true              401, exit 2
├── ForbiddenError         who asks may not do this                             403, exit 2
│   └── ConfirmationError  the password has to be given again                   403, exit 2
├── NotFoundError          a named thing does not exist                         404, exit 2
├── ConflictError          the request contradicts what is stored or running    409, exit 1
│   ├── OutdatedError      what was read is not what is stored any more         412, exit 1
│   ├── UnconditionalError a change does not say of what                        428, exit 2
│   └── UnreadableError    what is stored is of a form that this release lacks  409, exit 1
├── UnsupportedMediaError  a body is of a type that is not taken                415, exit 2
├── TooManyRequestsError   too much was asked; the same call may work later     429, exit 1
├── UnavailableError       a dependency is away; the same call may work later   503, exit 1
│   └── FullError          a dependency has no room left to write               503, exit 1
└── MachineError           this machine lacks something; the remedy names it    500, exit 1
"""

import errno
import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

PROBLEM_TYPE = "urn:luna:problem:"

# What the system says where a disk, or an owner's share of it, is full.
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


class LunaError(Exception):
    """The root of the tree.

    Args:
        message: what was wrong, one sentence without the remedy.
        field: where, as a path in the caller's own words (``site.batteries.0.charge_efficiency``).
        value: the offending value; shown as given.
        remedy: what to do about it.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Internal error"
    code: ClassVar[str] = "internal"
    # Why, as a key of ``luna.energy.refusals``, with the figures of its sentences as JSON knows them; None: nothing is declared for it.
    reason: str | None = None
    parameters: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, message: str, *, field: str | None = None, value: object = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.value = value
        self.remedy = remedy

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        value = f" (got {self.value!r})" if self.value is not None else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{where}{self.message}{value}.{remedy}"

    def because(self, reason: str | None, parameters: Mapping[str, Any] | None) -> Self:
        """Return the error with its reason and that one's figures, as JSON knows them."""
        self.reason, self.parameters = reason, parameters or {}
        return self

    @property
    def headers(self) -> dict[str, str]:
        """Return what an HTTP response says of the error beside its body."""
        return {}

    def problem(self) -> dict[str, Any]:
        """Return the error as a problem document. Source: RFC 9457."""
        document: dict[str, Any] = {
            "type": f"{PROBLEM_TYPE}{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": str(self),
        }
        # JSON knows neither NaN nor infinity.
        plain = self.value is None or isinstance(self.value, bool | int | str) or (isinstance(self.value, float) and math.isfinite(self.value))
        extras = {"field": self.field, "value": self.value if plain else str(self.value), "remedy": self.remedy, "reason": self.reason}
        extras["parameters"] = dict(self.parameters) if self.reason is not None else None
        return document | {name: extra for name, extra in extras.items() if extra is not None}


class InvalidInputError(LunaError):
    """Something the caller sent cannot be used; nothing was changed."""

    status, exit_code, title, code = 422, 2, "Invalid input", "invalid-input"


class UnauthenticatedError(LunaError):
    """Nobody says who asks, or what they say does not hold (any more)."""

    status, exit_code, title, code = 401, 2, "Not signed in", "unauthenticated"

    @property
    def headers(self) -> dict[str, str]:
        """Return how to say who asks. Source: RFC 6750."""
        return {"WWW-Authenticate": 'Bearer realm="luna"'}


class ForbiddenError(LunaError):
    """Who asks is known and may not do this."""

    status, exit_code, title, code = 403, 2, "Not allowed", "forbidden"


class ConfirmationError(ForbiddenError):
    """Who asks may do this, after giving the password again."""

    title, code = "Password needed again", "confirmation-needed"


class NotFoundError(LunaError):
    """A thing the caller named does not exist."""

    status, exit_code, title, code = 404, 2, "Not found", "not-found"


class ConflictError(LunaError):
    """The request contradicts what is stored or running."""

    status, title, code = 409, "Conflict", "conflict"


class OutdatedError(ConflictError):
    """Somebody else changed what the caller read; nothing was changed."""

    status, title, code = 412, "Precondition failed", "precondition-failed"


class UnconditionalError(ConflictError):
    """A change must say which version it changes; nothing was changed."""

    status, exit_code, title, code = 428, 2, "Precondition required", "precondition-required"


class UnreadableError(ConflictError):
    """What is stored has a form that this release does not know, such as a newer one's; it is kept as it is."""

    title, code = "Cannot be read", "unreadable"


class UnsupportedMediaError(LunaError):
    """The body of a request is of a type that is not taken."""

    status, exit_code, title, code = 415, 2, "Unsupported media type", "unsupported-media-type"


class TooManyRequestsError(LunaError):
    """Too much was asked within a while.

    Args:
        retry_after_seconds: when the same call may work.
    """

    status, title, code = 429, "Too many requests", "too-many-requests"
    # Of an error that was read back: its document does not say.
    retry_after_seconds: int = 60

    def __init__(self, message: str, *, retry_after_seconds: int, field: str | None = None, value: object = None, remedy: str | None = None) -> None:
        super().__init__(message, field=field, value=value, remedy=remedy)
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """Return when to try again."""
        return {"Retry-After": str(self.retry_after_seconds)}


class UnavailableError(LunaError):
    """A dependency is away for now; the same call may work later."""

    status, title, code = 503, "Temporarily unavailable", "unavailable"
    retry_after_seconds: ClassVar[int] = 5

    @property
    def headers(self) -> dict[str, str]:
        """Return when to try again."""
        return {"Retry-After": str(self.retry_after_seconds)}


class FullError(UnavailableError):
    """What a dependency writes to is full; nothing was changed, and the same call works once there is room."""

    title, code = "No space left", "full"
    retry_after_seconds: ClassVar[int] = 30


class MachineError(LunaError):
    """This machine lacks something that Luna needs; the remedy names it."""

    title, code = "Machine not ready", "machine"


def read_problem(problem: Mapping[str, Any]) -> LunaError:
    """Return the error that a problem document was written of, in its class where that is known here, else in the first one of its status."""
    field, value, remedy = (problem.get(name) for name in ("field", "value", "remedy"))
    # The document's detail is all of the error in one line.
    message = str(problem.get("detail", "")).removesuffix(f" {remedy}" if remedy else "").removeprefix(f"{field}: " if field else "").removesuffix(".")
    # A value that JSON does not know stands in the line as it was, and beside it as a text.
    plain = message.removesuffix(f" (got {value!r})").removesuffix(f" (got {value})") if value is not None else message
    same_status = (kind.code for kind in error_classes() if kind.status == problem.get("status"))
    error = build_error([str(problem.get("type", "")).removeprefix(PROBLEM_TYPE), *same_status], plain, field=field, value=value, remedy=remedy)
    return error.because(problem.get("reason"), problem.get("parameters"))


def build_error(codes: Iterable[str], message: str, *, field: str | None = None, value: object = None, remedy: str | None = None) -> LunaError:
    """Return an error of the class of the first of ``codes`` that is known here, of the root's where none is."""
    by_code: dict[str, type[LunaError]] = {}
    for each in error_classes():
        # A subclass without a code of its own is, to a caller elsewhere, its parent.
        by_code.setdefault(each.code, each)
    kind = next((by_code[code] for code in codes if code in by_code), LunaError)
    # A subclass may build its message from other arguments; what it says is already here.
    error = kind.__new__(kind)
    LunaError.__init__(error, message, field=field, value=value, remedy=remedy)
    return error


def error_classes() -> Iterator[type[LunaError]]:
    """Yield every class of the tree that this process knows, parents before their children, level by level."""
    pending: list[type[LunaError]] = [LunaError]
    for kind in pending:
        yield kind
        pending.extend(kind.__subclasses__())


def find_full_disk(error: BaseException) -> FullError | None:
    """Return what is said of a full disk of this machine, where one is among the causes of ``error``."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in FULL_DISK:
            remedy = "Free some space on this machine's disk; what was accepted is kept and comes again."
            return FullError("the disk is full", field="data_folder", value=cause.filename, remedy=remedy)
        cause = cause.__cause__
    return None
