"""Serialises requests, replies and errors as one JSON text each.

A text inside Celery's own JSON only needs escaping; nested objects would pass through its decoder,
which calls Python per object.
"""

import hashlib
import json
from typing import Any

from pydantic import ValidationError

from luna.contracts.message import Message, Request
from luna.energy.errors import InvalidInputError, LunaError, build_error
from luna.energy.site import invalid_input


def encode_request(request: Request) -> str:
    """Serialise and validate ``request``.

    Raises:
        InvalidInputError: it is no request model, or its own model rejects its content.
    """
    if not isinstance(request, Request):
        raise InvalidInputError(
            f"a {type(request).__name__} is no request",
            field="request",
            remedy="Build the model of luna.contracts; it validates.",
        )
    text = write_request(request)
    decode_request(type(request), text)
    return text


def write_request(request: Request) -> str:
    """Serialise a ``request`` that its model has just validated."""
    return request.model_dump_json(by_alias=True, warnings=False)


def decode_request(model: type[Request], text: str) -> Request:
    """Parse a request.

    Raises:
        InvalidInputError: the model rejects it.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc


def encode_reply(reply: Message) -> str:
    return reply.model_dump_json(by_alias=True)


def decode_reply(model: type[Message], text: str) -> Message:
    """Parse a reply.

    Raises:
        LunaError: the worker's model differs from this one.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as exc:
        raise LunaError(
            "the reply does not fit its contract",
            remedy="Run the same version of Luna in gateway and worker.",
        ) from exc


def encode_error(error: LunaError) -> str:
    """Serialise an error: the codes of its classes, the most specific first, and its message."""
    codes = [kind.code for kind in type(error).__mro__ if issubclass(kind, LunaError)]
    problem = error.problem()
    names = ("field", "value", "remedy", "reason", "parameters")
    extras = {name: problem.get(name) for name in names}
    return json.dumps({"codes": codes, "message": error.message, **extras})


def decode_error(text: str) -> LunaError:
    """Parse an error into the most specific class known to this release."""
    document: dict[str, Any] = json.loads(text)
    # A worker of an earlier release sends neither.
    reason = document.pop("reason", None)
    parameters = document.pop("parameters", None)
    return build_error(document.pop("codes"), document.pop("message"), **document).because(
        reason, parameters
    )


def digest(task: str, text: str) -> str:
    """Return the idempotency key of a request: equal requests to the same task share it."""
    return hashlib.blake2b(f"{task}\n{text}".encode(), digest_size=16).hexdigest()
