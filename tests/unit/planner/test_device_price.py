"""Plans under prices of their own for cars, by hand and beside an exhaustive search."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
import pytest

from luna.contracts.plan import PlanReply, PlanRequest
from tests.support.planning.requests import answer, charging_session, make_request, value_rest
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

HOUR = timedelta(hours=1)
MIDNIGHT = datetime(2024, 2, 1, tzinfo=UTC)
# Without losses, so that plans are sums: 2 % of it is one kWh.
CAR = {
    "name": "car",
    "capacity_kwh": 50,
    "charge_limit_kw": 4,
    "charge_efficiency": 1,
}


def ask(
    price: dict[str, Any],
    import_price: list[float],
    *,
    needs_kwh: float,
    start: datetime = MIDNIGHT,
    **state: Any,
) -> PlanRequest:
    """A car that is plugged in for all hours and needs so much, in a house that draws nothing."""
    target = needs_kwh / CAR["capacity_kwh"]  # type: ignore[operator]
    session = charging_session(
        0, len(import_price), target_soc=target, limit_soc=target, start=start
    )
    tariff = {"import": {"kind": "fixed", "price": 0.3}, "devices": [price]}
    return make_request(
        {"vehicles": [CAR], "tariff": tariff},
        {"load_kwh": 0.0, "import_price": import_price, "export_price": 0.0},
        start=start,
        state={"vehicles": {"car": {"soc": 0.0, "sessions": [session]}}} | state,
        options=value_rest(0.0, mip_gap=0),
    )


def charged(reply: PlanReply) -> list[float]:
    return [slot.vehicles["car"].charge_kwh for slot in reply.slots]


def make_price(**fields: Any) -> dict[str, Any]:
    return {"name": "car tariff", "devices": "vehicles", "price": 0.0} | fields


def test_cheap_hours_count_from_the_first_one_in_which_the_car_draws() -> None:
    # Two cheap hours a day, then 20 cents more: the third hour waits for the next allowance, from
    # noon on, though it is 10 cents dearer then.
    two = make_price(hours_per_day=2, price_beyond=0.2, day_begins="12:00")
    prices = [0.1] * 4 + [0.2] * 2
    start = MIDNIGHT + 8 * HOUR
    reply = answer(ask(two, prices, needs_kwh=12, start=start))
    assert charged(reply) == pytest.approx([4, 4, 0, 0, 4, 0])
    assert reply.cost.devices == 0
    assert reply.cost.total == pytest.approx(8 * 0.1 + 4 * 0.2)
    # Two quarter-hours of the running allowance are left.
    used = ask(two, prices, needs_kwh=12, start=start, device_use={"car tariff": 1.0})
    assert charged(answer(used)) == pytest.approx([4, 0, 0, 0, 4, 4])


def test_a_cheaper_kwh_of_the_car_draws_it_into_its_window_up_to_the_limit() -> None:
    # 15 cents less in the last two hours, for 6 kWh: the other two are cheapest at once.
    six = make_price(price=-0.15, kwh_per_day=6, **{"from": "04:00", "to": "06:00"})
    reply = answer(ask(six, [0.2] * 4 + [0.3] * 2, needs_kwh=8))
    assert sum(charged(reply)[4:]) == pytest.approx(6)
    assert reply.cost.devices == pytest.approx(-6 * 0.15)
    assert reply.cost.total == pytest.approx(2 * 0.2 + 6 * 0.3 - 6 * 0.15)


@each_row("seed", range(24 if LONG else 8))
def test_a_plan_costs_what_the_cheapest_of_all_schedules_costs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = MIDNIGHT + int(rng.integers(4, 12)) * HOUR
    price = draw_price(rng, seed)
    import_price = rng.uniform(0.05, 0.4, 8).round(3).tolist()
    needs_kwh = float(rng.choice([6, 10, 16]))
    used = float(rng.integers(0, 3))
    request = ask(
        price, import_price, needs_kwh=needs_kwh, start=start, device_use={"car tariff": used}
    )
    reply = answer(request)
    least = np.inf
    for levels in product((0.0, 2.0, 4.0), repeat=8):
        if sum(levels) == needs_kwh:
            cost = float(np.dot(levels, import_price))
            cost += count_cost(price, levels, start, used=used)
            least = min(least, cost)
    assert reply.cost.total == pytest.approx(least, abs=1e-5)


def draw_price(rng: np.random.Generator, seed: int) -> dict[str, Any]:
    """Return a price with a limit in kWh or hours, or none."""
    limit = [{"kwh_per_day": float(rng.choice([4, 8]))}, {"hours_per_day": 2.0}, {}][seed % 3]
    first = int(rng.integers(2, 9))
    window = {"from": f"{first:02}:00", "to": f"{first + 8:02}:00"}
    within = float(rng.uniform(-0.2, 0.1))
    return make_price(
        price=within,
        price_beyond=within + float(rng.uniform(0.0, 0.3)),
        price_outside=float(rng.uniform(-0.1, 0.2)),
        day_begins=str(rng.choice(["00:00", "12:00"])),
        **limit,
        **window,
    )


def count_cost(
    price: dict[str, Any], levels: tuple[float, ...], start: datetime, *, used: float
) -> float:
    """Count hour by hour what the car costs beside the house, as a clerk does."""
    counted = used
    cost = 0.0
    for place, kwh in enumerate(levels):
        clock = f"{start + place * HOUR:%H:%M}"
        if clock == price["day_begins"]:
            counted = 0.0
        if not price["from"] <= clock < price["to"]:
            cost += kwh * price["price_outside"]
            continue
        within = kwh
        if "kwh_per_day" in price:
            within = min(kwh, max(price["kwh_per_day"] - counted, 0.0))
            counted += kwh
        elif "hours_per_day" in price and kwh:
            within = kwh if counted + 1 <= price["hours_per_day"] else 0.0
            counted += 1
        cost += within * price["price"] + (kwh - within) * price["price_beyond"]
    return cost
