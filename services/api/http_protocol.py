"""HTTP as the gateway speaks it: uvicorn's, with an end to waiting, and with problem documents for what never became a request."""

import asyncio
import json
from http import HTTPStatus

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from luna.platform.telemetry import new_trace_id
from services.api.events import ENDLESS
from services.api.problems import MEDIA_TYPE

# From the connection, or from the first byte of a further request; kept also by who sends a byte now and then.
HEADER_SECONDS = 10.0


class GatewayProtocol(H11Protocol):
    """One connection. Headers come in within ``header_seconds`` or the connection is closed; streams without an end do not hold up a server that stops."""

    header_seconds = HEADER_SECONDS
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        if self.cycle is not None and not self.cycle.response_complete and self.scope.get(ENDLESS):
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg.rstrip("."), field="request", remedy="Send HTTP/1.1.")

    def _watch_headers(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._forget_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.header_seconds, self._give_up)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        received, _ = self.conn.trailing_data
        if self.transport.is_closing() or self.conn.our_state is not h11.IDLE:
            return
        # A browser connects ahead of what it may ask; it is told nothing.
        if not received:
            self.transport.close()
            return
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the headers did not come in", field="headers", remedy="Send the whole request without long pauses.")

    def _refuse(self, status: HTTPStatus, detail: str, *, field: str, remedy: str) -> None:
        kind = status.phrase.lower().replace(" ", "-")
        document = {"type": f"urn:luna:problem:{kind}", "title": status.phrase, "status": status.value, "detail": detail, "field": field}
        body = json.dumps({**document, "remedy": remedy, "trace_id": new_trace_id()}).encode()
        headers = [("Content-Type", MEDIA_TYPE), ("Content-Length", str(len(body))), ("Connection", "close")]
        for event in (h11.Response(status_code=status.value, headers=headers, reason=status.phrase), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
