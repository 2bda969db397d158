"""How requests, replies and errors look on the queue: one JSON text each.

A text inside Celery's own JSON costs an escape; objects would pass through its decoder, which calls Python per object.
"""

import hashlib
import json
from typing import Any

from pydantic import ValidationError

from luna.contracts.message import Message, Request
from luna.energy.errors import InvalidInputError, LunaError, build_error
from luna.energy.site import invalid_input


def encode_request(request: Request) -> str:
    """Return ``request`` as sent.

    Raises:
        InvalidInputError: not a request model, or one whose content its own model refuses.
    """
    if not isinstance(request, Request):
        raise InvalidInputError(f"a {type(request).__name__} is no request", field="request", remedy="Build the model of luna.contracts; it validates.")
    text = write_request(request)
    decode_request(type(request), text)
    return text


def write_request(request: Request) -> str:
    """Return a ``request`` that its own model has just validated as sent."""
    return request.model_dump_json(by_alias=True, warnings=False)


def decode_request(model: type[Request], text: str) -> Request:
    """Return the request that ``text`` holds.

    Raises:
        InvalidInputError: the model refuses it.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc


def encode_reply(reply: Message) -> str:
    """Return ``reply`` as stored."""
    return reply.model_dump_json(by_alias=True)


def decode_reply(model: type[Message], text: str) -> Message:
    """Return the reply that ``text`` holds.

    Raises:
        LunaError: the worker's model differs from this one.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as exc:
        raise LunaError("the reply does not fit its contract", remedy="Run the same version of Luna in gateway and worker.") from exc


def encode_error(error: LunaError) -> str:
    """Return ``error`` as stored: its classes' codes, most special first, and its message."""
    codes = [kind.code for kind in type(error).__mro__ if issubclass(kind, LunaError)]
    extras = {name: error.problem().get(name) for name in ("field", "value", "remedy", "reason", "parameters")}
    return json.dumps({"codes": codes, "message": error.message, **extras})


def decode_error(text: str) -> LunaError:
    """Return the error that ``text`` holds, in the most special class known here."""
    document: dict[str, Any] = json.loads(text)
    # A worker of an earlier release says neither.
    reason, parameters = document.pop("reason", None), document.pop("parameters", None)
    return build_error(document.pop("codes"), document.pop("message"), **document).because(reason, parameters)


def digest(task: str, text: str) -> str:
    """Return the key under which equal requests to the same task are one piece of work."""
    return hashlib.blake2b(f"{task}\n{text}".encode(), digest_size=16).hexdigest()
