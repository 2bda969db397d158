"""A network with one device of each profile that can be found: each is found as what it is, and none is written to."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from luna.contracts.device_search import FindDevicesRequest
from luna.platform.drivers.finding import FoundDevice, find_devices
from luna.platform.drivers.modbus_server import serve_registers
from luna.platform.drivers.profile import DeviceProfile
from luna.platform.drivers.profiles import list_profiles, load_profile
from luna.platform.drivers.simulator import SimulatedInverter
from services.api.pages.setup.composition import list_taken_sensors
from services.api.pages.setup.found_devices import leave_device, take_device
from services.ingest.device_search import search_network

PROFILES = {profile.profile: profile for profile in list_profiles() if profile.sunspec is not None or profile.identified is not None}


def serve_at(stack: ExitStack, hosts: dict[str, DeviceProfile]) -> tuple[int, dict[str, SimulatedInverter]]:
    """Serve a device at each address of this machine, all at one port."""
    devices, port = {}, 0
    for host, profile in hosts.items():
        devices[host] = SimulatedInverter(profile)
        port = stack.enter_context(serve_registers(devices[host], host=host, port=port)).port
    return port, devices


@pytest.fixture
def network() -> Iterator[tuple[int, dict[str, SimulatedInverter]]]:
    with ExitStack() as stack:
        yield serve_at(stack, {f"127.0.0.{number}": profile for number, profile in enumerate(PROFILES.values(), 11)})


def name(found: FoundDevice) -> str:
    assert found.profile is not None
    return found.profile.profile


def test_each_is_found_as_itself_at_its_number_on_the_bus_and_nothing_is_written(network: tuple[int, dict[str, SimulatedInverter]]) -> None:
    port, devices = network
    found = list(find_devices(devices, PROFILES.values(), port=port))
    assert {each.host: (name(each), each.unit) for each in found} == {
        host: (device.profile.profile, device.profile.units[0]) for host, device in devices.items()
    }
    assert len(found) == len(devices)
    assert [device.written for device in devices.values()] == [[]] * len(devices)


def test_a_found_device_says_what_it_is(network: tuple[int, dict[str, SimulatedInverter]]) -> None:
    port, devices = network
    said = {name(each): each.identity for each in find_devices(devices, PROFILES.values(), port=port)}
    assert said["huawei_sun2000"] is not None
    assert said["victron_gx"] is not None
    assert said["huawei_sun2000"][:2] == ("Huawei", "SUN2000-10KTL-M1")
    assert (said["victron_gx"].maker, said["victron_gx"].serial) == ("Victron", "c0619ab00001")


def test_a_product_at_another_of_its_numbers_is_found_there() -> None:
    profile = load_profile("huawei_sun2000", Path("/nonexistent"))
    elsewhere = profile.model_copy(update={"transport": profile.transport.model_copy(update={"unit": 17})})
    asked = profile.model_copy(update={"identified": profile.identified.model_copy(update={"units": (0, 17)})} if profile.identified else {})
    with ExitStack() as stack:
        port, _ = serve_at(stack, {"127.0.0.1": elsewhere})
        assert [(each.unit, each.profile) for each in find_devices(["127.0.0.1"], [asked], port=port)] == [(17, asked)]


@pytest.mark.parametrize(("point", "value"), [(47000, 0), (30000, 0x5858)])
def test_what_says_something_else_of_itself_is_not_taken_for_the_product(point: int, value: int) -> None:
    profile = load_profile("huawei_sun2000", Path("/nonexistent"))
    with ExitStack() as stack:
        port, devices = serve_at(stack, {"127.0.0.1": profile})
        devices["127.0.0.1"].image.registers[point] = value  # type: ignore[attr-defined]
        assert list(find_devices(["127.0.0.1"], PROFILES.values(), port=port)) == []


def test_a_device_that_is_taken_keeps_the_number_at_which_it_was_found(tmp_path: Path) -> None:
    profile = load_profile("huawei_sun2000", tmp_path)
    at_zero = profile.model_copy(update={"transport": profile.transport.model_copy(update={"unit": 0})})
    with serve_registers(SimulatedInverter(at_zero)) as server:
        found = search_network(FindDevicesRequest(network="127.0.0.1", port=server.port), tmp_path).devices
    # The server's number 0 is every number.
    assert [(each.profile, each.unit, each.charge_limit_kw) for each in found] == [("huawei_sun2000", None, 5), ("huawei_sun2000", 0, 5)]
    device = found[1]
    taken = take_device({"batteries": [{}]}, device)
    assert [typed["unit_number"] for typed in taken["control"]["profile"].values()] == ["0"]
    assert list_taken_sensors(taken)["battery_soc"] == f"profile:huawei_sun2000@127.0.0.1:{server.port}/0#soc"
    assert leave_device(taken, device)["control"] == {"by": "advice"}
