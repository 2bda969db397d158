"""Audit log of changes and sign-in attempts, with user, address and status."""

from functools import partial
from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from luna.energy.errors import LunaError
from luna.platform.database import audit
from luna.platform.telemetry import current_trace_id
from services.api.identity.caller import Caller
from services.api.identity.identity import Identity
from services.api.operation import Operation

SAFE = ("GET", "HEAD", "OPTIONS")
# Without a known caller only these are recorded, attempts to sign in; the rest is in the log and
# the metrics.
OF_ANYBODY = ("set_up", "sign_in", "refresh_tokens")
LONGEST_NAME = 64

log = structlog.get_logger("luna.audit")


class AuditRequests:
    """Middleware that writes the entry before the response starts.

    Where that fails, the log alone holds it.

    An entry that a worker committed with its own changes (``stored_entry``, its status) is not
    written again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self._app(scope, receive, send)
            return

        async def send_written(message: Message) -> None:
            if message["type"] == "http.response.start":
                await _write(scope, message["status"])
            await send(message)

        await self._app(scope, receive, send_written)


async def _write(scope: Scope, status: int) -> None:
    record = describe_request(scope, status)
    if record is None:
        return
    identity: Identity = scope["app"].state.identity
    stored = scope["state"].get("stored_entry") == status
    log.info(
        "audit",
        user=record.user_name,
        means=record.means,
        operation=record.operation,
        site=record.site,
        status=status,
        address=record.address,
    )
    if stored:
        return
    try:
        await identity.write(partial(audit.write, record=record))
    except LunaError as error:
        log.warning(
            "the audit log cannot be written",
            reason=str(error),
            operation=record.operation,
            user=record.user_name,
        )


def describe_request(scope: Scope, status: int) -> audit.AuditRecord | None:
    """Return the audit entry of a request that ends in ``status``; None where it leaves none."""
    state = scope.get("state", {})
    operation: Operation | None = state.get("operation")
    if operation is None:
        return None
    caller: Caller = state["caller"]
    if caller.means in ("nobody", "monitor") and (
        operation.name not in OF_ANYBODY or status == HTTPStatus.TOO_MANY_REQUESTS
    ):
        return None
    means: str = caller.means
    if caller.means == "key":
        means = f"key:{caller.key_prefix}"
    elif caller.means == "nobody":
        means = "password"
    name = str(state.get("audited_name", caller.name)).replace("\x00", "\ufffd")[:LONGEST_NAME]
    site = None
    if state.get("site") is not None:
        site = str(state["site"]).replace("\x00", "\ufffd")[:200]
    return audit.AuditRecord(
        user_name=name,
        means=means,
        operation=operation.name,
        status=status,
        request_id=current_trace_id(),
        site=site,
        address=state["source"].address,
    )
