"""Inverters that can be told something: a Home Assistant with entities behind services, and a
device behind a broker. They lose, delay and refuse commands.

Source of the messages: Home Assistant developer documentation, REST API.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

TOKEN = "long-lived"
SOC = "sensor.soc"
MODE = "select.mode"
POWER = "number.power"
MODES = {
    "self_consumption": "Self Use",
    "hold": "Standby",
    "charge": "Force Charge",
    "export": "Force Discharge",
}


@dataclass
class Inverter:
    """Entities by name, what was called, and what goes wrong next: ``refuse``, ``lose``
    (acknowledged, nothing follows), ``hang_up``, ``wait``.
    """

    states: dict[str, str]
    calls: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    go_on: threading.Event = field(default_factory=threading.Event)
    speaks: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def __post_init__(self) -> None:
        self.speaks.set()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let nobody hear about a state of charge until the block ends; commands are taken."""
        self.speaks.clear()
        yield
        self.speaks.set()

    @property
    def modes(self) -> list[str]:
        """The modes it was told, in order."""
        return [
            data["option"] for _, service, data in self.calls if service == "select/select_option"
        ]

    def call(self, service: str, data: dict[str, Any]) -> int:
        self.calls.append((time.time(), service, data))
        fault = self.faults.popleft() if self.faults else ""
        if fault == "wait":
            self.go_on.wait(30)
        if fault == "hang_up":
            raise ConnectionAbortedError
        if fault == "refuse":
            return 400
        if fault != "lose":
            value = next(
                (str(value) for name, value in data.items() if name != "entity_id"),
                service.rpartition("_")[2],
            )
            self.states[data["entity_id"]] = value
        return 200


@contextmanager
def serve(inverter: Inverter) -> Iterator[Inverter]:
    """Run a Home Assistant with this inverter until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with suppress(ConnectionError):
                self._say(inverter.call(self.path.removeprefix("/api/services/"), data), [])

        def do_GET(self) -> None:
            entity = self.path.removeprefix("/api/states/")
            if entity == SOC:
                inverter.speaks.wait(30)
            known = entity in inverter.states
            # Who asked may have given up.
            with suppress(ConnectionError):
                self._say(
                    200 if known else 404,
                    {"entity_id": entity, "state": inverter.states.get(entity)},
                )

        def _say(self, status: int, document: object) -> None:
            allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            body = json.dumps(document).encode()
            self.send_response(status if allowed else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    inverter.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield inverter
    finally:
        inverter.go_on.set()
        inverter.speaks.set()
        server.shutdown()
        server.server_close()
        thread.join()


def describe(by: str = "home_assistant", **battery: Any) -> dict[str, Any]:
    """A section ``control`` for the inverter above, or for the device below."""
    mqtt = by == "mqtt"
    power = {"to": "inverter/power/set", "read_back": "inverter/power"} if mqtt else {"to": POWER}
    mode = {"to": "inverter/mode/set", "read_back": "inverter/mode"} if mqtt else {"to": MODE}
    writes = [
        power | {"value": "{power_w}", "when": ["charge", "export"]},
        mode | {"value": "{mode}"},
    ]
    return {
        "by": by,
        "batteries": [
            {
                "battery": "battery",
                "soc": "inverter/soc" if mqtt else SOC,
                "modes": MODES,
                "writes": writes,
            }
            | battery
        ],
    }


DEVICES: dict[str, Any] = {
    "vehicles": [
        {"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11, "charger": {"phases": [1, 3]}}
    ],
    "loads": [
        {
            "name": "boiler",
            "kind": "water_heater",
            "power_kw": 3,
            "energy_kwh_per_day": 6,
            "min_on_minutes": 30,
        }
    ],
    "pv": [{"peak_kw": 8}],
    "tariff": {
        "import": {"kind": "fixed", "price": 0.3},
        "export": {"kind": "fixed", "price": -0.01},
    },
}
CAR = "switch.car"
CURRENT = "number.car_current"
BOILER = "switch.boiler"
PV = "number.pv_limit"


def describe_devices(by: str = "home_assistant") -> dict[str, Any]:
    """A section ``control`` for a car, a water heater and PV."""
    mqtt = by == "mqtt"

    def place(entity: str, topic: str) -> dict[str, str]:
        return {"to": f"{topic}/set", "read_back": topic} if mqtt else {"to": entity}

    switch = {"charge": "on", "stop": "off"}
    car = [
        place(CURRENT, "inverter/current") | {"value": "{current_a}", "when": ["charge"]},
        place(CAR, "inverter/car") | {"value": "{mode}"},
    ]
    return {
        "by": by,
        "vehicles": [{"vehicle": "car", "modes": switch, "writes": car}],
        "loads": [
            {
                "load": "boiler",
                "modes": {"on": "on", "off": "off"},
                "writes": [place(BOILER, "inverter/boiler") | {"value": "{mode}"}],
            }
        ],
        "pv": {
            "modes": {"free": "free", "limit": "limit", "no_export": "no_export", "off": "off"},
            "writes": [place(PV, "inverter/pv") | {"value": "{limit_percent}"}],
        },
    }


class BrokerDevice:
    """A device behind a broker that does what ``…/set`` says and tells at ``…`` what holds,
    retained; while deaf it does nothing.
    """

    def __init__(self, port: int, said: Mapping[str, str], *, host: str = "127.0.0.1") -> None:
        self.heard: list[tuple[str, str]] = []
        self.deaf = False
        self._ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._follow
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_connect = lambda client, *_: client.subscribe("inverter/+/set", 1)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(host, port)
        self._client.loop_start()
        assert self._ready.wait(60)
        for topic, value in said.items():
            self._client.publish(topic, value, qos=1, retain=True).wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _follow(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        value = message.payload.decode()
        self.heard.append((message.topic, value))
        if not self.deaf:
            client.publish(message.topic.removesuffix("/set"), value, qos=1, retain=True)
