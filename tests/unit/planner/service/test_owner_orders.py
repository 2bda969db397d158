"""What an override becomes in a plan: blocks of its device, or PV that is not there."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from luna.contracts.control import Override
from luna.contracts.owner import GRID, ManualBlock
from luna.contracts.plan import BatteryState, OutlookMessage, StateMessage
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT
from services.planner.service.owner_orders import give_way, hold_back_pv, list_ordered_blocks
from tests.support.planning.problems import START
from tests.support.suite.tables import each_row

BATTERY = {
    "name": "battery",
    "capacity_kwh": 10,
    "charge_limit_kw": 4,
    "discharge_limit_kw": 4,
    "charge_efficiency": 1.0,
    "discharge_efficiency": 1.0,
}
SITE = parse_site(
    {
        "name": "home",
        "timezone": "UTC",
        "batteries": [BATTERY],
        "pv": [{"name": "roof", "peak_kw": 8}],
        "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
        "loads": [
            {"name": "boiler", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 4}
        ],
    }
)
# A surplus of 2 kW, nothing, a deficit of 1 kW.
LOAD_KWH = [0.5, 0.5, 0.5, 0.5]
PV_KWH = [1.0, 0.5, 0.25, 0.0]


def outlook(**changes: Any) -> OutlookMessage:
    flat = [0.3] * len(LOAD_KWH)
    return OutlookMessage.model_validate(
        {"load_kwh": LOAD_KWH, "pv_kwh": PV_KWH, "import_price": flat, "export_price": flat}
        | changes
    )


def order(
    device: str,
    *,
    minutes: int = 60,
    since: timedelta = timedelta(0),
    soc: float = 0.5,
    **fields: Any,
) -> list[tuple[str, str, int, float | None]]:
    """Return device, action, minutes and power of each block."""
    override = Override.model_validate(
        {"until": START + timedelta(minutes=minutes), "since": START + since} | fields
    )
    state = StateMessage(batteries={"battery": BatteryState(soc=soc)})
    blocks = list_ordered_blocks(
        SITE, {device: override}, outlook=outlook(), state=state, start=START
    )
    return [
        (
            block.device,
            block.action,
            (block.to - block.from_) // timedelta(minutes=1),
            block.power_kw,
        )
        for block in blocks
    ]


@each_row(
    ("device", "fields", "blocks"),
    [
        ("batteries", {"mode": "hold"}, [("battery", "hold", 60, None)]),
        ("batteries", {"mode": "save"}, [("battery", "no_discharge", 60, None)]),
        ("batteries", {"mode": "supply"}, [("battery", "no_charge", 60, None)]),
        # What the battery can is more than it is told to take from the grid: the surplus comes
        # first.
        ("batteries", {"mode": "charge", "minutes": 30}, [("battery", "charge", 30, 4.0)]),
        # 0.1 of 10 kWh at 4 kW takes a quarter-hour.
        (
            "batteries",
            {"mode": "charge", "target_soc": 0.6, "minutes": 45},
            [("battery", "charge", 15, 4.0), ("battery", "no_discharge", 30, None)],
        ),
        (
            "batteries",
            {"mode": "self_consumption", "minutes": 45},
            [
                ("battery", "charge", 15, 2.0),
                ("battery", "hold", 15, None),
                ("battery", "discharge", 15, 1.0),
            ],
        ),
        (
            "batteries",
            {"mode": "hold", "since": timedelta(minutes=5), "minutes": 35},
            [("battery", "hold", 30, None)],
        ),
        ("batteries", {"mode": "hold", "minutes": 999}, [("battery", "hold", 60, None)]),
        ("vehicle:car", {"mode": "charge", "power_kw": 22}, [("car", "charge", 60, 11.0)]),
        ("vehicle:car", {"mode": "stop"}, [("car", "no_charge", 60, None)]),
        ("vehicle:car", {"mode": "own"}, []),
        ("vehicle:gone", {"mode": "stop"}, []),
        ("load:boiler", {"mode": "off"}, [("boiler", "off", 60, None)]),
        ("load:boiler", {"mode": "own"}, []),
        ("pv", {"mode": "no_export"}, [(GRID, "no_export", 60, None)]),
        ("pv", {"mode": "free"}, []),
    ],
)
def test_an_override_becomes_blocks(
    device: str, fields: dict[str, Any], blocks: list[tuple[str, str, int, float | None]]
) -> None:
    assert order(device, **fields) == blocks


@each_row(
    ("fields", "expected"),
    [
        ({"mode": "off"}, [0.0, 0.0, 0.25, 0.0]),
        ({"mode": "limit", "power_kw": 2}, [0.5, 0.5, 0.25, 0.0]),
        ({"mode": "free"}, PV_KWH),
    ],
)
def test_pv_that_is_held_back_is_not_planned_with(
    fields: dict[str, Any], expected: list[float]
) -> None:
    override = Override.model_validate({"until": START + 2 * SLOT} | fields)
    held = hold_back_pv(outlook(pv_p90_kwh=PV_KWH, pv_p10_kwh=PV_KWH), override, start=START)
    assert held.pv_kwh == pytest.approx(expected)
    assert held.pv_p90_kwh == pytest.approx(expected)


def block(action: str, first: datetime, end: datetime) -> ManualBlock:
    return ManualBlock.model_validate(
        {"device": "battery", "action": action, "from": first, "to": end, "block_id": 7}
    )


def test_a_stored_block_waits_for_the_order_that_contradicts_it() -> None:
    ordered = [block("charge", START, START + 2 * SLOT)]
    later = block("hold", START - SLOT, START + 4 * SLOT)
    covered = block("hold", START, START + SLOT)
    agreed = block("no_discharge", START, START + 4 * SLOT)
    kept = give_way([later, covered, agreed], ordered)
    assert [(each.from_, each.to) for each in kept] == [
        (START + 2 * SLOT, later.to),
        (covered.from_, covered.to),
        (agreed.from_, agreed.to),
    ]
