"""Idempotency keys: a request that is sent twice, because its answer got lost, is carried out once.

Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress

from anyio import to_thread
from fastapi import Request, Response

from luna.database import idempotency
from luna.database.engine import unit_of_work
from luna.database.idempotency import AnswerKey, KeptAnswer
from luna.errors import InvalidInputError, UnavailableError
from services.api.gateway import Gateway
from services.api.identity.caller import Caller
from services.api.operation import Operation
from services.api.operations import takes_key

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
# What an answer is besides its body; all else is made anew by whoever sends it.
_HEADERS = ("content-type", "location", "etag")

Handler = Callable[[Request], Awaitable[Response]]


async def answer_once(operation: Operation, request: Request, handle: Handler) -> Response:
    """Return the answer of ``handle``; of a key that was answered before, that answer again.

    Raises:
        InvalidInputError: the key is none, or came with another request.
        ConflictError: the first request of the key is still being answered.
    """
    text = request.headers.get(HEADER)
    if text is None or not takes_key(operation) or request.headers.get("Content-Type", "").startswith("multipart/"):
        # A file that comes twice is the same job by itself.
        return await handle(request)
    key = AnswerKey(_caller(request), operation.name, _read_key(text))
    gateway: Gateway = request.app.state.gateway
    digest = hashlib.sha256(b"\0".join((request.url.path.encode(), request.url.query.encode(), await request.body()))).hexdigest()
    kept = await to_thread.run_sync(_reserve, gateway, key, digest)
    if kept is not None:
        return Response(kept.body, kept.status, {**kept.headers, "Idempotent-Replayed": "true"})
    return await _answer_held(gateway, key, request, handle)


async def _answer_held(gateway: Gateway, key: AnswerKey, request: Request, handle: Handler) -> Response:
    done = False
    try:
        response = await handle(request)
        done = True
    finally:
        if not done:
            await to_thread.run_sync(_release, gateway, key)
    headers = {name: value for name, value in response.headers.items() if name in _HEADERS}
    await to_thread.run_sync(_keep, gateway, key, KeptAnswer(response.status_code, headers, bytes(response.body).decode()))
    return response


def _read_key(text: str) -> str:
    if _KEY.fullmatch(text) is None:
        remedy = "Send 1 to 200 visible characters of ASCII, such as a random UUID."
        raise InvalidInputError("is no key", field=HEADER, value=text[:200], remedy=remedy)
    return text


def _caller(request: Request) -> str:
    caller: Caller = request.state.caller
    return f"{caller.means}:{caller.name}:{caller.user_id or ''}"


def _reserve(gateway: Gateway, key: AnswerKey, digest: str) -> KeptAnswer | None:
    with unit_of_work(gateway.database) as connection:
        return idempotency.reserve(connection, key, digest=digest)


def _keep(gateway: Gateway, key: AnswerKey, answer: KeptAnswer) -> None:
    # What was done is done: without its answer the key is refused until it is abandoned, for nothing may be done twice.
    with suppress(UnavailableError), unit_of_work(gateway.database) as connection:
        idempotency.keep(connection, key, answer)


def _release(gateway: Gateway, key: AnswerKey) -> None:
    # A database that is away or full forgets the key by itself once it is abandoned.
    with suppress(UnavailableError), unit_of_work(gateway.database) as connection:
        idempotency.release(connection, key)
