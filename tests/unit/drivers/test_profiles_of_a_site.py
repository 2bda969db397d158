"""Which profiles a site may name for what it has commanded, and what it has to say beside."""

from pathlib import Path
from typing import Any

import pytest

from luna.drivers.profiles import list_profiles, load_profile, require_profiles
from luna.drivers.sensor_name import ProfiledSensor
from luna.drivers.site_device import add_device
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from luna.energy.site import parse_site

SITE = {
    "name": "home",
    "timezone": "Europe/Berlin",
    "currency": "EUR",
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 4, "discharge_limit_kw": 3}
    ],
    "tariff": {
        "import": {"kind": "fixed", "price": 0.3},
        "export": {"kind": "fixed", "price": 0.1},
    },
}


def check(**via: Any) -> None:
    control = {
        "by": "profile",
        "batteries": [{"battery": "battery", "via": {"host": "device.local", **via}}],
    }
    require_profiles(parse_site(SITE | {"control": control}), Path("/nonexistent"))


@pytest.mark.parametrize(
    ("via", "reason"),
    [
        ({"profile": "shelly_pro_3em"}, "profile-not-commanded"),
        ({"profile": "victron_mqtt"}, "device-prefix-missing"),
        ({"profile": "nobody"}, "unknown-name"),
        (
            {"profile": "victron_mqtt", "prefix": "c0619ab12345", "proxy": {"port": 1502}},
            "profile-not-shared",
        ),
    ],
    ids=["meter", "prefix", "unknown", "proxy"],
)
def test_what_cannot_be_commanded_is_refused_before_it_is_kept(
    via: dict[str, Any], reason: str
) -> None:
    with pytest.raises(LunaError) as refused:
        check(**via)
    assert refused.value.reason == reason


def test_what_can_be_is_taken() -> None:
    check(profile="sunspec_12x", proxy={"port": 1502})
    check(profile="victron_mqtt", prefix="c0619ab12345", secret="gx")


def test_a_title_is_made_of_names_for_it_is_read_in_every_language() -> None:
    brands = {product.brand for profile in list_profiles() for product in profile.covers}
    words = [
        word for profile in list_profiles() for word in profile.title.replace("(", " ").split()
    ]
    # Some makers write themselves small.
    assert [word for word in words if word[0].islower() and word not in brands] == []


@pytest.mark.parametrize(
    ("via", "reason"),
    [
        ({"profile": "shelly_pro_3em_mqtt"}, "device-prefix-missing"),
        ({"profile": "eastron_sdm630", "proxy": {"port": 1502}}, "profile-not-shared"),
    ],
    ids=["prefix", "proxy"],
)
def test_a_meter_that_could_not_be_read_as_it_is_named_is_not_added(
    via: dict[str, Any], reason: str
) -> None:
    with pytest.raises(LunaError) as refused:
        add_device(
            parse_site(SITE),
            Via(host="device.local", **via),
            load_profile(via["profile"], Path("/nonexistent")),
        )
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("fuse_phases", "profile", "phases"),
    [
        (None, "gavazzi_em340", 3),
        (3, "gavazzi_em340", 3),
        (1, "gavazzi_em340", 0),
        (3, "shelly_em", 0),
    ],
    ids=["unknown fuse", "three phases", "one phase", "meter of one phase"],
)
def test_a_meter_fills_the_phases_of_the_connection(
    fuse_phases: int | None, profile: str, phases: int
) -> None:
    fuse = {} if fuse_phases is None else {"main_fuse_a": 35, "main_fuse_phases": fuse_phases}
    site = parse_site(SITE | {"grid": {"import_limit_kw": 20, **fuse}})
    via = Via(profile=profile, host="192.168.1.30")
    added = add_device(site, via, load_profile(profile, Path("/nonexistent")))
    names = [str(sensor) for sensor in added.input_sensors.grid_phase_import]
    expected = [f"profile:{profile}@192.168.1.30#phase_{number}_w" for number in (1, 2, 3)]
    assert names == expected[:phases]
    assert [ProfiledSensor.parse(name) is not None for name in names] == [True] * phases


CAR = {"name": "car", "capacity_kwh": 60}
BOILER = {"name": "boiler", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 4}


def test_a_charger_is_added_with_its_car_and_its_sensors() -> None:
    site = parse_site(SITE | {"vehicles": [CAR]})
    via = Via(profile="keba_p30", host="192.168.1.30")
    changed = add_device(site, via, load_profile("keba_p30", Path("/nonexistent")))
    assert changed.control is not None
    assert changed.control.vias_by_place == {"profile:vehicle:car": via}
    charger = changed.vehicles[0].charger
    assert charger is not None
    assert (charger.phases, charger.max_current_a) == ((3,), 32)
    sensors = changed.input_sensors
    assert sensors.vehicle_consumption == ("profile:keba_p30@192.168.1.30#car_kwh",)
    assert sensors.vehicle_connected == ("profile:keba_p30@192.168.1.30#car_plugged",)
    assert add_device(changed, via, load_profile("keba_p30", Path("/nonexistent"))) == changed
    require_profiles(changed, Path("/nonexistent"))


def test_a_second_charger_needs_a_name_and_adds_up() -> None:
    profile = load_profile("keba_p30", Path("/nonexistent"))
    site = parse_site(SITE | {"vehicles": [CAR, CAR | {"name": "van"}]})
    with pytest.raises(LunaError) as refused:
        add_device(site, Via(profile="keba_p30", host="192.168.1.30"), profile)
    assert refused.value.reason == "device-unclear"
    for host, name in (("192.168.1.30", "car"), ("192.168.1.31", "van")):
        site = add_device(site, Via(profile="keba_p30", host=host), profile, name=name)
    assert len(site.input_sensors.vehicle_consumption) == 2
    assert site.control is not None
    assert set(site.control.devices) == {"vehicle:car", "vehicle:van"}


def test_a_switch_is_added_to_a_load() -> None:
    site = parse_site(SITE | {"loads": [BOILER]})
    via = Via(profile="shelly_plug", host="192.168.1.40")
    changed = add_device(site, via, load_profile("shelly_plug", Path("/nonexistent")))
    assert changed.control is not None
    assert changed.control.vias_by_place == {"profile:load:boiler": via}
    sensors = changed.input_sensors.water_heater_consumption
    assert sensors == ("profile:shelly_plug@192.168.1.40#heater_kwh",)
    with pytest.raises(LunaError) as refused:
        add_device(parse_site(SITE), via, load_profile("shelly_plug", Path("/nonexistent")))
    assert refused.value.reason == "device-unclear"


@pytest.mark.parametrize(
    ("profile", "phases", "reason"),
    [
        ("sunspec_12x", [3], "profile-other-kind"),
        ("shelly_plug", [3], "profile-other-kind"),
        ("abb_terra_ac", [1, 3], "profile-phases-fixed"),
    ],
)
def test_a_car_needs_a_charger_that_can_do_what_its_site_says(
    profile: str, phases: list[int], reason: str
) -> None:
    via = {"profile": profile, "host": "device.local"}
    control = {"by": "profile", "vehicles": [{"vehicle": "car", "via": via}]}
    vehicle = CAR | {"charger": {"phases": phases}}
    site = parse_site(SITE | {"vehicles": [vehicle], "control": control})
    with pytest.raises(LunaError) as refused:
        require_profiles(site, Path("/nonexistent"))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"modes": {"charge": "on", "stop": "off"}}, "control-via-and-writes"),
        ({}, "control-via-no-charger"),
    ],
)
def test_a_car_with_a_profile_has_no_commands_of_its_own_and_a_charger(
    entry: dict[str, Any], reason: str
) -> None:
    via = {"profile": "keba_p30", "host": "device.local"}
    control = {"by": "profile", "vehicles": [{"vehicle": "car", "via": via, **entry}]}
    with pytest.raises(LunaError) as refused:
        parse_site(SITE | {"vehicles": [CAR], "control": control})
    assert refused.value.reason == reason


def test_two_loadpoints_of_one_evcc_are_two_chargers() -> None:
    cars = [{"name": name, "capacity_kwh": 60, "charger": {"phases": [3]}} for name in ("a", "b")]
    vias = [{"profile": "evcc", "host": "192.168.1.5", "unit": unit} for unit in (1, 2)]
    vehicles = [{"vehicle": car["name"], "via": via} for car, via in zip(cars, vias, strict=True)]
    site = parse_site(SITE | {"vehicles": cars, "control": {"by": "profile", "vehicles": vehicles}})
    require_profiles(site, Path("/nonexistent"))
    assert site.control is not None
    addresses = [entry.via.address for entry in site.control.vehicles if entry.via is not None]
    assert addresses == ["192.168.1.5/1", "192.168.1.5/2"]
