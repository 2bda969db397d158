"""Bodies, queries and paths as the gateway takes them: JSON in UTF-8, of numbers and text that every service can hold.

What validation would let pass and a database, a queue or an answer cannot hold is refused here, once for every route: NUL and lone surrogates in text, numbers
beyond all bounds, nesting without end.
"""

import json
import math
import re
from collections.abc import Callable, Coroutine, Iterator
from email.message import Message
from typing import Any

from fastapi import Request, Response
from fastapi.params import Form
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from services.api.idempotency import answer_once
from services.api.identity.guard import admit
from services.api.identity.site_access import require_sites
from services.api.operation import Operation
from services.api.problems import Problem
from services.api.uploads import PeekedBody

MAX_DEPTH = 64
# What PostgreSQL calls bigint.
LARGEST_WHOLE_NUMBER = 2**63 - 1
_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

Responses = dict[int | str, dict[str, Any]]
PROBLEMS: Responses = {"default": {"model": Problem, "description": "What was wrong, where, and what to do (RFC 9457, application/problem+json)."}}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class JsonRequest(Request):
    """A request whose JSON is checked before anything reads it."""

    _checked: Any

    async def json(self) -> Any:
        """Return the body.

        Raises:
            InvalidInputError: no JSON, or none that can be used; names the place.
        """
        if not hasattr(self, "_checked"):
            self._checked = parse_json(await self.body())
        return self._checked


class CheckedRoute(APIRoute):
    """A route that answers who may ask, of what is theirs, in a body, query and path that can be read.

    What it does, and who may ask, says its operation, without which there is no route.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], *, operation: Operation, responses: Responses | None = None, **options: Any) -> None:
        self.operation = operation
        super().__init__(path, endpoint, methods=[operation.method], operation_id=operation.name, responses=PROBLEMS | (responses or {}), **options)
        self._begins, self._parts = path.partition("{")[0], None if ":path}" in path else path.count("/")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the route is asked for; most of some hundred routes are ruled out without their pattern."""
        path = scope["path"]
        if not scope.get("root_path") and not (path.startswith(self._begins) and (self._parts is None or path.count("/") == self._parts)):
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Handler:
        """Return the handler behind guards and checks."""
        handle, field, operation = self.make_handler(), self.body_field, self.operation
        takes_form = field is not None and isinstance(field.field_info, Form)

        async def handle_checked(request: Request) -> Response:
            checked = JsonRequest(request.scope, PeekedBody(request.receive))
            caller = await admit(checked, operation)
            # Refuse a query or path with a NUL, which PostgreSQL knows in no text.
            for name, value in (*checked.path_params.items(), *checked.query_params.multi_items()):
                if "\x00" in name or "\x00" in value:
                    raise refuse("address-with-nul", field=name.replace("\x00", "\ufffd"), value=str(value)[:100])
            body: Any = dict(await checked.form()) if takes_form else None
            if field is not None and not takes_form and await checked.body():
                content_type = checked.headers.get("Content-Type")
                if not is_json(content_type):
                    raise refuse("json-wanted", field="Content-Type", value=(content_type or "")[:100])
                charset = _parse_type(content_type).get_param("charset")
                if charset is not None and str(charset).lower() not in _CHARSETS:
                    raise refuse("json-other-charset", field="Content-Type", value=(content_type or "")[:100])
                body = await checked.json()
            request.state.site = await require_sites(request.app.state.identity, caller, operation, checked, body)
            return await answer_once(operation, checked, handle)

        return handle_checked

    def make_handler(self) -> Handler:
        """Return what validates and answers a request that passed the checks."""
        return super().get_route_handler()


def parse_json(body: bytes) -> Any:
    """Return what a body holds.

    Raises:
        InvalidInputError: it is no JSON in UTF-8, nested too deep, or holds text or a number that cannot be used; names the place.
    """
    try:
        document = json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise refuse("body-no-utf-8", field="body") from exc
    except json.JSONDecodeError as exc:
        raise refuse("body-no-json", field="body", why=exc.msg, line=exc.lineno, column=exc.colno) from exc
    except RecursionError as exc:
        raise _too_deep("body") from exc
    except ValueError as exc:
        # Python reads no number of so many digits.
        raise refuse("number-too-long", field="body") from exc
    _require_usable(document)
    return document


def is_json(content_type: str | None) -> bool:
    """Return whether a body of this type is read as JSON."""
    kind = _parse_type(content_type)
    return kind.get_content_maintype() == "application" and (kind.get_content_subtype() == "json" or kind.get_content_subtype().endswith("+json"))


def _parse_type(content_type: str | None) -> Message:
    message = Message()
    message["Content-Type"] = content_type or ""
    return message


def _require_usable(document: Any) -> None:
    """Walk the document without recursion and refuse the first part that cannot be used."""
    waiting: list[tuple[str, int, Any]] = [("", 0, document)]
    while waiting:
        path, depth, whole = waiting.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(".".join(path.split(".")[:4]))
        if isinstance(whole, list) and _are_usable_numbers(whole):
            continue
        parts = _parts(path, whole)
        for name, part in parts:
            if isinstance(part, dict | list):
                waiting.append((f"{path}.{name}" if path else str(name), depth + 1, part))
            elif fault := _find_fault(part):
                raise refuse(fault, field=(f"{path}.{name}" if path else str(name)) or "body", value=part, most=LARGEST_WHOLE_NUMBER)


def _are_usable_numbers(values: list[Any]) -> bool:
    """Return whether values are numbers of usual size: hundreds of prices are looked at in a fifth of the time that one after the other takes."""
    # A sum is no number as soon as one of its numbers is none; what is larger than the largest whole number is looked at by itself.
    if not values or not set(map(type, values)) <= {float, int}:
        return False
    return min(values) >= -LARGEST_WHOLE_NUMBER and max(values) <= LARGEST_WHOLE_NUMBER and math.isfinite(sum(values))


def _parts(path: str, whole: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(whole, list):
        return iter(enumerate(whole))
    if not isinstance(whole, dict):
        return iter([("", whole)])
    for name in whole:
        if _NO_TEXT.search(name):
            raise refuse("field-name-unusable", field=path or "body", value=name[:100])
    return iter(whole.items())


def _find_fault(part: Any) -> str | None:
    if isinstance(part, str) and _NO_TEXT.search(part):
        return "text-unusable"
    if isinstance(part, float) and not math.isfinite(part):
        return "number-not-finite"
    if isinstance(part, int) and abs(part) > LARGEST_WHOLE_NUMBER:
        return "number-too-large"
    return None


def _too_deep(field: str) -> LunaError:
    return refuse("body-too-deep", field=field, most=MAX_DEPTH)
