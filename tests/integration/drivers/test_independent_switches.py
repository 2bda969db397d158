"""Chargers and switches over HTTP, MQTT and Modbus against devices written from their makers'
papers alone, and their simulators under plain clients: what a device receives, and what it does.
"""

import json
import math
import re
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import ModbusTcpClient

from luna.contracts.device_command import DeviceCommand
from luna.drivers.command_session import CommandSession
from luna.drivers.device_search import find_devices
from luna.drivers.device_server import serve_device
from luna.drivers.profiled_device import reach
from luna.drivers.profiles import list_profiles, load_profile
from luna.drivers.simulated_charge_point import simulate
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError, UnavailableError
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.home_assistant.broker import PATIENCE_SECONDS, Mosquitto, needs_mosquitto
from tests.support.worker.workers import wait_for

NO_FOLDER = Path("/nonexistent")
# A request as a device has it: method, path with its query, body.
Request = tuple[str, str, str]


class FakeDevice:
    """A device with HTTP that remembers what changed something."""

    def __init__(self) -> None:
        self.received: list[str] = []

    def answer(self, method: str, path: str, body: str) -> Any:
        """Return a request's document, None for what the device does not know."""
        raise NotImplementedError


class Evcc(FakeDevice):
    """Source: evcc's documentation of its REST API; loadpoints count from 1, its list from 0."""

    def __init__(self) -> None:
        super().__init__()
        self.loadpoints: list[dict[str, Any]] = [
            {
                "mode": "pv",
                "connected": True,
                "charging": False,
                "chargePower": 0,
                "chargedEnergy": 1500,
                "vehicleSoc": 0,
                "maxCurrent": 16,
                "phasesConfigured": 0,
                "offeredCurrent": 0,
            }
            for _ in range(2)
        ]
        # Its number of phases is not chosen yet, and must not change under load.
        self.loadpoints[1] |= {"charging": True, "chargePower": 4100}

    def answer(self, method: str, path: str, body: str) -> Any:
        url = urlsplit(path)
        if method == "GET" and url.path == "/api/state":
            query = parse_qs(url.query)["jq"][0]
            if query == ".version":
                return "0.316.1"
            place = re.fullmatch(r"\.loadpoints\[(\d+)-(\d+)\]", query)
            return None if place is None else self.loadpoints[int(place[1]) - int(place[2])]
        setting = re.fullmatch(r"/api/loadpoints/(\d+)/(mode|maxcurrent|phases)/(\w+)", path)
        if method != "POST" or setting is None:
            return None
        self.received.append(path)
        loadpoint = self.loadpoints[int(setting[1]) - 1]
        match setting[2]:
            case "mode":
                loadpoint["mode"] = setting[3]
                is_on = setting[3] == "now"
                loadpoint |= {"charging": is_on, "chargePower": 4100 if is_on else 0}
            case "maxcurrent":
                loadpoint["maxCurrent"] = float(setting[3])
            case "phases":
                loadpoint["phasesConfigured"] = int(setting[3])
        return {"result": setting[3]}


class OpenWbPro(FakeDevice):
    """Source: openWB's page of connect.php; a form sets one thing."""

    def __init__(self) -> None:
        super().__init__()
        self.status: dict[str, Any] = {
            "power_all": 0,
            "imported": 123456,
            "plug_state": True,
            "charge_state": False,
            "phases_target": 3,
            "phases_in_use": 0,
            "offered_current": 16,
            "evse_signaling": "basic iec61851",
            "serial": "493826",
        }

    def answer(self, method: str, path: str, body: str) -> Any:
        if path != "/connect.php":
            return None
        if method == "POST":
            self.received.append(body)
            form = parse_qs(body)
            if "ampere" in form:
                self.status["offered_current"] = float(form["ampere"][0])
                is_on = self.status["offered_current"] >= 6
                self.status |= {"charge_state": is_on, "power_all": 4100 if is_on else 0}
            if "phasetarget" in form:
                self.status["phases_target"] = int(form["phasetarget"][0])
        return self.status


class ShellyRelays(FakeDevice):
    """Source: Shelly Gen2+ API, component Switch."""

    def __init__(self) -> None:
        super().__init__()
        # Somebody left the first on.
        self.outputs = [True, False, False, False]

    def answer(self, method: str, path: str, body: str) -> Any:
        url = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/rpc/Switch.Set":
            self.received.append(path)
            was_on = self.outputs[int(query["id"])]
            self.outputs[int(query["id"])] = query["on"] == "true"
            return {"was_on": was_on}
        if url.path == "/rpc/Switch.GetStatus":
            return {"id": int(query["id"]), "output": self.outputs[int(query["id"])]}
        return None


class ShellyGen1(FakeDevice):
    """Source: Shelly's API for the first generation, /relay/0; turn takes on and off."""

    def __init__(self) -> None:
        super().__init__()
        self.is_on = [False, False]

    def answer(self, method: str, path: str, body: str) -> Any:
        url = urlsplit(path)
        if url.path == "/meter/0":
            return {"power": 1800.5 if self.is_on[0] else 0, "is_valid": True, "total": 60_000}
        place = re.fullmatch(r"/relay/(\d)", url.path)
        if place is None:
            return None
        if url.query:
            self.received.append(path)
            words = {"turn=on": True, "turn=off": False}
            self.is_on[int(place[1])] = words[url.query]
        return {"ison": self.is_on[int(place[1])], "has_timer": False}


class Tasmota(FakeDevice):
    """Source: Tasmota's documentation, Commands; /cm takes one."""

    def __init__(self) -> None:
        super().__init__()
        self.power = "OFF"

    def answer(self, method: str, path: str, body: str) -> Any:
        command = unquote(urlsplit(path).query.removeprefix("cmnd="))
        if command == "Status 0":
            watts = 2100 if self.power == "ON" else 0
            return {
                "StatusFWR": {"Version": "14.2.0(release-tasmota)"},
                "StatusNET": {"Mac": "A8:03:2A:BE:54:E0"},
                "StatusSTS": {"POWER": self.power},
                "StatusSNS": {"ENERGY": {"Total": 12.345, "Power": watts}},
            }
        self.received.append(command)
        self.power = command.removeprefix("Power ")
        return {"POWER": self.power}


@contextmanager
def serving(device: FakeDevice) -> Iterator[int]:
    """Serve a device while the block runs; yield its port."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            document = device.answer(self.command, self.path, body)
            content = json.dumps(document).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = handle_any  # noqa: N815 - its names there

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.socket.close()
        thread.join()


CHARGE = DeviceCommand("charge", current_a=10.9, phases=1, power_w=2500)
ON = DeviceCommand("on", power_w=2000)
OFF = DeviceCommand("off")
STOP = DeviceCommand("stop")
OWN = DeviceCommand("own", stand_in="charge", current_a=16, power_w=11_040)
# Profile, device, unit; commands, and what the device receives for each.
CASES: dict[
    str, tuple[type[FakeDevice], int | None, tuple[tuple[DeviceCommand, list[str]], ...]]
] = {
    "evcc": (
        Evcc,
        2,
        (
            (
                CHARGE,
                [
                    "/api/loadpoints/2/mode/off",
                    "/api/loadpoints/2/phases/1",
                    "/api/loadpoints/2/maxcurrent/10",
                    "/api/loadpoints/2/mode/now",
                ],
            ),
            (STOP, ["/api/loadpoints/2/mode/off"]),
            (OWN, ["/api/loadpoints/2/maxcurrent/16", "/api/loadpoints/2/mode/pv"]),
        ),
    ),
    "openwb_pro": (
        OpenWbPro,
        None,
        ((CHARGE, ["ampere=0", "phasetarget=1", "ampere=10"]), (STOP, ["ampere=0"])),
    ),
    "shelly_relay": (
        ShellyRelays,
        3,
        ((ON, ["/rpc/Switch.Set?id=3&on=true"]), (OFF, ["/rpc/Switch.Set?id=3&on=false"])),
    ),
    "sg_ready_shelly": (
        ShellyRelays,
        None,
        (
            (
                ON,
                ["/rpc/Switch.Set?id=0&on=false", "/rpc/Switch.Set?id=1&on=true&toggle_after=300"],
            ),
            (OFF, ["/rpc/Switch.Set?id=1&on=false"]),
        ),
    ),
    "shelly_gen1_relay": (
        ShellyGen1,
        1,
        ((ON, ["/relay/1?turn=on"]), (OFF, ["/relay/1?turn=off"])),
    ),
    "shelly_1pm": (
        ShellyGen1,
        None,
        ((ON, ["/relay/0?turn=on"]), (OFF, ["/relay/0?turn=off"])),
    ),
    "tasmota_switch": (Tasmota, None, ((ON, ["Power ON"]), (OFF, ["Power OFF"]))),
}


@pytest.mark.parametrize("name", CASES)
def test_a_device_receives_what_its_maker_says_and_is_read_back(name: str) -> None:
    make, unit, commands = CASES[name]
    device = make()
    profile = load_profile(name, NO_FOLDER)
    with serving(device) as port:
        via = Via(profile=name, host="127.0.0.1", port=port, unit=unit)
        with closing(CommandSession(reach(profile, via), look_seconds=1e6)) as session:
            for command, expected in commands:
                device.received.clear()
                session.command(command)
                assert (device.received, session.read_back()) == (expected, command)


def test_the_other_loadpoint_of_an_evcc_is_left_alone_and_each_is_read_for_itself() -> None:
    device = Evcc()
    other = dict(device.loadpoints[0])
    profile = load_profile("evcc", NO_FOLDER)
    with serving(device) as port:
        second = Via(profile="evcc", host="127.0.0.1", port=port, unit=2)
        with closing(CommandSession(reach(profile, second), look_seconds=1e6)) as session:
            session.command(CHARGE)
        first = Via(profile="evcc", host="127.0.0.1", port=port)
        for via, power_w in ((first, 0), (second, 4100)):
            with closing(reach(profile, via)) as reached:
                readings = reached.read()
            assert readings["car_w"] == power_w
            assert (readings["car_plugged"], readings["session_kwh"]) == (1, 1.5)
            # A car that evcc does not know has no level, and this charger no counter.
            assert readings["car_soc"] != readings["car_soc"]
            assert readings["car_kwh"] != readings["car_kwh"]
    assert device.loadpoints[0] == other


def test_a_socket_of_the_first_generation_counts_watt_minutes() -> None:
    device = ShellyGen1()
    device.is_on[0] = True
    with serving(device) as port:
        via = Via(profile="shelly_1pm", host="127.0.0.1", port=port)
        with closing(reach(load_profile("shelly_1pm", NO_FOLDER), via)) as reached:
            readings = reached.read()
    assert readings == {"load_on": 1, "heater_w": 1800.5, "heater_kwh": pytest.approx(1.0)}


@pytest.mark.parametrize("name", CASES)
def test_a_device_that_refuses_is_named_with_its_status(name: str) -> None:
    profile = load_profile(name, NO_FOLDER)
    command = ON if profile.kind == "switched_load" else CHARGE
    with serve_device(simulate(profile)) as server:
        server.faults.writes_taken = 0
        via = Via(profile=name, host="127.0.0.1", port=server.port)
        session = CommandSession(reach(profile, via), look_seconds=1e6)
        with closing(session), pytest.raises(LunaError) as refused:
            session.command(command)
    assert refused.value.parameters["status"] == 503


FOUND = (
    "evcc",
    "openwb_pro",
    "shelly_relay",
    "shelly_gen1_relay",
    "shelly_1pm",
    "tasmota_switch",
    "shelly_plug",
    "go_e_charger",
)


@pytest.mark.parametrize("name", FOUND)
def test_a_search_tells_them_apart_and_writes_nothing(name: str) -> None:
    device = simulate(load_profile(name, NO_FOLDER))
    over_http = [each for each in list_profiles() if each.transport.kind == "http"]
    with serve_device(device) as server:
        [found] = find_devices(["127.0.0.1"], over_http, port=server.port)
    assert (found.profile.profile, device.written) == (name, [])
    assert found.identity is not None
    assert found.identity.serial or found.identity.model


def test_simulators_do_what_a_plain_client_writes() -> None:
    rows: tuple[tuple[str, list[Request], float], ...] = (
        ("evcc", [("POST", "/api/loadpoints/1/mode/now", "")], 16 * 690),
        (
            "evcc",
            [
                ("POST", "/api/loadpoints/1/maxcurrent/8", ""),
                ("POST", "/api/loadpoints/1/mode/now", ""),
            ],
            8 * 690,
        ),
        ("evcc", [("POST", "/api/loadpoints/1/mode/off", "")], 0),
        ("openwb_pro", [("POST", "/connect.php", "ampere=10")], 6900),
        ("shelly_relay", [("GET", "/rpc/Switch.Set?id=0&on=true", "")], 3000),
        ("shelly_1pm", [("GET", "/relay/0?turn=on", "")], 3000),
        ("tasmota_switch", [("GET", "/cm?cmnd=Power%20ON", "")], 3000),
    )
    for name, requests, power_w in rows:
        device = simulate(load_profile(name, NO_FOLDER))
        with (
            serve_device(device) as server,
            httpx.Client(
                base_url=f"http://127.0.0.1:{server.port}", verify=NO_CERTIFICATES
            ) as client,
        ):
            for method, path, body in requests:
                client.request(method, path, content=body).raise_for_status()
            assert client.get("/rpc/Switch.Set?id=9&on=true").status_code == 404
        assert device.power_kw * 1000 == pytest.approx(power_w), name  # type: ignore[attr-defined]


@contextmanager
def registers(name: str) -> Iterator[tuple[ModbusTcpClient, Any]]:
    device = simulate(load_profile(name, NO_FOLDER))
    with serve_device(device) as server:
        client = ModbusTcpClient("127.0.0.1", port=server.port)
        try:
            assert client.connect()  # type: ignore[no-untyped-call]
            yield client, device
        finally:
            client.close()  # type: ignore[no-untyped-call]


def test_an_openwb_takes_hundredths_of_an_ampere() -> None:
    with registers("openwb_series2") as (client, device):
        for hundredths, power_w in ((1000, 6900), (0, 0), (650, 4485)):
            assert not client.write_register(10171, hundredths, device_id=1).isError()
            high, low = client.read_input_registers(10100, count=2, device_id=1).registers
            assert (high << 16) + low == power_w
            [charging] = client.read_input_registers(10115, count=1, device_id=1).registers
            assert charging == int(power_w > 0)
        assert client.read_input_registers(10114, count=1, device_id=1).registers == [1]
        device.plug(None)
        assert client.read_input_registers(10114, count=1, device_id=1).registers == [0]


def test_an_askoheat_takes_watts() -> None:
    with registers("askoheat") as (client, device):
        assert not client.write_register(319, 1750, device_id=1).isError()
        assert client.read_input_registers(317, count=1, device_id=1).registers == [1750]
        assert device.power_kw == 1.75


def test_heat_pumps_are_offered_surplus_in_their_units() -> None:
    with registers("lambda_eu_l") as (client, device):
        assert not client.write_registers(102, [1800], device_id=1).isError()
        assert client.read_holding_registers(103, count=1, device_id=1).registers == [1800]
        assert device.power_kw == 1.8
    with registers("idm_navigator") as (client, device):
        low, high = struct.unpack(">2H", struct.pack(">f", 1.5))[::-1]
        assert not client.write_registers(74, [low, high], device_id=1).isError()
        swapped = client.read_holding_registers(4122, count=2, device_id=1).registers[::-1]
        assert struct.unpack(">f", struct.pack(">2H", *swapped)) == (1.5,)
        assert device.power_kw == 1.5


class Listener:
    """A plain client of a broker that hears all messages."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, str]] = []
        listens = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_subscribe = lambda *_: listens.set()
        self.client.on_message = lambda _client, _data, message: self.heard.append(
            (message.topic, message.payload.decode())
        )
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe("#", 1)
        assert listens.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path, "allow_anonymous true", "set_tcp_nodelay true")
    broker.start()
    yield broker
    broker.kill()


def answer_as_tasmota(client: paho.Client, topic: str, payload: str) -> None:
    if topic == "cmnd/boiler/Power":
        client.publish("stat/boiler/RESULT", json.dumps({"POWER": payload}))
        client.publish("stat/boiler/POWER", payload)
    elif (topic, payload) == ("cmnd/boiler/Backlog", "State; Status 10"):
        client.publish("stat/boiler/RESULT", json.dumps({"POWER": "OFF", "Wifi": {"RSSI": 80}}))
        sensors = {"StatusSNS": {"ENERGY": {"Power": 0, "Total": 3.2}}}
        client.publish("stat/boiler/STATUS10", json.dumps(sensors))


def answer_as_shelly(client: paho.Client, topic: str, payload: str) -> None:
    if topic in {"boiler/command/switch:0", "boiler/command"}:
        document = {"id": 0, "output": payload == "on", "apower": 0.0, "aenergy": {"total": 3200}}
        client.publish("boiler/status/switch:0", json.dumps(document))


Reply = Callable[[paho.Client, str, str], None]
OVER_MQTT: tuple[tuple[str, Reply, tuple[str, str], tuple[str, str]], ...] = (
    (
        "tasmota_switch_mqtt",
        answer_as_tasmota,
        ("cmnd/boiler/Power", "ON"),
        ("cmnd/boiler/Power", "OFF"),
    ),
    (
        "shelly_plug_mqtt",
        answer_as_shelly,
        ("boiler/command/switch:0", "on"),
        ("boiler/command/switch:0", "off"),
    ),
)


@needs_mosquitto
@pytest.mark.parametrize(("name", "reply", "on", "off"), OVER_MQTT)
def test_a_switch_at_a_broker_receives_a_plain_word(
    broker: Mosquitto, name: str, reply: Reply, on: tuple[str, str], off: tuple[str, str]
) -> None:
    listener = Listener(broker.port)
    device = Listener(broker.port)
    device.client.on_message = lambda client, _data, message: reply(
        client, message.topic, message.payload.decode()
    )
    profile = load_profile(name, NO_FOLDER)
    via = Via(profile=name, host="127.0.0.1", port=broker.port, prefix="boiler")
    with closing(listener), closing(device), closing(reach(profile, via)) as reached:
        assert reached.read("heater_kwh")["heater_kwh"] == pytest.approx(3.2)
        session = CommandSession(reached, look_seconds=1e6)
        for command, message in ((ON, on), (OFF, off)):
            session.command(command)
            assert session.read_back() == command
            wait_for(lambda message=message: message in listener.heard)  # type: ignore[misc]


TEMPLATE = "openWB/chargepoint/5/set/charge_template"


class OpenWb:
    """An openWB at its broker: it keeps what it publishes, and publishes what changes."""

    def __init__(self, port: int) -> None:
        self.template: dict[str, Any] = {
            "chargemode": {"selected": "pv_charging", "instant_charging": {"current": 16}}
        }
        self.ends = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe("openWB/simpleAPI/set/chargepoint/5/#", 1)
        self._keep("openWB/chargepoint/5/get/power", 0.0)
        self._keep("openWB/chargepoint/5/get/imported", 123456.7)
        self._keep("openWB/chargepoint/5/get/plug_state", value=True)
        self._keep(TEMPLATE, self.template)
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def close(self) -> None:
        self.ends.set()
        self._thread.join()
        self.client.disconnect()
        self.client.loop_stop()

    def _live(self) -> None:
        while not self.ends.wait(0.1):
            self.client.publish("openWB/system/time", json.dumps(time.time()))

    def _keep(self, topic: str, value: Any) -> None:
        self.client.publish(topic, json.dumps(value), qos=1, retain=True).wait_for_publish()

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        mode = self.template["chargemode"]
        text = message.payload.decode()
        if message.topic.endswith("/chargecurrent"):
            mode["instant_charging"]["current"] = int(text)
        else:
            modes = {"instant": "instant_charging", "pv": "pv_charging", "stop": "stop"}
            mode["selected"] = modes[text]
        client.publish(TEMPLATE, json.dumps(self.template), retain=True)


@needs_mosquitto
def test_an_openwb_at_its_broker_is_read_by_what_it_keeps_and_set_by_words(
    broker: Mosquitto,
) -> None:
    profile = load_profile("openwb_mqtt", NO_FOLDER)
    transport = profile.transport.model_copy(update={"stale_s": 1.0, "patience_s": 1.0})
    profile = profile.model_copy(update={"transport": transport})
    via = Via(profile=profile.profile, host="127.0.0.1", port=broker.port, prefix="5")
    with closing(OpenWb(broker.port)) as openwb, closing(reach(profile, via)) as reached:
        readings = reached.read("car_kwh", "car_plugged", "car_w", "offered_a")
        assert (readings["car_kwh"], readings["car_plugged"], readings["car_w"]) == (
            pytest.approx(123.4567),
            1,
            0,
        )
        assert math.isnan(readings["offered_a"])
        session = CommandSession(reached, look_seconds=1e6)
        for command, mode, current_a in (
            (DeviceCommand("charge", current_a=10.9, power_w=7500), "instant_charging", 10),
            (DeviceCommand("stop"), "stop", 10),
            (DeviceCommand("own"), "pv_charging", 10),
        ):
            session.command(command)
            assert session.read_back() == command
            chosen = openwb.template["chargemode"]
            assert (chosen["selected"], chosen["instant_charging"]["current"]) == (mode, current_a)
        # What the broker keeps of an openWB that is off says nothing.
        openwb.ends.set()

        def is_silent() -> bool:
            try:
                reached.read("car_plugged")
            except UnavailableError as error:
                return error.reason == "device-silent"
            return False

        wait_for(is_silent)
