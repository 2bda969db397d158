"""Plans under allowances of each day, by hand and beside an exhaustive search."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.contracts.plan import PlanRequest
from luna.energy.economics.charges import count_drawn
from luna.energy.economics.prices import price_slots
from luna.energy.site import Site, Tariff, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_instant
from services.planner.problem.build import build_problem
from services.planner.service.state import find_counted
from tests.support.planning.requests import answer, make_request, solve, value_rest
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
# Without losses, so that plans are sums.
BATTERY = {
    "capacity_kwh": 4,
    "charge_limit_kw": 2,
    "discharge_limit_kw": 2,
    "charge_efficiency": 1,
    "discharge_efficiency": 1,
    "min_soc": 0,
    "max_soc": 1,
}
CAPACITY = 4
MIDNIGHT = datetime(2024, 2, 1, tzinfo=UTC)
# The first three hours: 5 kWh for nothing; 40 cents beyond them, 30 cents at other hours.
FREE = {
    "kind": "allowance",
    "name": "free hours",
    "kwh_per_day": 5,
    "price": 0,
    "price_beyond": 0.4,
    "price_outside": 0.3,
    "from": "00:00",
    "to": "03:00",
}


def ask(
    *components: dict[str, Any],
    load: FloatArray | list[float],
    start: datetime = MIDNIGHT,
    soc: float = 0.0,
    export_price: float = 0.0,
    **state: Any,
) -> PlanRequest:
    """A house without sun; what the first kWh costs is what its components say."""
    tariff = {"import": {"kind": "components", "components": list(components)}}
    timeline = Timeline(start, HOUR, len(load))
    price, _ = price_slots(Tariff.model_validate(tariff), timeline, zone=ZoneInfo("UTC"), spot={})
    return make_request(
        {"batteries": [BATTERY], "tariff": tariff},
        {"load_kwh": load, "import_price": price, "export_price": export_price},
        start=start,
        soc=soc,
        state=state,
        options=value_rest(0.0),
    )


def test_whoever_stores_up_to_the_cap_pays_least() -> None:
    # 1 kWh an hour: three of the five free ones for the house, two to store. Of the three hours
    # after the window one is left to buy.
    reply = answer(ask(FREE, load=[1.0] * 6))
    bought = [slot.import_kwh for slot in reply.slots]
    assert sum(bought[:3]) == pytest.approx(5.0)
    assert sum(bought[3:]) == pytest.approx(1.0)
    assert reply.cost.import_ == pytest.approx(0.3)
    assert sum(slot.import_kwh * slot.import_price for slot in reply.slots) == pytest.approx(
        reply.cost.import_, abs=1e-5
    )


def test_what_was_taken_from_an_allowance_before_the_plan_is_gone() -> None:
    # One of five is left: two hours of the window are beyond it, and nothing is worth storing.
    reply = answer(ask(FREE, load=[1.0] * 6, drawn_kwh={"free hours": 4.0}))
    assert [slot.import_kwh for slot in reply.slots] == pytest.approx([1.0] * 6)
    assert reply.cost.import_ == pytest.approx(2 * 0.4 + 3 * 0.3)
    # The month's energy is that of blocks.
    whole = answer(ask(FREE, load=[1.0] * 6, month_import_kwh=4.0))
    assert whole.cost.import_ == pytest.approx(0.3)


@each_row(
    ("day_begins", "cost"),
    # Two kWh are left. From noon: the last four of six hours are beyond. From midnight: the last
    # four are within a new allowance.
    [("12:00", 6 * 0.2 + 4 * 0.1), ("00:00", 6 * 0.2)],
    ids=["noon", "midnight"],
)
def test_an_allowance_ends_at_its_own_time_also_at_a_months_end(
    day_begins: str, cost: float
) -> None:
    six = make_six(day_begins=day_begins)
    start = datetime(2024, 1, 31, 22, tzinfo=UTC)
    reply = answer(ask(six, load=[1.0] * 6, start=start, drawn_kwh={"energy": 4.0}))
    assert reply.cost.import_ == pytest.approx(cost)


def make_six(**fields: Any) -> dict[str, Any]:
    """Return an allowance of 6 kWh at 20 cents, 30 beyond."""
    six = {"kind": "allowance", "name": "energy", "kwh_per_day": 6, "price": 0.2}
    return six | {"price_beyond": 0.3} | fields


def test_the_battery_gives_what_would_lie_beyond_before_a_new_allowance_begins() -> None:
    # Two kWh are left until noon, four are needed: the two stored ones serve these.
    six = make_six(day_begins="12:00")
    start = datetime(2024, 2, 1, 8, tzinfo=UTC)
    reply = answer(ask(six, load=[1.0] * 8, start=start, soc=0.5, drawn_kwh={"energy": 4.0}))
    assert sum(slot.import_kwh for slot in reply.slots[:4]) == pytest.approx(2.0)
    assert reply.cost.import_ == pytest.approx(6 * 0.2)


def test_an_allowance_of_another_size_begins_whole_on_its_first_day() -> None:
    # One kWh is left of the first, three of four hours are beyond it; then three of four are
    # within.
    parts = [
        make_six(valid_to="2024-02-02"),
        make_six(valid_from="2024-02-02", kwh_per_day=3),
    ]
    start = datetime(2024, 2, 1, 20, tzinfo=UTC)
    reply = answer(ask(*parts, load=[1.0] * 8, start=start, drawn_kwh={"energy": 5.0}))
    assert reply.cost.import_ == pytest.approx(8 * 0.2 + 3 * 0.1 + 1 * 0.1)
    # From the second day on nothing is left of the first allowance.
    second = build_problem(ask(*parts, load=[1.0] * 8, start=MIDNIGHT + 24 * HOUR))
    (charge,) = second.tariff.charges
    assert charge.allowance_kwh == 3


def home(*components: dict[str, Any], **tariff: Any) -> Site:
    rule = {"kind": "components", "components": list(components)}
    return parse_site(
        {"name": "home", "timezone": "Europe/Berlin", "tariff": {"import": rule} | tariff}
    )


TIERS = {
    "kind": "blocks",
    "name": "tiers",
    "blocks": [{"up_to_kwh": 6, "price": 0.0}, {"price": 0.15}],
}
PEAK = {"price_per_kw_month": 3}


@each_row(
    ("site", "begin"),
    [
        (home(make_six(day_begins="12:00")), (date(2024, 1, 31), "12:00")),
        (home(make_six(day_begins="12:00"), TIERS), (date(2024, 1, 31), "12:00")),
        (home(make_six(day_begins="12:00"), peak=PEAK), (date(2024, 1, 31), "12:00")),
        (home(make_six()), (date(2024, 2, 1), "00:00")),
        (home(TIERS), (date(2024, 2, 1), "00:00")),
    ],
    ids=["noon", "noon and blocks", "noon and peaks", "midnight", "blocks"],
)
def test_records_are_read_from_where_the_first_running_period_began(
    site: Site, begin: tuple[date, str]
) -> None:
    start = local_instant(date(2024, 2, 1), "02:00", BERLIN)
    assert find_counted(site, start) == local_instant(*begin, BERLIN)


def test_no_records_are_read_of_a_period_that_begins_with_the_plan() -> None:
    midnight = local_instant(date(2024, 2, 1), "00:00", BERLIN)
    assert find_counted(home(make_six(), TIERS), midnight) is None
    assert find_counted(home({"kind": "fixed", "name": "all", "price": 0.3}), midnight) is None


def test_each_component_counts_its_own_period_under_its_own_name() -> None:
    old = make_six(valid_to="2024-02-01")
    new = make_six(valid_from="2024-02-01", kwh_per_day=3)
    noon = make_six(name="noon", day_begins="12:00")
    # From noon until 06:00, 0.1 kWh in each of 72 quarter-hours, 24 of them after midnight.
    past = Timeline(local_instant(date(2024, 1, 31), "12:00", BERLIN), SLOT, 72)
    rule = home(old, new, noon, TIERS).tariff.import_
    drawn = count_drawn(rule, np.full(72, 0.1), past, zone=BERLIN)
    assert drawn == pytest.approx({"energy": 2.4, "noon": 7.2, "blocks": 2.4})


# Ten hold each combination of one or two allowances, with tiers and without.
@each_row("seed", range(16 if LONG else 6))
def test_a_plan_costs_what_the_cheapest_of_all_schedules_costs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = MIDNIGHT + int(rng.integers(-12, 24)) * HOUR
    load = rng.integers(0, 4, 7).astype(float)
    export_price = float(rng.choice([0.0, 0.11]))
    components = [draw_allowance(rng, name) for name in ("one", "other")[: 1 + seed % 2]]
    if seed % 3 == 0:
        components.append(TIERS)
    drawn = {part["name"]: float(rng.integers(0, 4)) for part in components} | {"blocks": 3.0}
    request = ask(
        *components,
        load=load,
        start=start,
        soc=0.5,
        export_price=export_price,
        drawn_kwh=drawn,
    )
    plan = solve(request)
    least = least_cost(components, load, start, drawn=drawn, export_price=export_price)
    assert plan.costs.total.sum() == pytest.approx(least, abs=1e-6)


def draw_allowance(rng: np.random.Generator, name: str) -> dict[str, Any]:
    """Return an allowance with whole kWh; its window is one piece within any seven hours."""
    first = int(rng.integers(0, 13))
    within, outside = rng.uniform(0.0, 0.3, 2).round(3).tolist()
    return {
        "kind": "allowance",
        "name": name,
        "kwh_per_day": int(rng.integers(2, 6)),
        "price": within,
        "price_beyond": within + float(rng.uniform(0.1, 0.4)),
        "price_outside": outside,
        "from": f"{first:02}:00",
        "to": f"{first + int(rng.integers(3, 12)):02}:00",
        "day_begins": str(rng.choice(["00:00", "12:00"])),
    }


def least_cost(
    components: list[dict[str, Any]],
    load: FloatArray,
    start: datetime,
    *,
    drawn: dict[str, float],
    export_price: float,
) -> float:
    """Return the lowest cost of all schedules in whole kWh.

    With whole loads and caps and a battery without losses one of them is the best of all.
    """
    levels = np.array(list(product(range(CAPACITY + 1), repeat=load.size)))
    change = np.diff(levels, axis=1, prepend=CAPACITY // 2)
    net = (load + change)[(np.abs(change) <= 2).all(axis=1)]
    bought = np.maximum(net, 0.0)
    cost = -export_price * np.maximum(-net, 0.0).sum(axis=1)
    for part in components:
        cap_kwh, within_price, beyond_price = read_cap(part)
        key = "blocks" if part is TIERS else part["name"]
        left = np.full(len(bought), cap_kwh - drawn[key])
        for slot in range(load.size):
            instant = start + slot * HOUR
            if slot and begins_anew(part, instant):
                left = np.full(len(bought), cap_kwh)
            energy = bought[:, slot]
            if part is TIERS or part["from"] <= f"{instant:%H:%M}" < part["to"]:
                within = np.minimum(energy, np.maximum(left, 0.0))
                left = left - within
                cost += within_price * within + beyond_price * (energy - within)
            else:
                cost += part["price_outside"] * energy
    return float(cost.min())


def read_cap(part: dict[str, Any]) -> tuple[float, float, float]:
    """Return the energy of a period, and the prices up to it and beyond."""
    if part is TIERS:
        return 6.0, 0.0, 0.15
    return float(part["kwh_per_day"]), part["price"], part["price_beyond"]


def begins_anew(part: dict[str, Any], instant: datetime) -> bool:
    if part is TIERS:
        return instant == MIDNIGHT
    return bool(f"{instant:%H:%M}" == part["day_begins"])
