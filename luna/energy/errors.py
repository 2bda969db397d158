"""The error classes, each with an HTTP status and an exit code.

An error says what was wrong, where, and what to do.

LunaError
├── InvalidInputError      the caller sent something that cannot be used        422, exit 2
├── UnauthenticatedError   the credentials are missing or not valid             401, exit 2
├── ForbiddenError         the caller may not do this                           403, exit 2
│   └── ConfirmationError  the password has to be given again                   403, exit 2
├── NotFoundError          a named thing does not exist                         404, exit 2
├── ConflictError          the request contradicts what is stored or running    409, exit 1
│   ├── OutdatedError      what the caller read has changed since               412, exit 1
│   ├── UnconditionalError a change names no version (If-Match)                 428, exit 2
│   └── UnreadableError    the stored form is unknown to this release           409, exit 1
├── UnsupportedMediaError  the media type of a body is not accepted             415, exit 2
├── TooManyRequestsError   too many requests; the same call may work later      429, exit 1
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

# A full disk, or a disk quota.
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


class LunaError(Exception):
    """The root of the tree.

    Args:
        message: what was wrong, one sentence without the remedy.
        field: path of the field in the caller's input (``site.batteries.0.charge_efficiency``).
        value: the offending value; shown as given.
        remedy: what to do about it.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Internal error"
    code: ClassVar[str] = "internal"
    # A key of ``luna.energy.refusals`` and the JSON parameters of its sentences; None: no reason is
    # declared.
    reason: str | None = None
    parameters: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: object = None,
        remedy: str | None = None,
    ) -> None:
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
        """Set the reason and its JSON parameters, and return the error."""
        self.reason = reason
        self.parameters = parameters or {}
        return self

    @property
    def headers(self) -> dict[str, str]:
        """The error's HTTP response headers."""
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
        plain = self.value is None or isinstance(self.value, bool | int | str)
        if isinstance(self.value, float):
            plain = math.isfinite(self.value)
        extras = {
            "field": self.field,
            "value": self.value if plain else str(self.value),
            "remedy": self.remedy,
            "reason": self.reason,
        }
        extras["parameters"] = dict(self.parameters) if self.reason is not None else None
        return document | {name: extra for name, extra in extras.items() if extra is not None}


class InvalidInputError(LunaError):
    """Something the caller sent cannot be used; nothing was changed."""

    status = 422
    exit_code = 2
    title = "Invalid input"
    code = "invalid-input"


class UnauthenticatedError(LunaError):
    """The caller's credentials are missing, wrong or expired."""

    status = 401
    exit_code = 2
    title = "Not signed in"
    code = "unauthenticated"

    @property
    def headers(self) -> dict[str, str]:
        """The authentication scheme. Source: RFC 6750."""
        return {"WWW-Authenticate": 'Bearer realm="luna"'}


class ForbiddenError(LunaError):
    """The caller is authenticated and may not do this."""

    status = 403
    exit_code = 2
    title = "Not allowed"
    code = "forbidden"


class ConfirmationError(ForbiddenError):
    """The caller may do this after giving the password again."""

    title = "Password needed again"
    code = "confirmation-needed"


class NotFoundError(LunaError):
    """A thing the caller named does not exist."""

    status = 404
    exit_code = 2
    title = "Not found"
    code = "not-found"


class ConflictError(LunaError):
    """The request contradicts what is stored or running."""

    status = 409
    title = "Conflict"
    code = "conflict"


class OutdatedError(ConflictError):
    """The caller read an outdated version; nothing was changed."""

    status = 412
    title = "Precondition failed"
    code = "precondition-failed"


class UnconditionalError(ConflictError):
    """A change must name the version it changes (``If-Match``); nothing was changed."""

    status = 428
    exit_code = 2
    title = "Precondition required"
    code = "precondition-required"


class UnreadableError(ConflictError):
    """The stored data has a form that this release does not know.

    It stays unchanged.
    """

    title = "Cannot be read"
    code = "unreadable"


class UnsupportedMediaError(LunaError):
    """The media type of a request's body is not accepted."""

    status = 415
    exit_code = 2
    title = "Unsupported media type"
    code = "unsupported-media-type"


class TooManyRequestsError(LunaError):
    """The caller exceeded a rate limit.

    Args:
        retry_after_seconds: when the same call may work.
    """

    status = 429
    title = "Too many requests"
    code = "too-many-requests"
    # The default of an error that ``read_problem`` builds: the document has no such field.
    retry_after_seconds: int = 60

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: int,
        field: str | None = None,
        value: object = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, field=field, value=value, remedy=remedy)
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """Return when to try again."""
        return {"Retry-After": str(self.retry_after_seconds)}


class UnavailableError(LunaError):
    """A dependency is away for now; the same call may work later."""

    status = 503
    title = "Temporarily unavailable"
    code = "unavailable"
    retry_after_seconds: ClassVar[int] = 5

    @property
    def headers(self) -> dict[str, str]:
        """Return when to try again."""
        return {"Retry-After": str(self.retry_after_seconds)}


class FullError(UnavailableError):
    """A dependency's storage is full.

    Nothing was changed, and the same call works once there is room.
    """

    title = "No space left"
    code = "full"
    retry_after_seconds: ClassVar[int] = 30


class MachineError(LunaError):
    """This machine lacks something that Luna needs; the remedy names it."""

    title = "Machine not ready"
    code = "machine"


def read_problem(problem: Mapping[str, Any]) -> LunaError:
    """Rebuild the error of a problem document.

    Its class is the one named, or, where that is unknown here, the first of its status.
    """
    field = problem.get("field")
    value = problem.get("value")
    remedy = problem.get("remedy")
    # The document's detail is ``str(error)``: field, message, value and remedy.
    message = str(problem.get("detail", ""))
    if remedy:
        message = message.removesuffix(f" {remedy}")
    if field:
        message = message.removeprefix(f"{field}: ")
    message = message.removesuffix(".")
    # A value that JSON cannot hold is in the detail by its ``repr``, in the document as a text.
    if value is not None:
        message = message.removesuffix(f" (got {value!r})").removesuffix(f" (got {value})")
    own_code = str(problem.get("type", "")).removeprefix(PROBLEM_TYPE)
    same_status = [kind.code for kind in error_classes() if kind.status == problem.get("status")]
    error = build_error(
        [own_code, *same_status],
        message,
        field=field,
        value=value,
        remedy=remedy,
    )
    return error.because(problem.get("reason"), problem.get("parameters"))


def build_error(
    codes: Iterable[str],
    message: str,
    *,
    field: str | None = None,
    value: object = None,
    remedy: str | None = None,
) -> LunaError:
    """Return an error of the first known class among ``codes``, else a ``LunaError``."""
    by_code: dict[str, type[LunaError]] = {}
    for error_class in error_classes():
        # A subclass without a code of its own is read back as its parent.
        by_code.setdefault(error_class.code, error_class)
    kind = next((by_code[code] for code in codes if code in by_code), LunaError)
    # A subclass may build its message from other arguments; the message here is complete.
    error = kind.__new__(kind)
    LunaError.__init__(error, message, field=field, value=value, remedy=remedy)
    return error


def error_classes() -> Iterator[type[LunaError]]:
    """Yield every imported class of the tree, level by level, parents first."""
    pending: list[type[LunaError]] = [LunaError]
    for kind in pending:
        yield kind
        pending.extend(kind.__subclasses__())


def find_full_disk(error: BaseException) -> FullError | None:
    """Return a FullError if a full disk caused ``error``, else None."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in FULL_DISK:
            remedy = (
                "Free some space on this machine's disk; what was accepted is kept and comes again."
            )
            return FullError(
                "the disk is full", field="data_folder", value=cause.filename, remedy=remedy
            )
        cause = cause.__cause__
    return None
