"""Plans under blocks that change on a date, beside an exhaustive search."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.contracts.plan import PlanRequest
from luna.energy.economics.prices import price_slots
from luna.energy.site import Tariff
from luna.energy.timeline import FloatArray, Timeline
from tests.support.planning.requests import answer, make_request, solve, value_rest
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

HOUR = timedelta(hours=1)
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
CHANGE = date(2024, 2, 10)
NEW_YEAR = date(2025, 1, 1)


def make_blocks(*blocks: tuple[int | None, float], **fields: Any) -> dict[str, Any]:
    listed = [{"up_to_kwh": end, "price": price} for end, price in blocks]
    return {"kind": "blocks", "name": "energy", "blocks": listed} | fields


def change_on(day: date, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    return [old | {"valid_to": day.isoformat()}, new | {"valid_from": day.isoformat()}]


def ask(
    components: list[dict[str, Any]],
    load: FloatArray | list[float],
    start: datetime,
    *,
    drawn: float,
    soc: float = 0.5,
    export_price: float = 0.0,
) -> PlanRequest:
    """A house without sun that has drawn so much in the month before."""
    tariff = {"import": {"kind": "components", "components": components}}
    timeline = Timeline(start, HOUR, len(load))
    price, _ = price_slots(Tariff.model_validate(tariff), timeline, zone=ZoneInfo("UTC"), spot={})
    return make_request(
        {"batteries": [BATTERY], "tariff": tariff},
        {"load_kwh": load, "import_price": price, "export_price": export_price},
        start=start,
        soc=soc,
        state={"month_import_kwh": drawn},
        options=value_rest(0.0),
    )


def before_midnight(day: date, hours: int) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - hours * HOUR


def test_what_the_month_has_drawn_counts_in_new_blocks_as_well() -> None:
    # 8 kWh before: of the two old hours both lie in the first block, of the two new ones none.
    parts = change_on(
        CHANGE, make_blocks((20, 0.4), (None, 0.5)), make_blocks((9, 0.1), (None, 0.3))
    )
    reply = answer(ask(parts, [1.0] * 4, before_midnight(CHANGE, 2), drawn=8.0, soc=0.0))
    assert reply.cost.import_ == pytest.approx(2 * 0.4 + 2 * 0.3)


def test_new_blocks_of_a_new_year_begin_with_the_first_kwh() -> None:
    parts = change_on(
        NEW_YEAR, make_blocks((9, 0.2), (None, 0.5)), make_blocks((1, 0.1), (None, 0.3))
    )
    reply = answer(ask(parts, [1.0] * 4, before_midnight(NEW_YEAR, 2), drawn=8.0, soc=0.0))
    # The battery could move a kWh, and would only carry it from 20 or 50 to 10 or 30 cents.
    assert reply.cost.import_ == pytest.approx(0.2 + 0.5 + 0.1 + 0.3)


def test_energy_is_bought_before_new_blocks_where_that_fills_the_cheap_one() -> None:
    # Old: 10 cents for all. New: 12 cents, 40 beyond 10 kWh. Stored kWh are bought before; those
    # that are left to buy lie beyond the border anyway.
    parts = change_on(CHANGE, make_blocks((None, 0.1)), make_blocks((10, 0.12), (None, 0.4)))
    reply = answer(ask(parts, [1.0] * 6, before_midnight(CHANGE, 2), drawn=8.0, soc=0.0))
    bought = [slot.import_kwh for slot in reply.slots]
    assert sum(bought[:2]) == pytest.approx(6.0)
    assert reply.cost.import_ == pytest.approx(6 * 0.1)


# Twelve hold each combination of a year's change and of a stretch without blocks around it.
@each_row("seed", range(24 if LONG else 6))
def test_a_plan_costs_what_the_cheapest_of_all_schedules_costs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    change = NEW_YEAR if seed % 4 == 0 else CHANGE
    start = before_midnight(change, int(rng.integers(1, 6)))
    load = rng.integers(0, 4, 7).astype(float)
    export_price = float(rng.choice([0.0, 0.11]))
    drawn = int(rng.integers(0, 9))
    components = change_on(change, draw_blocks(rng, drawn), draw_blocks(rng, drawn))
    if seed % 3 == 0:
        # A stretch in the middle of a month, without any before and after it.
        end = datetime(change.year, change.month, change.day, tzinfo=UTC) + timedelta(days=1)
        components = [components[1] | {"valid_to": end.date().isoformat()}]
        start = before_midnight(end.date(), 3) if seed % 2 else start
    request = ask(components, load, start, drawn=float(drawn), export_price=export_price)
    least = least_cost(components, load, start, drawn=drawn, export_price=export_price)
    assert solve(request).costs.total.sum() == pytest.approx(least, abs=1e-6)


def draw_blocks(rng: np.random.Generator, drawn: int) -> dict[str, Any]:
    """Return two or three blocks that the next hours reach or have passed."""
    first, second = sorted(rng.choice(np.arange(1, 12), 2, replace=False).tolist())
    low, middle, high = np.cumsum(rng.uniform(0.02, 0.3, 3)).round(3).tolist()
    ends = [(drawn + first - 3, low), (drawn + second - 3, middle), (None, high)]
    return make_blocks(*[(end, price) for end, price in ends if end is None or end > 0])


def least_cost(
    components: list[dict[str, Any]],
    load: FloatArray,
    start: datetime,
    *,
    drawn: int,
    export_price: float,
) -> float:
    """Return the lowest bill of all schedules in whole kWh.

    With whole loads and borders and a battery without losses one of them is the best of all.
    """
    levels = np.array(list(product(range(CAPACITY + 1), repeat=load.size)))
    change = np.diff(levels, axis=1, prepend=CAPACITY // 2)
    net = (load + change)[(np.abs(change) <= 2).all(axis=1)]
    bought = np.maximum(net, 0.0)
    cost = -export_price * np.maximum(-net, 0.0).sum(axis=1)
    total = np.full(len(bought), float(drawn))
    for slot in range(load.size):
        instant = start + slot * HOUR
        if slot and instant == datetime(instant.year, instant.month, 1, tzinfo=UTC):
            total = np.zeros(len(bought))
        for part in components:
            if is_in_force(part, instant):
                cost += pay(part, total + bought[:, slot]) - pay(part, total)
        total = total + bought[:, slot]
    return float(cost.min())


def is_in_force(part: dict[str, Any], instant: datetime) -> bool:
    day = instant.date().isoformat()
    return bool(part.get("valid_from", "") <= day < part.get("valid_to", "9999"))


def pay(part: dict[str, Any], total_kwh: FloatArray) -> FloatArray:
    """Return what a month's first so many kWh cost."""
    cost = np.zeros(total_kwh.size)
    begin = 0.0
    for block in part["blocks"]:
        end = np.inf if block["up_to_kwh"] is None else block["up_to_kwh"]
        cost += block["price"] * np.clip(total_kwh - begin, 0.0, end - begin)
        begin = end
    return cost
