"""Every kind of device keeps to the contract of devices (`tests/support/devices/contract.py`)."""

from typing import Annotated, Any

import numpy as np
import pytest
from pydantic import Field

from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.kind import DeviceKind, NamedDevice
from luna.energy.part import Name
from tests.support.devices.contract import (
    HOURS,
    Document,
    Example,
    check_entities,
    check_pages,
    check_plan,
    check_safe,
    check_shown,
    check_site_file,
    find_unbounded,
    missing_examples,
)
from tests.support.planning.problems import START
from tests.support.suite.depth import LONG, draws
from tests.support.suite.tables import each_row

BATTERY = {
    "name": "battery",
    "capacity_kwh": 4,
    "charge_limit_kw": 2,
    "discharge_limit_kw": 2,
    "wear_price": 0.01,
}
ROOF = {"name": "roof", "peak_kw": 6}
WRITES = {
    "writes": [
        {"to": "select.mode", "value": "{mode}"},
        {"to": "number.power", "value": "{power_w}"},
    ]
}
SWITCH = {
    "modes": {"on": "on", "off": "off"},
    "writes": [{"to": "switch.device", "value": "{mode}"}],
}


def _charge(rng: np.random.Generator, request: Document) -> None:
    request["state"]["batteries"] = {"battery": {"soc": round(float(rng.uniform(0, 1)), 3)}}


def _shine(rng: np.random.Generator, request: Document) -> None:
    request["outlook"]["pv_kwh"] = np.round(
        rng.uniform(0, 5, HOURS) * (rng.random(HOURS) < 0.7), 3
    ).tolist()
    request["outlook"]["export_price"] = np.round(rng.choice([0.08, -0.03], HOURS), 3).tolist()


def _shine_and_charge(rng: np.random.Generator, request: Document) -> None:
    _shine(rng, request)
    _charge(rng, request)


def _plug_in(rng: np.random.Generator, request: Document) -> None:
    first, last = sorted(rng.choice(HOURS + 1, 2, replace=False).tolist())
    session = {
        "from": _hour(first),
        "to": _hour(last),
        "target_soc": round(float(rng.uniform(0.3, 0.9)), 2),
    }
    request["state"]["vehicles"] = {
        "car": {"soc": round(float(rng.uniform(0.2, 0.5)), 2), "sessions": [session]}
    }


def _hour(count: int) -> str:
    return (
        str(
            np.datetime_as_string(
                np.datetime64(START.replace(tzinfo=None), "s") + np.timedelta64(count, "h")
            )
        )
        + "Z"
    )


def _need(rng: np.random.Generator, request: Document) -> None:
    request["site"]["loads"][0]["energy_kwh_per_day"] = float(rng.choice([2.0, 4.0, 6.0]))
    request["state"]["loads"] = {"boiler": {"energy_today_kwh": float(rng.choice([0.0, 1.0]))}}


def _cool(rng: np.random.Generator, request: Document) -> None:
    request["outlook"]["outdoor_temperature_c"] = np.round(rng.uniform(-8, 10, HOURS), 1).tolist()
    request["state"]["heat_pumps"] = {
        "pump": {"temperature_c": round(float(rng.uniform(20, 22)), 1)}
    }


EXAMPLES = {
    "battery": Example(
        BATTERY,
        _charge,
        [
            {
                "battery": "battery",
                "soc": "sensor.soc",
                "modes": {"self_consumption": "a", "hold": "b", "charge": "c"},
                "writes": [{"to": "select.mode", "value": "{mode}"}],
            }
        ],
    ),
    "pv": Example(
        ROOF,
        _shine,
        {
            "modes": {"free": "free", "limit": "limit"},
            "writes": [{"to": "number.limit", "value": "{limit_w}"}],
        },
    ),
    "inverter": Example(
        {"name": "hybrid", "ac_limit_kw": 2.5, "pv": ["roof"], "batteries": ["battery"]},
        _shine_and_charge,
        beside={"pv": [ROOF], "batteries": [BATTERY]},
    ),
    "vehicle": Example(
        {"name": "car", "capacity_kwh": 20, "charge_limit_kw": 3.7, "min_charge_kw": 1.4},
        _plug_in,
        [
            {
                "vehicle": "car",
                "modes": {"charge": "on", "stop": "off"},
                "writes": [
                    {"to": "number.power", "value": "{power_w}"},
                    {"to": "switch.car", "value": "{mode}"},
                ],
            }
        ],
    ),
    "load": Example(
        {"name": "boiler", "kind": "water_heater", "power_kw": 2},
        _need,
        [{"load": "boiler"} | SWITCH],
    ),
    "heat_pump": Example(
        {
            "name": "pump",
            "power_kw": 2,
            "store": {"capacity_kwh_per_k": 4, "min_c": 20, "max_c": 23, "loss_kw_per_k": 0.1},
        },
        _cool,
        [{"load": "pump"} | SWITCH],
    ),
    "grid": Example(
        {"import_limit_kw": 2.5, "export_limit_kw": 1.0},
        _shine_and_charge,
        beside={"pv": [ROOF], "batteries": [BATTERY]},
    ),
}
each_kind = each_row("kind", DEVICE_KINDS, ids=lambda kind: kind.name)


def test_every_kind_has_an_example() -> None:
    assert missing_examples(EXAMPLES) == set()


@each_kind
def test_every_number_an_owner_writes_has_bounds(kind: DeviceKind[Any]) -> None:
    assert [*find_unbounded(kind.device)] == []


@each_kind
def test_a_device_survives_its_file_and_refuses_nonsense(kind: DeviceKind[Any]) -> None:
    check_site_file(kind, EXAMPLES[kind.name])


@each_kind
def test_a_device_is_shown_in_every_language(kind: DeviceKind[Any]) -> None:
    check_shown(kind, EXAMPLES[kind.name])


@each_kind
def test_the_pages_show_a_device(kind: DeviceKind[Any]) -> None:
    check_pages(kind, EXAMPLES[kind.name])


@each_kind
def test_home_assistant_is_told_of_a_device(kind: DeviceKind[Any]) -> None:
    check_entities(kind, EXAMPLES[kind.name])


@each_row("kind", [kind for kind in DEVICE_KINDS if kind.commands], ids=lambda kind: kind.name)
def test_nothing_unsafe_is_sent_to_a_device(kind: DeviceKind[Any]) -> None:
    for seed in range(draws(80)):
        check_safe(kind, EXAMPLES[kind.name], seed)


@pytest.mark.parametrize("kind", DEVICE_KINDS, ids=lambda kind: kind.name)
def test_a_device_alone_is_planned_as_well_as_it_can_be(kind: DeviceKind[Any]) -> None:
    planned = [check_plan(kind, EXAMPLES[kind.name], seed) for seed in range(200 if LONG else 4)]
    assert np.mean(planned) > 0.8


class Kettle(NamedDevice):
    """A kind whose author forgot a bound."""

    name: Name = "kettle"
    power_kw: Annotated[float | None, Field(gt=0)] = None
    heats: Annotated[list[Annotated[float, Field(ge=0)]], Field(max_length=3)] = []
    volts: Annotated[float, Field(ge=0, le=400)] = 230.0


def test_a_number_without_a_bound_is_found() -> None:
    assert [*find_unbounded(Kettle)] == ["power_kw", "heats"]
