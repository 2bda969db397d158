"""Find my devices at set-up, without a script: a network is asked, what answers is taken, and nothing was written to it."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from luna.energy.site import parse_site
from luna.platform.drivers.modbus_server import RegisterServer, serve_registers
from luna.platform.drivers.profiles import load_profile
from luna.platform.drivers.simulator import SimulatedInverter
from luna.platform.embedded import Addresses
from luna.platform.embedded.account import open_lock, take
from tests.gateway import serve
from tests.workers import wait_for, worker_process

NO_FOLDER = Path("/nonexistent")


@pytest.fixture
def api(redis_url: str, database_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        worker_process(redis_url, database_url, "services.ingest.tasks", data_folder=tmp_path),
        serve(Addresses(database_url=database_url, redis_url=redis_url), data_folder=tmp_path, outside_services=False) as client,
    ):
        yield client


@pytest.fixture
def inverter() -> SimulatedInverter:
    return SimulatedInverter(load_profile("sunspec_12x", NO_FOLDER))


@pytest.fixture
def server(inverter: SimulatedInverter) -> Iterator[RegisterServer]:
    with serve_registers(inverter) as server:
        yield server


def begin(api: httpx.Client) -> str:
    """Begin a draft and return the address of its search."""
    return api.post("/ui/setup", data={"kind": "site"}).headers["Location"].removesuffix("site") + "find"


def find(api: httpx.Client, address: str, server: RegisterServer) -> None:
    """Look on this machine until that is over."""
    assert api.post(address, data={"go": "search", "network": "127.0.0.1/32", "port": str(server.port)}).status_code == 303
    wait_for(lambda: 'value="take-0"' in api.get(address).text)


def test_an_inverter_that_answers_is_taken_with_one_click(api: httpx.Client, server: RegisterServer, inverter: SimulatedInverter) -> None:
    address = begin(api)
    find(api, address, server)
    assert "Luna simulated sunspec_12x" in api.get(address).text
    api.post(address, data={"go": "take-0"})
    draft = address.removesuffix("/find")
    devices = api.get(f"{draft}/devices").text
    # The simulator says 5000 W.
    assert 'id="batteries-0-power_kw" name="batteries-0-power_kw" value="5"' in devices
    control = api.get(f"{draft}/control").text
    assert f'name="profile-0-port_number" value="{server.port}"' in control
    assert "127.0.0.1" in api.get(f"{draft}/data").text
    assert inverter.written == []
    api.post(address, data={"go": "leave-0"})
    assert 'name="by" value="advice" checked' in api.get(f"{draft}/control").text


def test_what_was_found_is_in_the_site(api: httpx.Client, server: RegisterServer) -> None:
    address = begin(api)
    find(api, address, server)
    api.post(address, data={"go": "take-0"})
    draft = address.removesuffix("/find")
    steps = {
        "site": {"name": "Found", "place": "AT:Graz", "yearly_kwh": "3500"},
        "devices": {"batteries-0-capacity_kwh": "10", "batteries-0-power_kw": "5", "batteries-0-reserve_percent": "10", "batteries-0-efficiency_percent": "90"},
        "tariff": {"import_kind": "fixed", "import_price": "30", "export_kind": "none"},
        "data": {"source": "nothing"},
    }
    for step, typed in steps.items():
        assert api.post(f"{draft}/{step}", data=typed | {"go": "next"}).status_code == 303
    assert "4 sensors" in api.get(f"{draft}/review").text
    assert api.post(f"{draft}/review", data={"go": "next"}).headers["Location"].endswith("/plan")
    site = parse_site(api.get("/v1/sites/found").json())
    place = f"profile:sunspec_12x@127.0.0.1:{server.port}"
    assert site.input_sensors.battery_soc == (f"{place}#soc",)
    assert site.input_sensors.total_battery_charge == (f"{place}#charge_w",)
    assert site.control is not None
    assert (site.control.by, site.control.vias["battery"].host) == ("profile", "127.0.0.1")
    api.delete("/v1/sites/found")


@pytest.mark.parametrize(
    ("network", "port", "said"),
    [
        ("no network at all", "", "Das ist kein Netz."),
        ("8.8.8.0/24", "", "Das ist kein privates Netz."),
        ("10.0.0.0/8", "", "Das Netz hat mehr als 1024 Adressen."),
        ("127.0.0.1", "seven", "Das ist kein Port."),
    ],
)
def test_no_network_of_a_home_is_refused_in_the_owner_s_language(api: httpx.Client, network: str, port: str, said: str) -> None:
    page = api.post(begin(api), data={"go": "search", "network": network, "port": port}, headers={"Accept-Language": "de"})
    assert said in page.text
    assert f'value="{network}"' in page.text


def test_a_search_is_stopped(api: httpx.Client) -> None:
    address = begin(api)
    # Nobody is there: each address takes its second.
    api.post(address, data={"go": "search", "network": "192.168.255.0/22"})
    api.post(address, data={"go": "stop"})
    assert "Stopped." in api.get(address).text


def test_a_battery_that_is_away_is_not_moved_and_that_is_said(api: httpx.Client, inverter: SimulatedInverter) -> None:
    with serve_registers(inverter) as server:
        address = begin(api)
        find(api, address, server)
        api.post(address, data={"go": "take-0"})
    draft = address.removesuffix("/find")
    typed = {"by": "profile", "profile-0-profile_place": "sunspec_12x", "profile-0-host_place": "127.0.0.1", "profile-0-port_number": str(server.port)}
    assert api.post(f"{draft}/control", data=typed | {"go": "try"}).headers["Location"].endswith("control#tried")
    wait_for(lambda: "The device does not answer." in api.get(f"{draft}/control").text)
    # What was tried at one address says nothing of another.
    api.post(f"{draft}/control", data=typed | {"profile-0-host_place": "elsewhere.invalid", "go": "connect"})
    assert "The device does not answer." not in api.get(f"{draft}/control").text
    assert inverter.written == []


def test_one_battery_is_tried_at_a_time(api: httpx.Client, server: RegisterServer, inverter: SimulatedInverter, tmp_path: Path) -> None:
    draft = begin(api).removesuffix("/find")
    typed = {"by": "profile", "profile-0-profile_place": "sunspec_12x", "profile-0-host_place": "127.0.0.1", "profile-0-port_number": str(server.port)}
    (tmp_path / "devices").mkdir()
    lock = open_lock(tmp_path / "devices" / "trial")
    assert take(lock)
    api.post(f"{draft}/control", data=typed | {"go": "try"})
    wait_for(lambda: "A battery is being tried just now." in api.get(f"{draft}/control").text)
    os.close(lock)
    assert inverter.written == []


def test_a_program_finds_devices_by_a_job(api: httpx.Client, server: RegisterServer, inverter: SimulatedInverter) -> None:
    accepted = api.post("/v1/device-searches", json={"network": "127.0.0.1", "port": server.port})
    assert accepted.status_code == 202
    wait_for(lambda: api.get(accepted.headers["Location"]).json()["status"] == "done")
    [device] = api.get(accepted.headers["Location"]).json()["reply"]["devices"]
    assert (device["profile"], device["kind"], device["charge_limit_kw"]) == ("sunspec_12x", "battery_inverter", 5)
    assert inverter.written == []
    refused = api.post("/v1/device-searches", json={"network": "8.8.8.0/24"})
    assert (refused.status_code, refused.json()["reason"]) == (422, "network-public")
