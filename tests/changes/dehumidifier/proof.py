"""A dehumidifier is planned, explained, sent, shown and replayed.

Run on a copy of the code that has the kind.
"""

import io
from itertools import groupby, product
from zoneinfo import ZoneInfo

import numpy as np
from services.planner.devices.dehumidifier import AIR_SLACK, HumidityDemand

from luna.contracts.control import LoadSetpoint, VehicleSetpoint
from luna.contracts.plan import PlanReply, PlanRequest
from luna.drivers.control.units import list_units
from luna.drivers.control.units.unit import InForce
from luna.energy.devices import DEVICE_KINDS
from luna.energy.site import parse_site
from services.cli import plan_table
from services.planner.milp.slack import dearest_price
from services.planner.milp.solver import Solver
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.problem.problem import Problem
from services.planner.replay.run import replay
from services.planner.reply.reply import plan_request
from services.planner.service.inputs import list_included
from tests.support.devices.contract import (
    Document,
    Example,
    check_entities,
    check_pages,
    check_plan,
    check_safe,
    check_shown,
    check_site_file,
    find_unbounded,
)
from tests.support.planning.problems import START
from tests.support.planning.replay import make_scene

DRYER = {
    "name": "cellar",
    "power_w": 400,
    "least_percent": 45,
    "most_percent": 60,
    "falls_percent_per_h": 6,
    "rises_percent_per_h": 2,
}
SWITCH = {
    "load": "cellar",
    "modes": {"on": "an", "off": "aus"},
    "writes": [{"to": "switch.cellar", "value": "{mode}"}],
}
ZONE = ZoneInfo("Europe/Berlin")
(KIND,) = (kind for kind in DEVICE_KINDS if kind.name == "dehumidifier")


def humidify(rng: np.random.Generator, request: Document) -> None:
    """Draw how humid the air is, also outside of the band, and what has been done about it
    today.
    """
    state = {
        "humidity_percent": round(float(rng.uniform(40, 70)), 1),
        "on": bool(rng.random() < 0.3),
        "starts_today": int(rng.integers(0, 5)),
    }
    request["state"]["dehumidifiers"] = {"cellar": state}


def try_every_schedule(problem: Problem) -> float:
    """Return what the cheapest of all schedules costs, each followed slot by slot.

    Too humid or too dry air at a price.
    """
    (demand,) = problem.demands
    assert isinstance(demand, HumidityDemand)
    return min(
        _cost(problem, demand, on)
        for on in product((False, True), repeat=problem.outlook.load_kwh.size)
        if _starts_seldom(demand, on)
    )


def _starts_seldom(demand: HumidityDemand, on: tuple[bool, ...]) -> bool:
    started = [now and not before for before, now in zip((demand.state.on, *on), on, strict=False)]
    days = [list(run) for _, run in groupby(range(len(on)), key=lambda slot: demand.day[slot])]
    room = [max(4 - demand.state.starts_today, 0), *[4] * len(days)]
    return all(
        sum(started[slot] for slot in day) <= left for day, left in zip(days, room, strict=False)
    )


def _cost(problem: Problem, demand: HumidityDemand, on: tuple[bool, ...]) -> float:
    outlook = problem.outlook
    dryer = DRYER
    slack = AIR_SLACK * dearest_price(problem) * 0.4 / 8
    cost = 0.0
    humidity = demand.start_percent
    always = demand.start_percent
    never = demand.start_percent
    for slot, is_on in enumerate(on):
        cost += float(outlook.import_price[slot]) * (float(outlook.load_kwh[slot]) + 0.4 * is_on)
        humidity = humidity + (-6 if is_on else 2)
        always = always - 6
        never = never + 2
        low = min(dryer["least_percent"], never)
        high = max(dryer["most_percent"], always)
        cost += slack * (max(humidity - high, 0.0) + max(low - humidity, 0.0))
    inside = min(max(humidity, low), high)
    return cost + TERMINAL_SHARE * max(float(outlook.import_price.mean()), 0.0) * 0.4 / 8 * inside


EXAMPLE = Example(DRYER, humidify, [SWITCH], optimum=try_every_schedule)


def plan_two_days(language: str) -> PlanReply:
    """Return a plan of two days in quarter-hours whose kWh is cheap in the small hours and at
    noon.
    """
    hours = np.arange(192) / 4 % 24
    price = np.where((hours < 5) | ((hours >= 11) & (hours < 14)), 0.12, 0.36)
    outlook = {
        "load_kwh": [0.1] * 192,
        "pv_kwh": [0.0] * 192,
        "import_price": price.tolist(),
        "export_price": [0.08] * 192,
    }
    request = {
        "site": EXAMPLE.describe_site(KIND, control=None),
        "start": START.isoformat(),
        "outlook": outlook,
        "state": {"dehumidifiers": {"cellar": {"humidity_percent": 58}}},
        "options": {"language": language},
    }
    return plan_request(PlanRequest.model_validate(request), now=START, solver=Solver())


def is_planned(plan: PlanReply) -> None:
    """The band is kept in the cheap hours, with four starts a day at most."""
    flows = [slot.dehumidifiers["cellar"] for slot in plan.slots]
    assert not plan.compromises, plan.compromises
    assert all(45 - 1e-6 <= flow.humidity_percent <= 60 + 1e-6 for flow in flows)
    assert all(flow.energy_kwh == (0.1 if flow.on else 0.0) for flow in flows)
    on = np.array([flow.on for flow in flows])
    price = np.array([slot.import_price for slot in plan.slots])
    # Between 14:00 and midnight the air rises by 20 %, 5 more than the band is wide: each day three
    # quarter-hours that take 2 % each have to be dear ones.
    assert (price[on] > 0.3).sum() == 6
    started = on & ~np.concatenate([[False], on[:-1]])
    days = [slot.start.astimezone(ZONE).date() for slot in plan.slots]
    assert (
        max(
            sum(start for start, each in zip(started, days, strict=True) if each == day)
            for day in days
        )
        <= 4
    )


def is_explained(plan: PlanReply, begins: tuple[str, ...]) -> None:
    """Every slot says why in words, with the figures that belong to it."""
    for slot in plan.slots:
        flow = slot.dehumidifiers["cellar"]
        assert flow.reason.text.startswith(begins), flow.reason
        assert (flow.reason.code == "air_dries") == flow.on
        assert abs(flow.reason.figures["humidity"] - flow.humidity_percent / 100) < 1e-6
        assert (
            flow.reason.code != "air_waits"
            or flow.reason.figures["price"] < flow.reason.figures["buy"]
        )


def is_sent(plan: PlanReply) -> None:
    """Each slot's command passes the safety layer and is written in the device's own words.

    What it does not know leaves it off.
    """
    site = parse_site(EXAMPLE.describe_site(KIND))
    unit = list_units(site, site.control)["load:cellar"]
    for place, slot in enumerate(plan.slots):
        asked = unit.read_plan(plan, place, InForce())
        (write,) = unit.render(unit.make_safe(asked, {}))
        assert (write.to, write.value) == (
            "switch.cellar",
            "an" if slot.dehumidifiers["cellar"].on else "aus",
        ), write
    for asked in (
        {"cellar": LoadSetpoint(mode="own")},
        {"cellar": VehicleSetpoint(mode="charge", charge_kw=3.7)},
        {},
    ):
        assert unit.make_safe(asked, {})["cellar"].mode == "off"


def is_shown(plan: PlanReply) -> None:
    """The plan's table names it with its reasons, as do the columns in which plans are kept and the
    review of set-up; its energy has a meter.
    """
    said = io.StringIO()
    plan_table.out.file = said
    plan_table.show_plan(plan, "en")
    assert "cellar" in said.getvalue()
    assert "brings the air to" in " ".join(said.getvalue().split())
    site = parse_site(EXAMPLE.describe_site(KIND))
    assert list_included(site) == ["cellar"]
    assert (
        list_included(
            parse_site(
                EXAMPLE.describe_site(KIND, input_sensors={"dehumidifier_consumption": "plug"})
            )
        )
        == []
    )


def is_replayed() -> None:
    """A replay says that what it used is as it was recorded."""
    scene = make_scene(dehumidifiers=[DRYER])
    assert replay(scene, ["self_consumption"], every=96).as_recorded == ["cellar"]


assert [*find_unbounded(KIND.device)] == []
check_site_file(KIND, EXAMPLE)
check_shown(KIND, EXAMPLE)
check_pages(KIND, EXAMPLE)
check_entities(KIND, EXAMPLE)
for seed in range(4):
    check_safe(KIND, EXAMPLE, seed)
assert all(check_plan(KIND, EXAMPLE, seed) for seed in range(20))
english = plan_two_days("en")
is_planned(english)
is_explained(english, ("Runs", "Waits", "Rests", "Is off"))
is_explained(plan_two_days("de"), ("Läuft", "Wartet", "Ruht", "Ist bis"))
is_sent(english)
is_shown(english)
is_replayed()
