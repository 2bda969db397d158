"""A server that answers as Home Assistant does, over HTTP and websocket, and fails as it and the
way to it do.

The messages follow Home Assistant's developer documentation (REST API, WebSocket API) and what its
recorder answers: history begins with what held at the window's start, rows of statistics carry
milliseconds, a subscription says entities whole once and then what changed.
"""

import asyncio
import json
import math
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.support.gateway.prompt_server import PromptServer

TOKEN = "long-lived"
PERIODS = {"5minute": 300, "hour": 3600}


@dataclass
class Sensor:
    """What a sensor ever said, and since when the recorder still has it.

    Args:
        unit: of its values; None for a switch.
        counter: whether it counts, as ``total_increasing`` does.
        seconds: since 1970, ascending.
        states: as text.
        kept_since: states before it are purged.
        short_since: five-minute statistics before it are purged; hours stay.
        former_unit: until when its states were in another unit, and in which.
        device_class: as Home Assistant calls what it measures; empty: it does not say.
    """

    unit: str | None
    counter: bool = False
    seconds: list[float] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    kept_since: float = -math.inf
    short_since: float = -math.inf
    former_unit: tuple[float, str] | None = None
    device_class: str = ""
    computed: dict[tuple[str, int], Any] = field(default_factory=dict)

    def history(self, first: float, end: float, *, visible_until: float) -> list[dict[str, Any]]:
        """Return the states from ``first`` on, before ``end``.

        What held at ``first`` is dated so.
        """
        kept = [
            (max(at, first), at, state)
            for at, state in zip(self.seconds, self.states, strict=True)
            if self.kept_since <= at < min(end, visible_until)
        ]
        before = [entry for entry in kept if entry[1] <= first][-1:]
        return [
            {"state": state, "last_changed": iso(at), "attributes": self._attributes(at)}
            for at, _, state in [*before, *(entry for entry in kept if entry[1] > first)]
        ]

    def _attributes(self, at: float) -> dict[str, str]:
        unit = self.former_unit[1] if self.former_unit and at < self.former_unit[0] else self.unit
        return {} if unit is None else {"unit_of_measurement": unit}

    def statistics(self, first: float, end: float, period: str) -> list[dict[str, Any]]:
        """Return the rows that begin from ``first`` on, before ``end``, as the recorder would have
        written them.
        """
        begin = max(first, self.short_since if period == "5minute" else -math.inf)
        starts, columns = self._rows(period)
        inside = slice(*np.searchsorted(starts, (begin, end)))
        step = PERIODS[period] * 1000
        values = zip(
            (starts[inside] * 1000).tolist(),
            *(column[inside].tolist() for column in columns.values()),
            strict=True,
        )
        return [
            {"start": int(start), "end": int(start) + step, **dict(zip(columns, row, strict=True))}
            for start, *row in values
        ]

    def _rows(self, period: str) -> tuple[Any, dict[str, Any]]:
        """Return starts and columns of all rows there are, computed once."""
        key = (period, len(self.states))
        if key not in self.computed:
            step = PERIODS[period]
            starts = np.arange(
                math.ceil(self.seconds[0] / step) * step, self.seconds[-1], step, dtype=np.float64
            )
            self.computed[key] = (
                starts,
                (self._counted(starts + step) if self.counter else self._means(starts, step)),
            )
        return self.computed[key]

    @property
    def values(self) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return np.array(
            [
                float(state) if state.replace(".", "", 1).lstrip("-").isdigit() else math.nan
                for state in self.states
            ]
        )

    def _counted(self, ends: Any) -> dict[str, Any]:
        known = ~np.isnan(self.values)
        seconds = np.array(self.seconds)[known]
        values = self.values[known]
        rises = np.diff(values, prepend=values[0])
        # A counter that falls began again from zero.
        total = np.cumsum(np.where(rises < 0, values, rises))
        last = np.searchsorted(seconds, ends, side="right") - 1
        return {"state": values[last], "sum": total[last]}

    def _means(self, starts: Any, step: int) -> dict[str, Any]:
        values = np.nan_to_num(self.values)
        area = np.concatenate([[0.0], np.cumsum(values[:-1] * np.diff(self.seconds))])
        edges = np.append(starts, starts[-1:] + step)
        return {"mean": np.diff(np.interp(edges, self.seconds, area)) / step}


@dataclass
class Faults:
    """What goes wrong next, in order, by what is asked: ``/api/history``,
    ``recorder/statistics_during_period``, …
    """

    planned: dict[str, deque[str]] = field(default_factory=dict)

    def plan(self, asked: str, *faults: str) -> None:
        self.planned.setdefault(asked, deque()).extend(faults)

    def take(self, asked: str) -> str | None:
        for prefix, faults in self.planned.items():
            if asked.startswith(prefix) and faults:
                return faults.popleft()
        return None


class House:
    """The server's state: sensors, faults, who listens, and what was asked."""

    def __init__(self, sensors: Mapping[str, Sensor], *, lag_s: float = 0.0) -> None:
        self.sensors = dict(sensors)
        self.faults = Faults()
        self.asked: list[str] = []
        self.clock_error = timedelta(0)
        self.state = "RUNNING"
        self.lag_s = lag_s
        self.url = ""
        # States of entities that take values, and how the energy dashboard is configured; None: it
        # is not.
        self.commands: list[dict[str, Any]] = []
        self.dashboard: dict[str, Any] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.listeners: dict[WebSocket, tuple[int, frozenset[str]]] = {}
        self.lock = threading.Lock()

    def say(self, sensor: str, state: object) -> float:
        """Let a sensor say something now; who listens hears it, who is away does not."""
        with self.lock:
            at = time.time()
            self.sensors[sensor].seconds.append(at)
            self.sensors[sensor].states.append(str(state))
        self._run(self._tell(sensor, {"+": {"s": str(state), "lc": at, "c": "context"}}))
        return at

    def hang_up(self) -> None:
        """Drop every socket."""
        self._run(self._close_all())

    def _run(self, work: Any) -> None:
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def _tell(self, sensor: str, change: Mapping[str, Any]) -> None:
        for socket, (number, sensors) in list(self.listeners.items()):
            if sensor in sensors:
                try:
                    await _send(
                        socket, {"id": number, "type": "event", "event": {"c": {sensor: change}}}
                    )
                except WebSocketDisconnect:
                    # Killed a moment ago, and its end of the socket has not noticed yet.
                    self.listeners.pop(socket, None)

    async def _close_all(self) -> None:
        listeners = list(self.listeners)
        self.listeners = {}
        for socket in listeners:
            await socket.close(1011)

    # ---- HTTP ----

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append(path)
        headers = {"Date": format_datetime(datetime.now(UTC) + self.clock_error, usegmt=True)}
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Response("401: Unauthorized", 401, headers)
        fault = self.faults.take(path)
        if fault is not None and fault.isdigit():
            return Response(f"{fault}: later", int(fault), {**headers, "Retry-After": "7"})
        body = json.dumps(self._document(request)).encode()
        if fault == "half":
            return StreamingResponse(
                _half(body), 200, {**headers, "Content-Length": str(len(body))}, "application/json"
            )
        if fault == "slow":
            await asyncio.sleep(1)
        return Response(body, 200, headers, "application/json")

    def _document(self, request: Request) -> Any:
        path = request.url.path
        if path == "/api/config":
            return {"state": self.state, "version": "2026.11.1", "time_zone": "Europe/Berlin"}
        if path == "/api/states":
            return [
                *(_describe(name, sensor) for name, sensor in self.sensors.items()),
                *self.commands,
            ]
        name = request.query_params["filter_entity_id"]
        first = seconds_of(path.rsplit("/", 1)[1])
        end = seconds_of(request.query_params["end_time"])
        if name not in self.sensors:
            return []
        with self.lock:
            states = self.sensors[name].history(first, end, visible_until=time.time() - self.lag_s)
        if "no_attributes" in request.query_params:
            states = [state | {"attributes": {}} for state in states]
        short = (
            [{key: state[key] for key in ("state", "last_changed")} for state in states[1:]]
            if "minimal_response" in request.query_params
            else states[1:]
        )
        return (
            [[{"entity_id": name, "last_updated": states[0]["last_changed"], **states[0]}, *short]]
            if states
            else []
        )

    # ---- websocket ----

    async def converse(self, socket: WebSocket) -> None:
        await socket.accept()
        await _send(socket, {"type": "auth_required", "ha_version": "2026.11.1"})
        said = await socket.receive_json()
        if said.get("access_token") != TOKEN:
            await _send(
                socket, {"type": "auth_invalid", "message": "Invalid access token or password"}
            )
            await socket.close()
            return
        await _send(socket, {"type": "auth_ok", "ha_version": "2026.11.1"})
        try:
            while True:
                await self._reply(socket, await socket.receive_json())
        except WebSocketDisconnect:
            self.listeners.pop(socket, None)

    async def _reply(self, socket: WebSocket, command: dict[str, Any]) -> None:
        self.asked.append(command["type"])
        fault = self.faults.take(command["type"])
        if fault == "drop":
            await socket.close(1011)
            return
        if fault == "slow":
            await asyncio.sleep(1)
        if fault == "failed":
            await _send(
                socket,
                {
                    "id": command["id"],
                    "type": "result",
                    "success": False,
                    "error": {"code": "unknown_error", "message": "Unknown error"},
                },
            )
            return
        if command["type"] == "energy/get_prefs" and self.dashboard is None:
            await _send(
                socket,
                {
                    "id": command["id"],
                    "type": "result",
                    "success": False,
                    "error": {"code": "not_found", "message": "No prefs"},
                },
            )
            return
        await _send(
            socket,
            {
                "id": command["id"],
                "type": "result",
                "success": True,
                "result": self._result(command),
            },
        )
        if command["type"] == "subscribe_entities":
            await self._subscribe(socket, command)

    async def _subscribe(self, socket: WebSocket, command: dict[str, Any]) -> None:
        wanted = frozenset(command["entity_ids"])
        with self.lock:
            now = {
                name: _compress(sensor)
                for name, sensor in self.sensors.items()
                if name in wanted and sensor.states
            }
        self.listeners[socket] = (command["id"], wanted)
        await _send(socket, {"id": command["id"], "type": "event", "event": {"a": now}})

    def _result(self, command: dict[str, Any]) -> Any:
        known = {
            name: self.sensors[name]
            for name in command.get("statistic_ids", ())
            if name in self.sensors
        }
        if command["type"] == "recorder/statistics_during_period":
            first = seconds_of(command["start_time"])
            end = seconds_of(command["end_time"])
            rows = {
                name: sensor.statistics(first - PERIODS[command["period"]], end, command["period"])
                for name, sensor in known.items()
                if sensor.seconds
            }
            return {
                name: _convert(found, known[name], command)
                for name, found in rows.items()
                if found[-1:] and found[-1]["start"] >= first * 1000
            }
        if command["type"] == "recorder/get_statistics_metadata":
            return [
                {
                    "statistic_id": name,
                    "statistics_unit_of_measurement": "kWh" if sensor.counter else "W",
                }
                for name, sensor in known.items()
            ]
        return self.dashboard if command["type"] == "energy/get_prefs" else None


@contextmanager
def serve(house: House) -> Iterator[House]:
    """Run the server on a free port of this machine until the block ends."""
    routes = [
        Route("/api/{rest:path}", house.answer),
        WebSocketRoute("/api/websocket", house.converse),
    ]
    server = PromptServer(
        uvicorn.Config(
            Starlette(routes=routes),
            port=0,
            log_config=None,
            date_header=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )

    async def run() -> None:
        house.loop = asyncio.get_running_loop()
        await server.serve()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    house.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield house
    finally:
        server.end()
        thread.join()


def counter(start: datetime, step: timedelta, values: Sequence[float], **more: Any) -> Sensor:
    """Return a counter of kWh that was read every ``step``."""
    seconds = start.timestamp() + np.arange(len(values)) * step.total_seconds()
    return Sensor(
        "kWh",
        counter=True,
        seconds=seconds.tolist(),
        states=[f"{value:.6f}" for value in values],
        **more,
    )


def seconds_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _convert(
    rows: list[dict[str, Any]], sensor: Sensor, command: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return what was asked of each row that begins in the window, in the units asked for."""
    factor = 0.001 if sensor.unit in {"W", "Wh"} and command.get("units") else 1.0
    sums = [row.get("sum", 0.0) for row in rows]
    changes = [
        {"change": after - before} if sensor.counter else {}
        for before, after in zip([*sums[:1], *sums], sums, strict=False)
    ]
    first = seconds_of(command["start_time"]) * 1000
    whole = [
        row | change for row, change in zip(rows, changes, strict=True) if row["start"] >= first
    ]
    return [
        {"start": row["start"], "end": row["end"]}
        | {name: _times(row.get(name), factor) for name in command["types"]}
        for row in whole
    ]


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _describe(name: str, sensor: Sensor) -> dict[str, Any]:
    unit = {} if sensor.unit is None else {"unit_of_measurement": sensor.unit}
    classes = {"state_class": "total_increasing"} if sensor.counter else {}
    classes |= {"device_class": sensor.device_class} if sensor.device_class else {}
    state = sensor.states[-1] if sensor.states else "unknown"
    return {
        "entity_id": name,
        "state": state,
        "attributes": {"friendly_name": name, **unit, **classes},
        "last_changed": "2024-01-01T00:00:00+00:00",
    }


def _compress(sensor: Sensor) -> dict[str, Any]:
    unit = {} if sensor.unit is None else {"unit_of_measurement": sensor.unit}
    return {"s": sensor.states[-1], "a": unit, "c": "context", "lc": sensor.seconds[-1]}


async def _half(body: bytes) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]


async def _send(socket: WebSocket, message: Mapping[str, Any]) -> None:
    await socket.send_text(json.dumps(message))
