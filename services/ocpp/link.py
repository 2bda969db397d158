"""Exchange OCPP messages with one charge point over its websocket.

Message frames and schemas are the library's; its class ``ChargePoint`` answers a frame that it
cannot read by a traceback in the log, and one that is late with the answer to the next question.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from jsonschema.exceptions import ValidationError as SchemaError
from ocpp import exceptions
from ocpp.messages import Call, CallError, CallResult, MessageType, get_validator, unpack
from prometheus_client import Counter
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from services.ocpp.texts import clean_text

Payload = dict[str, Any]
Answer = Callable[[Payload], Payload]

# What every charge point is told: how often it is to say that it is there.
HEARTBEAT_SECONDS = 300
PING_SECONDS = 30
# Answers by which a charge point takes what it was told.
TAKEN = frozenset({"Accepted", "Scheduled"})
# How long a charge point may take to answer, and to take what is sent to it.
ANSWER_SECONDS = 10.0
SEND_SECONDS = 10.0
# Frames that are no OCPP until its connection is closed.
MOST_FAULTS = 20
# Messages a second that one charge point gets answered; what it sends beyond waits.
MOST_PER_SECOND = 50
_ID_LENGTH = 64

MESSAGES = Counter("luna_ocpp_messages_total", "Messages of charge points that were answered.")
FAULTS = Counter("luna_ocpp_unreadable_messages_total", "Messages of charge points that are none.")

log = structlog.get_logger("luna.ocpp")


class CallRefusedError(Exception):
    """A charge point refuses a message, or does not answer it in time."""

    def __init__(self, reason: str, *, silent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.silent = silent


class OcppLink:
    """The messages of one connection.

    Args:
        identity: of the charge point, for the log.
        connection: its websocket.
        version: of the schemas.
        answers: what answers its messages, by action.
        lenient: actions whose payload is taken as far as it can be read.
    """

    def __init__(
        self,
        identity: str,
        connection: ServerConnection,
        version: str,
        *,
        answers: Mapping[str, Answer],
        lenient: frozenset[str],
    ) -> None:
        self._identity = identity
        self._connection = connection
        self._version = version
        self._answers = answers
        self._lenient = lenient
        self._pending: dict[str, asyncio.Future[Payload]] = {}
        # A charge point takes one question at a time.
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Answer messages until the connection ends or has had too many faults."""
        faults = 0
        try:
            async for frame in self._connection:
                if not await self._take(frame):
                    faults += 1
                    FAULTS.inc()
                    log.warning("a message is no OCPP", charge_point=self._identity)
                if faults >= MOST_FAULTS:
                    await self._connection.close(1002, "too many messages are no OCPP")
                    return
                await asyncio.sleep(1 / MOST_PER_SECOND)
        except (ConnectionClosed, TimeoutError):
            return
        finally:
            for waiting in self._pending.values():
                if not waiting.done():
                    waiting.set_exception(CallRefusedError("the connection ended", silent=True))
                    # Read here: whoever waits for it may be cancelled before it can.
                    waiting.exception()

    async def is_alive(self, within_s: float) -> bool:
        """Return whether the charge point answers a ping in time."""
        try:
            async with asyncio.timeout(within_s):
                await (await self._connection.ping())
        except (TimeoutError, ConnectionClosed):
            return False
        return True

    async def call(
        self, action: str, payload: Payload, *, within_s: float = ANSWER_SECONDS
    ) -> Payload:
        """Send a question and return the payload of its answer.

        Raises:
            CallRefusedError: it is refused, late, or the connection ends.
        """
        message = Call(str(uuid.uuid4()), action, payload)
        async with self._turn:
            waiting: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
            self._pending[message.unique_id] = waiting
            try:
                async with asyncio.timeout(within_s):
                    await self._send(message.to_json())
                    return await waiting
            except TimeoutError as exc:
                raise CallRefusedError(f"no answer to {action}", silent=True) from exc
            except ConnectionClosed as exc:
                raise CallRefusedError("the connection ended", silent=True) from exc
            finally:
                self._pending.pop(message.unique_id, None)

    async def _take(self, frame: str | bytes) -> bool:
        """Answer a frame, or take it as an answer; return whether it is one of OCPP."""
        try:
            message = unpack(frame)
        except (exceptions.OCPPError, ValueError, TypeError, RecursionError):
            return False
        name = message.unique_id
        if not isinstance(name, str) or not 0 < len(name) <= _ID_LENGTH:
            return False
        if message.message_type_id == MessageType.Call:
            MESSAGES.inc()
            await self._send(self._answer(message).to_json())
            return True
        waiting = self._pending.get(name)
        # An answer that comes too late, or to nothing.
        if waiting is None or waiting.done():
            return True
        if isinstance(message, CallError):
            reason = f"{message.error_code} {message.error_description or ''}"
            waiting.set_exception(CallRefusedError(clean_text(reason, 200)))
        elif isinstance(message.payload, dict):
            waiting.set_result(message.payload)
        else:
            waiting.set_exception(CallRefusedError("its answer cannot be read"))
        return True

    def _answer(self, message: Call) -> CallResult | CallError:
        if not isinstance(message.action, str) or not isinstance(message.payload, dict):
            return message.create_call_error(exceptions.FormatViolationError())
        answer = self._answers.get(message.action)
        if answer is None:
            return message.create_call_error(exceptions.NotImplementedError())
        if message.action not in self._lenient:
            try:
                validator = get_validator(MessageType.Call, message.action, self._version)
                validator.validate(message.payload)
            except (SchemaError, RecursionError) as error:
                log.info(
                    "a message has a wrong payload",
                    charge_point=self._identity,
                    action=message.action,
                    fault=str(getattr(error, "message", error))[:200],
                )
                return message.create_call_error(exceptions.FormatViolationError())
        try:
            return message.create_call_result(answer(message.payload))
        except Exception:  # the edge of a message: the charge point's others go on
            log.exception(
                "a message cannot be answered", charge_point=self._identity, action=message.action
            )
            return message.create_call_error(exceptions.InternalError())

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._connection.send(text)
        except TimeoutError:
            # It does not take what is sent: its connection is of no use any more.
            self._connection.transport.abort()
            raise


def acknowledge(_payload: Payload) -> Payload:
    """Answer a message that needs nothing done."""
    return {}


def refuse_data(_payload: Payload) -> Payload:
    """Answer a maker's own message."""
    return {"status": "UnknownVendorId"}
