"""A day from midnight to midnight: measured or planned, never both, and what its batteries save."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.contracts.plan import PlanReply
from luna.energy.site import SUBMETERED, Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.house.site_day import PLANNED, Day, join_day, save_beside_inverter, total
from tests.support.planning.plans import FLOWS

START = datetime(2024, 2, 1, tzinfo=UTC)
DAY = Timeline(START, SLOT, 96)
SITE = parse_site(
    {
        "name": "home",
        "timezone": "UTC",
        "pv": [{"peak_kw": 5}],
        "batteries": [
            {"name": "b", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
        ],
    }
)


def columns(**values: float) -> dict[str, FloatArray]:
    return {
        name: np.full(96, values.get(name, 0.0)) for name in (*PLANNED, "device_cost", *SUBMETERED)
    }


def join(
    site: Site,
    now: datetime,
    *,
    soc: float = 0.5,
    seen: dict[str, FloatArray] | None = None,
    paid: FloatArray | None = None,
    **planned: float,
) -> Day:
    own = {"import_price": 0.3, "export_price": 0.1} | planned
    paid = np.full(96, np.nan) if paid is None else paid
    return join_day(
        site,
        DAY,
        planned=columns(**own),
        observed=seen or columns(load_kwh=np.nan),
        paid=paid,
        start_soc=soc,
        now=now,
    )


def plan(*, soc_end: float, value: float | None) -> PlanReply:
    flows = {"b": {"charge_kwh": 0, "discharge_kwh": 0, "soc_end": soc_end}}
    reason = {"code": "hold", "text": ".", "energy_value": value}
    slots = [
        FLOWS
        | {"start": START + place * SLOT, "mode": "hold", "reason": reason, "batteries": flows}
        for place in range(96)
    ]
    about = {
        "site": "home",
        "timezone": "UTC",
        "currency": "EUR",
        "slot_minutes": 15,
        "issued_at": START,
        "timing_ms": {},
    }
    cost = {"total": 1.0, "import": 1.0, "export": 0.0, "wear": 0.0}
    return PlanReply.model_validate(
        {"plan_id": "p", "status": "optimal", "gap": 0, "cost": cost, "slots": slots} | about
    )


def test_what_was_measured_stands_until_now_and_the_plan_from_then_on() -> None:
    seen = columns(load_kwh=0.5, import_kwh=0.5)
    day = join(
        SITE, START + timedelta(hours=12, minutes=7), seen=seen, load_kwh=0.25, import_kwh=0.25
    )
    # 48 quarter-hours measured at 0.5 kWh, 48 planned at 0.25; the one that runs is not over.
    assert day.measured.sum() == 48
    assert total(day.load_kwh) == pytest.approx(48 * 0.5 + 48 * 0.25)
    assert day.cost == pytest.approx(36 * 0.3)


def test_what_was_paid_stands_by_the_account_and_the_plan_goes_on_from_there() -> None:
    paid = np.full(96, np.nan)
    paid[:48] = 0.2
    day = join(SITE, START + timedelta(hours=12), paid=paid, load_kwh=0.25, import_kwh=0.25)
    assert day.paid_so_far == pytest.approx(48 * 0.2)
    assert day.cost == pytest.approx(48 * 0.2 + 12 * 0.3)
    assert join(SITE, START).paid_so_far is None


def test_a_day_with_a_slot_that_nobody_knows_has_no_cost() -> None:
    day = join(SITE, START, import_kwh=0.25)
    day.import_price[5] = np.nan
    assert day.cost is None


def test_without_a_meter_of_feed_in_nothing_counts_as_measured() -> None:
    seen = columns(load_kwh=0.5, import_kwh=0.5) | {"export_kwh": np.full(96, np.nan)}
    assert join(SITE, START + timedelta(days=1), seen=seen).measured.sum() == 0


def test_doing_what_the_inverter_does_by_itself_saves_nothing() -> None:
    # 0.02 kWh a slot, 1.92 kWh a day, from a battery that holds 5 kWh: the inverter alone serves
    # all of it.
    day = join(SITE, START, load_kwh=0.02, discharge_kwh=0.02)
    drawn = 1.92 / SITE.batteries[0].discharge_efficiency
    assert save_beside_inverter(
        SITE, day, plan(soc_end=0.5 - drawn / 10, value=0.2)
    ) == pytest.approx(0.0, abs=1e-9)


def test_what_the_account_knows_makes_no_saving_of_a_slot_that_no_plan_knows() -> None:
    day = join(SITE, START, paid=np.full(96, 0.1), load_kwh=0.02, import_kwh=0.02)
    day.import_kwh[40] = np.nan
    assert day.cost is not None
    assert save_beside_inverter(SITE, day, plan(soc_end=0.5, value=0.4)) is None


def test_energy_that_is_kept_for_later_is_worth_its_value() -> None:
    # The house buys 1.92 kWh at 0.30 and keeps what the inverter alone would have drawn for it,
    # worth 0.40 a kWh.
    day = join(SITE, START, load_kwh=0.02, import_kwh=0.02)
    drawn = 1.92 / SITE.batteries[0].discharge_efficiency
    assert save_beside_inverter(SITE, day, plan(soc_end=0.5, value=0.4)) == pytest.approx(
        drawn * 0.4 - 1.92 * 0.3
    )


@pytest.mark.parametrize(
    "unknown",
    [{"soc": np.nan}, {"import_kwh": np.nan}],
    ids=["state of charge at midnight", "a slot"],
)
def test_what_is_not_known_is_no_saving(unknown: dict[str, float]) -> None:
    assert (
        save_beside_inverter(SITE, join(SITE, START, **unknown), plan(soc_end=0.5, value=0.4))
        is None
    )
    assert save_beside_inverter(SITE, join(SITE, START), plan(soc_end=0.5, value=None)) is None
    assert save_beside_inverter(SITE, join(SITE, START), None) is None


@given(st.lists(st.floats(0, 2), min_size=96, max_size=96), st.integers(0, 96 * 15))
def test_a_slot_that_has_not_ended_is_never_measured(load: list[float], minutes: int) -> None:
    seen = columns() | {"load_kwh": np.array(load)}
    day = join(SITE, START + timedelta(minutes=minutes), seen=seen)
    assert day.measured.sum() == minutes // 15
