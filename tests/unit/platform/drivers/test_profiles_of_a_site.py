"""Which profiles a site may name for what it has commanded, and what it has to say beside."""

from pathlib import Path
from typing import Any

import pytest

from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from luna.energy.site import parse_site
from luna.platform.drivers.profiles import list_profiles, load_profile, require_profiles
from luna.platform.drivers.sensor_name import ProfiledSensor
from luna.platform.drivers.site_device import add_device

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
        ({"profile": "nobody"}, "profile-unknown"),
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
    words = [
        word for profile in list_profiles() for word in profile.title.replace("(", " ").split()
    ]
    assert [word for word in words if word[0].islower()] == []


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
