"""A network with one device of each profile that can be found: each is found as what it is, and
none is written to.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
import zeroconf
from paho.mqtt.enums import CallbackAPIVersion

from luna.contracts.device_search import FindDevicesRequest, NetworkDevice
from luna.drivers.device_search import FoundDevice, find_devices
from luna.drivers.device_secrets import SECRETS_FOLDER, DeviceSecret, store_device_secret
from luna.drivers.device_server import serve_device, serve_registers
from luna.drivers.points import DeviceIdentity
from luna.drivers.profile import DeviceProfile
from luna.drivers.profiles import OWN_FOLDER, PACKAGED, list_profiles, load_profile
from luna.drivers.simulated_battery import BatteryModel
from luna.drivers.simulated_charge_point import simulate
from luna.drivers.simulated_product import SimulatedProduct
from luna.drivers.simulator import SimulatedInverter
from luna.energy.errors import InvalidInputError, UnavailableError
from services.api.pages.setup.composition import list_taken_sensors
from services.api.pages.setup.find_page import leave_device, take_device
from services.ingest.commissioning import search_network
from tests.support.home_assistant.broker import Mosquitto, needs_mosquitto
from tests.support.worker.workers import wait_for

NO_FOLDER = Path("/nonexistent")
# Those that can be found over Modbus, at one port of many addresses.
PROFILES = {
    profile.profile: profile
    for profile in list_profiles()
    if profile.units and (profile.sunspec or profile.identified)
}
# Who speaks HTTP or MQTT; asked with Modbus first, a port of theirs is silent for as long as a slow
# inverter may be.
OTHERS = [profile for profile in list_profiles() if not profile.units]
METER = "shellypro3em-fce8c0dba900"
PASSWORD = "not to be read by anybody"


def serve_at(
    stack: ExitStack, hosts: dict[str, DeviceProfile]
) -> tuple[int, dict[str, SimulatedProduct]]:
    """Serve a device at each address of this machine, all at one port."""
    devices: dict[str, SimulatedProduct] = {}
    port = 0
    for host, profile in hosts.items():
        devices[host] = simulate(profile)
        port = stack.enter_context(serve_registers(devices[host], host=host, port=port)).port
    return port, devices


@pytest.fixture
def network() -> Iterator[tuple[int, dict[str, SimulatedProduct]]]:
    with ExitStack() as stack:
        yield serve_at(
            stack,
            {f"127.0.0.{number}": profile for number, profile in enumerate(PROFILES.values(), 11)},
        )


def name(found: FoundDevice) -> str:
    return found.profile.profile


def test_each_is_found_as_itself_says_what_it_is_and_nothing_is_written(
    network: tuple[int, dict[str, SimulatedProduct]],
) -> None:
    port, devices = network
    found = list(find_devices(devices, PROFILES.values(), port=port))
    said = {name(each): each.identity for each in found}
    assert {each.host: (name(each), each.unit) for each in found} == {
        host: (device.profile.profile, device.profile.units[0]) for host, device in devices.items()
    }
    assert len(found) == len(devices)
    assert [device.written for device in devices.values()] == [[]] * len(devices)
    assert said["huawei_sun2000"] is not None
    assert said["victron_gx"] is not None
    assert said["huawei_sun2000"][:2] == ("Huawei", "SUN2000-10KTL-M1")
    assert (said["victron_gx"].maker, said["victron_gx"].serial) == ("Victron", "c0619ab00001")


def test_a_meter_that_answers_over_http_is_found_and_says_what_it_is() -> None:
    meter = SimulatedInverter(load_profile("shelly_pro_3em", NO_FOLDER))
    with serve_device(meter) as server:
        [found] = find_devices(["127.0.0.1"], OTHERS, port=server.port)
    assert (name(found), found.unit, found.identity) == (
        "shelly_pro_3em",
        None,
        DeviceIdentity("Shelly", "SPEM-003CEBEU", "", "FCE8C0DBA900"),
    )


SHELLY_METERS = ("shelly_em", "shelly_3em", "shelly_em_gen3", "shelly_pro_3em")


def test_meters_of_one_maker_are_told_apart() -> None:
    over_http = [profile for profile in OTHERS if profile.transport.kind == "http"]
    for product in SHELLY_METERS:
        device = SimulatedInverter(load_profile(product, NO_FOLDER))
        with serve_device(device) as server:
            [found] = find_devices(["127.0.0.1"], over_http, port=server.port)
        assert name(found) == product


def test_a_smart_meter_behind_an_inverter_is_found_at_either_of_its_numbers() -> None:
    profile = load_profile("fronius_smart_meter", NO_FOLDER)
    for unit in (240, 200):
        at_unit = profile.transport.model_copy(update={"unit": unit})
        device = SimulatedInverter(profile.model_copy(update={"transport": at_unit}))
        with serve_registers(device) as server:
            # Beside the profile of any meter of SunSpec's.
            meters = [profile, load_profile("sunspec_meter", NO_FOLDER)]
            [found] = find_devices(["127.0.0.1"], meters, port=server.port)
        assert (name(found), found.unit) == ("fronius_smart_meter", unit)
        assert found.identity is not None
        assert found.identity.maker == "Fronius"


@pytest.mark.parametrize(
    ("profile", "identity"),
    [
        ("go_e_charger", DeviceIdentity("go-e", "go-eCharger_V4", "", "234567")),
        ("shelly_plug", DeviceIdentity("Shelly", "SNPL-00112EU", "", "A8032ABE54DC")),
    ],
)
def test_a_charger_and_a_switch_are_found_and_nothing_is_written(
    profile: str, identity: DeviceIdentity
) -> None:
    device = simulate(load_profile(profile, NO_FOLDER))
    with serve_device(device) as server:
        [found] = find_devices(["127.0.0.1"], OTHERS, port=server.port)
    assert (name(found), found.identity) == (profile, identity)
    assert device.written == []


def make_other_product() -> SimulatedInverter:
    """Return what answers as the meter does, and is another product."""
    profile = load_profile("shelly_pro_3em", NO_FOLDER)
    assert profile.identified is not None
    model, *others = profile.identified.documents
    other = profile.identified.model_copy(
        update={"documents": (model.model_copy(update={"example": "SNSN-0013A"}), *others)}
    )
    return SimulatedInverter(profile.model_copy(update={"identified": other}))


def test_another_product_with_json_is_not_taken_for_the_meter() -> None:
    with serve_device(make_other_product()) as server:
        assert (
            list(
                find_devices(
                    ["127.0.0.1"], [load_profile("shelly_pro_3em", NO_FOLDER)], port=server.port
                )
            )
            == []
        )


@contextmanager
def open_broker(folder: Path, *settings: str) -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, *settings)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


@contextmanager
def listen_to_all(port: int) -> Iterator[set[str]]:
    """Yield the topics of which something was said meanwhile."""
    topics = set[str]()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: topics.add(message.topic)
    client.connect("127.0.0.1", port)
    client.subscribe("#", 1)
    client.loop_start()
    try:
        yield topics
    finally:
        client.disconnect()
        client.loop_stop()


@needs_mosquitto
def test_devices_at_a_broker_are_found_by_what_they_say_and_nothing_is_published(
    tmp_path: Path,
) -> None:
    gx, meter, other = (
        SimulatedInverter(load_profile(profile, NO_FOLDER))
        for profile in ("victron_mqtt", "shelly_pro_3em_mqtt", "shelly_pro_3em_mqtt")
    )
    with (
        open_broker(tmp_path) as broker,
        listen_to_all(broker.port) as topics,
        serve_device(gx, port=broker.port, prefix="c0619ab00001"),
        serve_device(meter, port=broker.port, prefix=METER),
        # Another product of the same maker is online as well.
        serve_device(other, port=broker.port, prefix="shellyplus1-fce8c0dba900"),
    ):
        wait_for(
            lambda: (
                {
                    "N/c0619ab00001/system/0/Serial",
                    f"{METER}/online",
                    "shellyplus1-fce8c0dba900/online",
                }
                <= topics
            )
        )
        found = {name(each): each for each in find_devices(["127.0.0.1"], OTHERS, port=broker.port)}
        assert {profile: each.prefix for profile, each in found.items()} == {
            "victron_mqtt": "c0619ab00001",
            "shelly_pro_3em_mqtt": METER,
        }
        assert found["victron_mqtt"].identity == DeviceIdentity("Victron", "", "", "c0619ab00001")
        # Neither a request nor a command: only the devices themselves speak.
        assert [
            topic
            for topic in topics
            if topic.startswith(("R/", "W/")) or topic.endswith("/command")
        ] == []
    assert [gx.written, meter.written, other.written] == [[], [], []]


@needs_mosquitto
def test_a_broker_that_wants_a_password_tells_nothing(tmp_path: Path) -> None:
    with open_broker(tmp_path, "allow_anonymous false") as broker:
        assert list(find_devices(["127.0.0.1"], OTHERS, port=broker.port)) == []


@pytest.fixture
def closed_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker at which a meter is, and that lets in who knows the password alone."""
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "luna", PASSWORD], check=True)
    with open_broker(tmp_path, "allow_anonymous false", f"password_file {passwords}") as broker:
        meter = paho.Client(CallbackAPIVersion.VERSION2)
        meter.username_pw_set("luna", PASSWORD)
        meter.connect("127.0.0.1", broker.port)
        meter.loop_start()
        meter.publish(f"{METER}/online", "true", qos=1, retain=True).wait_for_publish(5)
        yield broker
        meter.disconnect()
        meter.loop_stop()


@needs_mosquitto
def test_a_broker_is_searched_with_the_password_that_its_owner_named(
    tmp_path: Path, closed_broker: Mosquitto
) -> None:
    secret = store_device_secret(DeviceSecret("luna", PASSWORD), "127.0.0.1", tmp_path)
    assert (tmp_path / SECRETS_FOLDER / secret).stat().st_mode & 0o077 == 0
    request = FindDevicesRequest(network="127.0.0.1", port=closed_broker.port, secret=secret)
    [meter] = search_network(request, tmp_path).devices
    assert (meter.profile, meter.prefix, meter.secret) == ("shelly_pro_3em_mqtt", METER, secret)
    assert PASSWORD not in f"{request!r} {meter!r}"
    sensors = list_taken_sensors(take_device({}, meter))
    assert sensors["total_grid_import"] == (
        f"profile:shelly_pro_3em_mqtt@127.0.0.1:{closed_broker.port}?prefix={METER}&"
        f"secret={secret}#import_kwh"
    )


@needs_mosquitto
def test_a_wrong_password_is_said_and_shown_to_one_address_alone(
    tmp_path: Path, closed_broker: Mosquitto
) -> None:
    secret = store_device_secret(DeviceSecret("luna", "wrong"), "127.0.0.1", tmp_path)
    with pytest.raises(UnavailableError) as refused:
        search_network(
            FindDevicesRequest(network="127.0.0.1", port=closed_broker.port, secret=secret),
            tmp_path,
        )
    assert refused.value.reason == "broker-refuses-login"
    with pytest.raises(InvalidInputError) as wide:
        search_network(FindDevicesRequest(network="127.0.0.0/24", secret=secret), tmp_path)
    assert wide.value.reason == "network-secret-place"


def test_a_product_at_another_of_its_numbers_is_found_there() -> None:
    profile = load_profile("huawei_sun2000", Path("/nonexistent"))
    elsewhere = profile.model_copy(
        update={"transport": profile.transport.model_copy(update={"unit": 17})}
    )
    asked = profile.model_copy(
        update={"identified": profile.identified.model_copy(update={"units": (0, 17)})}
        if profile.identified
        else {}
    )
    with ExitStack() as stack:
        port, _ = serve_at(stack, {"127.0.0.1": elsewhere})
        assert [
            (each.unit, each.profile) for each in find_devices(["127.0.0.1"], [asked], port=port)
        ] == [(17, asked)]


@pytest.mark.parametrize(
    ("product", "point", "value"),
    [
        ("huawei_sun2000", 47000, 0),
        ("huawei_sun2000", 30000, 0x5858),
        ("goodwe_et", 35011, 0x5858),
        ("solaredge_storedge", 40004, 0x5858),
        ("solaredge_storedge", 0xE100, 0),
        ("kostal_plenticore", 588, 0),
        ("kostal_plenticore", 5, 1),
        ("deye_sg04lp3", 0, 9),
    ],
)
def test_what_says_something_else_of_itself_is_not_taken_for_the_product(
    product: str, point: int, value: int
) -> None:
    profile = load_profile(product, Path("/nonexistent"))
    with ExitStack() as stack:
        port, devices = serve_at(stack, {"127.0.0.1": profile})
        devices["127.0.0.1"].image.registers[point] = value  # type: ignore[attr-defined]
        assert list(find_devices(["127.0.0.1"], PROFILES.values(), port=port)) == []


def test_one_inverter_that_answers_at_two_numbers_is_found_once(tmp_path: Path) -> None:
    profile = load_profile("huawei_sun2000", tmp_path)
    # The server's number 0 is every number.
    at_any = profile.model_copy(
        update={"transport": profile.transport.model_copy(update={"unit": 0})}
    )
    with serve_registers(SimulatedInverter(at_any)) as server:
        [device] = search_network(
            FindDevicesRequest(network="127.0.0.1", port=server.port), tmp_path
        ).devices
    assert (device.profile, device.unit, device.serial, device.charge_limit_kw) == (
        "huawei_sun2000",
        None,
        "HV2190000001",
        5,
    )
    assert device.capacity_kwh == BatteryModel().capacity_kwh


def test_what_a_device_says_of_its_battery_stands_in_the_fields_and_the_owner_may_change_it() -> (
    None
):
    said = {"charge_limit_kw": 5, "discharge_limit_kw": 4.6, "capacity_kwh": 9.7}
    parts = {
        "kind": "battery_inverter",
        "reads": ["soc"],
        "title": "an inverter",
        "host": "192.168.1.9",
        "port": 502,
        "profile": "huawei_sun2000",
    }
    device = NetworkDevice.model_validate(parts | said)
    [proposed] = take_device({"batteries": [{}]}, device)["batteries"]
    assert (proposed["capacity_kwh"], proposed["power_kw"]) == ("9.7", "4.6")
    [typed] = take_device({"batteries": [{"capacity_kwh": "8", "power_kw": "3"}]}, device)[
        "batteries"
    ]
    assert (typed["capacity_kwh"], typed["power_kw"]) == ("8", "3")


def announce(
    responder: zeroconf.Zeroconf, service_type: str, name: str, host: str, port: int
) -> None:
    """Say of a device where it is, as it would itself.

    It does not ask first whether another has its name, which takes a second.
    """
    addresses = [socket.inet_aton(host)]
    service = zeroconf.ServiceInfo(
        service_type, f"{name}.{service_type}", port, addresses=addresses, server=f"{name}.local."
    )
    responder.register_service(service, cooperating_responders=True)


@pytest.fixture
def responder() -> Iterator[zeroconf.Zeroconf]:
    """Who answers questions by multicast DNS on this machine alone."""
    with closing(zeroconf.Zeroconf(interfaces=["127.0.0.1"])) as responder:
        yield responder


def test_devices_that_announce_themselves_are_found_at_ports_that_nobody_would_guess(
    tmp_path: Path, responder: zeroconf.Zeroconf
) -> None:
    inverter, meter, elsewhere = (
        SimulatedInverter(load_profile(profile, NO_FOLDER))
        for profile in ("huawei_sun2000", "shelly_pro_3em", "huawei_sun2000")
    )
    with (
        serve_registers(inverter) as modbus,
        serve_device(meter) as http,
        serve_device(make_other_product()) as printer,
        serve_registers(elsewhere, host="127.0.0.99") as outside,
    ):
        services = (
            ("_modbus._tcp.local.", "inverter", "127.0.0.1", modbus.port),
            ("_http._tcp.local.", "shellypro3em", "127.0.0.1", http.port),
            # A printer, somebody who is away, and a device beyond the network of the owner.
            ("_http._tcp.local.", "printer", "127.0.0.1", printer.port),
            ("_modbus._tcp.local.", "away", "127.0.0.1", 9),
            ("_modbus._tcp.local.", "outside", "127.0.0.99", outside.port),
        )
        # Each announces itself for half a second, all at the same time.
        with ThreadPoolExecutor(len(services)) as pool:
            announced = [pool.submit(announce, responder, *service) for service in services]
        for announcement in announced:
            announcement.result()
        found = search_network(FindDevicesRequest(network="127.0.0.1"), tmp_path)
    # A meter of another test may send to everybody on this machine.
    answered = [device for device in found.devices if device.profile != "sma_energy_meter"]
    assert {(device.host, device.port, device.profile) for device in answered} == {
        ("127.0.0.1", modbus.port, "huawei_sun2000"),
        ("127.0.0.1", http.port, "shelly_pro_3em"),
    }
    assert found.missing_extra is None
    assert [inverter.written, meter.written, elsewhere.written] == [[], [], []]


def test_without_the_extra_the_search_goes_on_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not installed, in the machine's own Python, to which nothing is added.
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    device = SimulatedInverter(load_profile("huawei_sun2000", NO_FOLDER))
    with serve_registers(device) as server:
        own = (
            (PACKAGED / "huawei_sun2000.yaml")
            .read_text(encoding="utf-8")
            .replace("profile: huawei_sun2000", "profile: own")
            .replace("502", str(server.port))
        )
        (tmp_path / OWN_FOLDER).mkdir(parents=True)
        (tmp_path / OWN_FOLDER / "own.yaml").write_text(own, encoding="utf-8")
        found = search_network(FindDevicesRequest(network="127.0.0.1"), tmp_path)
    assert ([each.profile for each in found.devices], found.missing_extra) == (["own"], "mdns")


def test_a_device_that_is_taken_keeps_where_it_was_found() -> None:
    parts = {
        "kind": "battery_inverter",
        "reads": ["soc"],
        "title": "an inverter",
        "host": "192.168.1.9",
    }
    behind_a_bus = NetworkDevice.model_validate(
        parts | {"profile": "huawei_sun2000", "port": 502, "unit": 0}
    )
    at_a_broker = NetworkDevice.model_validate(
        parts | {"profile": "victron_mqtt", "port": 1883, "prefix": "c0619ab00001"}
    )
    for device, typed, sensor in (
        (
            behind_a_bus,
            {"unit_number": "0", "prefix_text": ""},
            "profile:huawei_sun2000@192.168.1.9:502/0#soc",
        ),
        (
            at_a_broker,
            {"unit_number": "", "prefix_text": "c0619ab00001"},
            "profile:victron_mqtt@192.168.1.9:1883?prefix=c0619ab00001#soc",
        ),
    ):
        taken = take_device({"batteries": [{}]}, device)
        [battery] = taken["control"]["profile"].values()
        assert {field: battery[field] for field in typed} == typed
        assert list_taken_sensors(taken)["battery_soc"] == sensor
        assert leave_device(taken, device)["control"] == {"by": "advice"}
