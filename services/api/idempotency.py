"""Carry out a request once that is repeated because its response got lost.

It names an idempotency key.

Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from luna.energy.errors import UnavailableError
from luna.energy.refusals import refuse
from luna.platform.database import idempotency
from luna.platform.database.engine import WholeUnit, unit_of_work
from luna.platform.database.idempotency import AnswerKey, StoredReply
from services.api.gateway import Gateway, deduplicated
from services.api.identity.caller import Caller
from services.api.operation import Operation

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
# Headers stored with a response; the others are set anew when it is replayed.
_HEADERS = ("content-type", "location", "etag")

Handler = Callable[[Request], Awaitable[Response]]


async def answer_once(operation: Operation, request: Request, handle: Handler) -> Response:
    """Return the response of ``handle``, or the stored one if the key was used before.

    Raises:
        InvalidInputError: the key is malformed, or was used with another request.
        ConflictError: the first request with the key is still being answered.
    """
    text = request.headers.get(HEADER)
    if (
        text is None
        or not operation.takes_key
        or request.headers.get("Content-Type", "").startswith("multipart/")
    ):
        # Uploads need no key: a job is keyed by the file's digest.
        return await handle(request)
    caller: Caller = request.state.caller
    if _KEY.fullmatch(text) is None:
        raise refuse("no-request-key", field=HEADER, value=text[:200])
    # Per API key, since two keys of one user may have different sites.
    identity = f"{caller.means}:{caller.name}:{caller.user_id or ''}:{caller.key_prefix or ''}"
    key = AnswerKey(identity, operation.name, text)
    gateway: Gateway = request.app.state.gateway
    content = (request.url.path.encode(), request.url.query.encode(), await request.body())
    digest = hashlib.sha256(b"\0".join(content)).hexdigest()
    is_locked = await to_thread.run_sync(gateway.locked_keys.take, key)
    reserve = partial(idempotency.reserve, key=key, digest=digest, is_locked=is_locked)
    try:
        reserved = await gateway.in_unit(reserve)
        if isinstance(reserved, StoredReply):
            headers = {**reserved.headers, "Idempotent-Replayed": "true"}
            return Response(reserved.body, reserved.status, headers)
        return await _answer_first(gateway, key, partial(handle, request), since=reserved)
    finally:
        if is_locked:
            await to_thread.run_sync(gateway.locked_keys.give_back, key)


async def _answer_first(
    gateway: Gateway, key: AnswerKey, answer: Callable[[], Awaitable[Response]], *, since: datetime
) -> Response:
    whole = WholeUnit(gateway.database)
    answered = False
    try:
        with whole.entered(), deduplicated(" ".join((*key, since.isoformat()))):
            response = await answer()
            answered = True
            await to_thread.run_sync(whole.store, partial(_keep, key=key, response=response))
    finally:
        await to_thread.run_sync(whole.close)
        if not answered:
            await to_thread.run_sync(_release, gateway, key)
    return response


def _keep(connection: Connection, *, key: AnswerKey, response: Response) -> None:
    if isinstance(response, StreamingResponse):
        # A stream is not stored.
        idempotency.release(connection, key)
        return
    headers = {name: value for name, value in response.headers.items() if name in _HEADERS}
    body = bytes(response.body).decode()
    idempotency.keep(connection, key, StoredReply(response.status_code, headers, body))


def _release(gateway: Gateway, key: AnswerKey) -> None:
    # While the database is away the reservation stays: the same request may take it over.
    with suppress(UnavailableError), unit_of_work(gateway.database) as connection:
        idempotency.release(connection, key)
