"""Find my devices at set-up, without a script: a network is asked, what answers is taken, and
nothing was written to it.
"""

import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from luna.drivers.device_server import RegisterServer, serve_registers
from luna.drivers.profiles import load_profile
from luna.drivers.simulator import SimulatedInverter
from luna.energy.site import parse_site
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.account import open_lock, take
from luna.platform.embedded.supervisor import Addresses
from tests.support.gateway.server import serve
from tests.support.home_assistant.server import TOKEN, House, Sensor
from tests.support.home_assistant.server import serve as serve_home_assistant
from tests.support.pages.flat_html import flatten_html
from tests.support.words.wording import wording, wording_pattern
from tests.support.worker.workers import wait_for, worker_process

NO_FOLDER = Path("/nonexistent")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where gateway and worker keep their data."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, folder: Path) -> Iterator[httpx.Client]:
    with (
        worker_process(redis_url, database_url, "services.ingest.tasks", data_folder=folder),
        serve(
            Addresses(database_url=database_url, redis_url=redis_url),
            data_folder=folder,
            outside_services=False,
        ) as client,
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
    return (
        api.post("/ui/setup", data={"kind": "site"}).headers["Location"].removesuffix("site")
        + "find"
    )


def find(api: httpx.Client, address: str, server: RegisterServer) -> None:
    """Look on this machine until that is over."""
    assert (
        api.post(
            address, data={"go": "search", "network": "127.0.0.1/32", "port": str(server.port)}
        ).status_code
        == 303
    )
    wait_for(lambda: 'value="take-0"' in api.get(address).text)


def test_an_inverter_that_answers_is_taken_with_one_click(
    api: httpx.Client, server: RegisterServer, inverter: SimulatedInverter
) -> None:
    address = begin(api)
    find(api, address, server)
    assert "Luna simulated sunspec_12x" in api.get(address).text
    api.post(address, data={"go": "take-0"})
    draft = address.removesuffix("/find")
    devices = flatten_html(api.get(f"{draft}/devices").text)
    # The simulator says 5000 W.
    assert 'id="batteries-0-power_kw" name="batteries-0-power_kw" value="5"' in devices
    assert 'id="batteries-0-capacity_kwh" name="batteries-0-capacity_kwh" value="10"' in devices
    control = flatten_html(api.get(f"{draft}/control").text)
    assert f'name="profile-0-port_number" value="{server.port}"' in control
    assert "127.0.0.1" in api.get(f"{draft}/data").text
    assert inverter.written == []
    api.post(address, data={"go": "leave-0"})
    assert 'name="by" value="advice" checked' in flatten_html(api.get(f"{draft}/control").text)


def test_what_was_found_is_in_the_site(api: httpx.Client, server: RegisterServer) -> None:
    address = begin(api)
    find(api, address, server)
    api.post(address, data={"go": "take-0"})
    draft = address.removesuffix("/find")
    steps = {
        "site": {"name": "Found", "place": "AT:Graz", "yearly_kwh": "3500"},
        "devices": {
            "batteries-0-capacity_kwh": "10",
            "batteries-0-power_kw": "5",
            "batteries-0-reserve_percent": "10",
            "batteries-0-efficiency_percent": "90",
        },
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
    ("network", "port", "reason"),
    [
        ("no network at all", "", "network-unreadable"),
        ("8.8.8.0/24", "", "network-public"),
        ("10.0.0.0/8", "", "network-too-large"),
        ("127.0.0.1", "seven", "port-unreadable"),
    ],
)
def test_no_network_of_a_home_is_refused_in_the_owner_s_language(
    api: httpx.Client, network: str, port: str, reason: str
) -> None:
    page = api.post(
        begin(api),
        data={"go": "search", "network": network, "port": port},
        headers={"Accept-Language": "de"},
    )
    assert wording("refusals", f"sentence_{reason}", "de", most=1024) in unescape(page.text)
    assert f'value="{network}"' in page.text


def test_a_password_stays_in_a_file_that_its_owner_alone_can_read(
    api: httpx.Client, database: Engine, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    address = begin(api)
    password = "not to be read by anybody"
    typed = {
        "go": "search",
        "network": "127.0.0.1",
        "port": "9",
        "user": "luna",
        "password": password,
    }
    assert api.post(address, data=typed).status_code == 303
    [file] = (folder / "devices" / "secrets").iterdir()
    assert (file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777) == (
        f"luna:{password}",
        0o600,
    )
    wait_for(lambda: wording("setup", "find_none") in unescape(api.get(address).text))
    # The same address is shown it again.
    assert (
        api.post(
            address,
            data={"go": "search", "network": "127.0.0.1", "port": "9", "user": "", "password": ""},
        ).status_code
        == 303
    )
    page = api.get(address).text
    assert wording("setup", "kept_mqtt_password") in unescape(page)
    with unit_of_work(database) as connection:
        rows = (
            connection.execute(
                text(
                    "SELECT request::text FROM jobs WHERE task = 'ingest.devices.find' "
                    "ORDER BY submitted_at DESC LIMIT 2"
                )
            )
            .scalars()
            .all()
        )
    assert [f'"secret": "{file.name}"' in row for row in rows] == [True, True]
    assert password not in page + "".join(rows)
    refused = api.post(address, data=typed | {"network": "192.168.1.0/24"})
    assert wording("refusals", "sentence_network-secret-place") in unescape(refused.text)


def test_a_search_is_stopped(api: httpx.Client) -> None:
    address = begin(api)
    # Nobody is there: each address takes its second.
    api.post(address, data={"go": "search", "network": "192.168.255.0/22"})
    api.post(address, data={"go": "stop"})
    assert wording("setup", "find_stopped") in unescape(api.get(address).text)


def test_a_battery_that_is_away_is_not_moved_and_that_is_said(
    api: httpx.Client, inverter: SimulatedInverter
) -> None:
    with serve_registers(inverter) as server:
        address = begin(api)
        find(api, address, server)
        api.post(address, data={"go": "take-0"})
    draft = address.removesuffix("/find")
    typed = {
        "by": "profile",
        "profile-0-profile_place": "sunspec_12x",
        "profile-0-host_place": "127.0.0.1",
        "profile-0-port_number": str(server.port),
    }
    assert (
        api.post(f"{draft}/control", data=typed | {"go": "try"})
        .headers["Location"]
        .endswith("control#tried")
    )
    silent = wording("refusals", "sentence_device-silent")
    wait_for(lambda: silent in unescape(api.get(f"{draft}/control").text))
    # What was tried at one address says nothing of another.
    api.post(
        f"{draft}/control",
        data=typed | {"profile-0-host_place": "elsewhere.invalid", "go": "connect"},
    )
    assert silent not in unescape(api.get(f"{draft}/control").text)
    assert inverter.written == []


def test_one_battery_is_tried_at_a_time(
    api: httpx.Client, server: RegisterServer, inverter: SimulatedInverter, folder: Path
) -> None:
    draft = begin(api).removesuffix("/find")
    typed = {
        "by": "profile",
        "profile-0-profile_place": "sunspec_12x",
        "profile-0-host_place": "127.0.0.1",
        "profile-0-port_number": str(server.port),
    }
    (folder / "devices").mkdir(exist_ok=True)
    lock = open_lock(folder / "devices" / "trial")
    assert take(lock)
    api.post(f"{draft}/control", data=typed | {"go": "try"})
    refused = wording("refusals", "sentence_device-tried-already")
    wait_for(lambda: refused in unescape(api.get(f"{draft}/control").text))
    os.close(lock)
    assert inverter.written == []


def test_a_program_finds_devices_by_a_job(
    api: httpx.Client, server: RegisterServer, inverter: SimulatedInverter
) -> None:
    accepted = api.post("/v1/device-searches", json={"network": "127.0.0.1", "port": server.port})
    assert accepted.status_code == 202
    wait_for(lambda: api.get(accepted.headers["Location"]).json()["status"] == "done")
    [device] = api.get(accepted.headers["Location"]).json()["reply"]["devices"]
    assert (device["profile"], device["kind"], device["charge_limit_kw"]) == (
        "sunspec_12x",
        "battery_inverter",
        5,
    )
    assert inverter.written == []
    refused = api.post("/v1/device-searches", json={"network": "8.8.8.0/24"})
    assert (refused.status_code, refused.json()["reason"]) == (422, "network-public")


def list_chosen(page: str) -> dict[str, str]:
    """Return what stands in the choices of a page, by their names."""
    return dict(
        re.findall(
            r'<select id="([\w-]+)"(?:(?!</select>).)*?<option value="([^"]+)" selected',
            page,
            re.DOTALL,
        )
    )


@pytest.fixture
def house() -> Iterator[House]:
    """A Home Assistant with a meter, a roof, a battery and an inverter, among what is none of
    these.
    """
    meters = {
        name: Sensor("kWh", counter=True, seconds=[0.0], states=["1"], device_class="energy")
        for name in ("sensor.grid_import", "sensor.solar_yield")
    }
    others = {
        "sensor.home_battery": Sensor("%", seconds=[0.0], states=["50"], device_class="battery"),
        "sensor.home_humidity_soc": Sensor(
            "%", seconds=[0.0], states=["50"], device_class="humidity"
        ),
        "sensor.house_power": Sensor("W", seconds=[0.0], states=["300"], device_class="power"),
        "sensor.wallbox_energy": Sensor(
            "kWh", counter=True, seconds=[0.0], states=["1"], device_class="energy"
        ),
    }
    house = House(meters | others)
    house.commands = [
        {
            "entity_id": "select.inverter_mode",
            "state": "Self Use",
            "attributes": {"options": ["Self Use", "Standby", "Force Charge"]},
        },
        {
            "entity_id": "number.inverter_power",
            "state": "0",
            "attributes": {"unit_of_measurement": "W", "friendly_name": "Inverter battery power"},
        },
    ]
    with serve_home_assistant(house):
        yield house


def test_what_home_assistant_has_is_proposed_and_taken_as_it_was_chosen(
    api: httpx.Client, house: House
) -> None:
    address = begin(api)
    asked = api.post(address, data={"go": "connect", "url": house.url, "token": TOKEN})
    assert asked.headers["Location"] == f"{address}?look=1#home-assistant"
    page = api.get(f"{address}?look=1").text
    proposed = list_chosen(page)
    assert proposed == {
        "sensor-total_load_consumption": "sensor.house_power",
        "sensor-total_grid_import": "sensor.grid_import",
        "sensor-total_pv_production": "sensor.solar_yield",
        "sensor-battery_soc": "sensor.home_battery",
        # Nobody entered a car, and it has a meter all the same.
        "sensor-vehicle_consumption": "sensor.wallbox_energy",
        "home_assistant-0-mode_place": "select.inverter_mode",
        "home_assistant-0-power_place": "number.inverter_power",
    }
    assert "sensor.home_humidity_soc" not in page
    assert wording("setup", "sensor_source_name") in unescape(page)
    assert TOKEN not in page
    # The owner says otherwise: there is no meter of the house.
    assert (
        api.post(
            address, data=proposed | {"sensor-total_load_consumption": "", "go": "entities"}
        ).headers["Location"]
        == f"{address}#home-assistant"
    )
    assert wording("setup", "find_entities_taken", count=4) in unescape(api.get(address).text)
    draft = address.removesuffix("/find")
    assert 'name="vehicles-0-capacity_kwh"' in api.get(f"{draft}/devices").text
    # What was chosen is not asked for again, and leads on.
    assert (
        api.post(f"{draft}/data", data={"source": "home_assistant", "url": house.url, "go": "next"})
        .headers["Location"]
        .endswith("/control")
    )
    page = api.get(f"{draft}/control?look=1").text
    assert 'name="by" value="home_assistant" checked' in flatten_html(page)
    assert {
        name: text for name, text in list_chosen(page).items() if name.startswith("home_assistant")
    } == {
        "home_assistant-0-soc_place": "sensor.home_battery",
        "home_assistant-0-mode_place": "select.inverter_mode",
        "home_assistant-0-word_self_consumption": "Self Use",
        "home_assistant-0-word_hold": "Standby",
        "home_assistant-0-word_charge": "Force Charge",
        "home_assistant-0-power_place": "number.inverter_power",
        "home_assistant-0-power_unit": "W",
    }
    assert {
        each
        for each in house.asked
        if each not in {"/api/config", "/api/states", "energy/get_prefs"}
    } == set()


def test_home_assistant_beside_a_found_inverter_offers_what_that_does_not_measure(
    api: httpx.Client, server: RegisterServer, house: House
) -> None:
    address = begin(api)
    find(api, address, server)
    api.post(address, data={"go": "take-0"})
    api.post(address, data={"go": "connect", "url": house.url, "token": TOKEN})
    chosen = list_chosen(api.get(f"{address}?look=1").text)
    assert chosen.keys() == {
        "sensor-total_load_consumption",
        "sensor-total_grid_import",
        "sensor-vehicle_consumption",
    }


def test_a_home_assistant_that_lets_nobody_in_is_said_and_nothing_is_taken(
    api: httpx.Client, house: House
) -> None:
    address = begin(api)
    nowhere = api.post(
        address,
        data={"go": "connect", "url": "nowhere", "token": "x"},
        headers={"Accept-Language": "de"},
    )
    assert wording("setup", "fault_url", "de") in unescape(nowhere.text)
    api.post(address, data={"go": "connect", "url": house.url, "token": "wrong"})
    assert wording("setup", "ha_token") in unescape(api.get(f"{address}?look=1").text)
    refused = api.post(
        address, data={"go": "entities", "sensor-battery_soc": "sensor.home_battery"}
    )
    assert wording("setup", "ha_token") in unescape(refused.text)
    assert not wording_pattern("setup", "find_entities_taken").search(
        unescape(api.get(address).text)
    )
