"""A plan and a replay to report on, made from smooth curves.

Figures are invented, flows balance.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from luna.contracts import PlanReply, PolicyReply, ReasonReply, ReplayReply, SlotReply
from luna.contracts.plan import BatteryFlow, CostReply
from luna.contracts.replay import DayCost
from luna.energy.site import Site, parse_site
from services.demo.report.report import Origin, ReportInput, SiteResult

PlanMaker = Callable[..., PlanReply]
ReportMaker = Callable[..., ReportInput]
CODES = ("serve_house", "store_solar", "sell_solar", "rest")


@pytest.fixture(scope="module")
def site() -> Site:
    return parse_site(
        {
            "name": "home",
            "timezone": "Europe/Amsterdam",
            "batteries": [
                {
                    "capacity_kwh": 10,
                    "min_soc": 0.1,
                    "charge_limit_kw": 5,
                    "discharge_limit_kw": 5,
                    "wear_price": 0.01,
                }
            ],
            "pv": [{"peak_kw": 6}],
            "tariff": {
                "import": {"kind": "spot", "market": "NL", "markup": 0.13},
                "export": {"kind": "spot", "market": "NL"},
            },
        }
    )


@pytest.fixture(scope="module")
def make_plan(site: Site) -> PlanMaker:
    def make(
        start: datetime = datetime(2023, 9, 14, 12, tzinfo=UTC),
        count: int = 192,
        *,
        code: str | None = None,
        text: str = "As planned.",
    ) -> PlanReply:
        slots = [make_slot(start, index, code=code, text=text) for index in range(count)]
        return PlanReply(
            plan_id="one",
            status="optimal",
            gap=0,
            cost=CostReply(total=1.0, import_=2.0, export=-1.0, wear=0.0),
            timing_ms={},
            slots=slots,
            site=site.name,
            timezone=site.timezone,
            currency=site.currency,
            slot_minutes=15,
            issued_at=start,
            prices_known_until=start + timedelta(hours=30),
        )

    return make


def make_slot(start: datetime, index: int, *, code: str | None, text: str) -> SlotReply:
    sun = max(0.0, float(np.sin((index - 20) / 96 * 2 * np.pi)))
    load = 0.1
    pv = round(sun, 3)
    curtailed = round(0.2 * sun, 3)
    net = round(load - pv + curtailed, 3)
    charge, discharge = (0.05, 0.0) if net < 0 else (0.0, 0.05)
    figures = {
        "buy": 0.3,
        "sell": 0.1,
        "value": 0.2,
        "keep": 0.05,
        "time": (start + timedelta(hours=20)).isoformat(),
    }
    return SlotReply(
        start=start + index * timedelta(minutes=15),
        mode=("self_consumption", "save", "supply", "hold", "charge", "export")[index // 16 % 6],
        load_kwh=load,
        pv_kwh=pv,
        curtailed_kwh=curtailed,
        import_kwh=max(net + charge - discharge, 0.0),
        export_kwh=max(-(net + charge - discharge), 0.0),
        import_price=0.2 + 0.15 * float(np.sin(index / 30)),
        export_price=0.07 + 0.15 * float(np.sin(index / 30)),
        batteries={
            "battery": BatteryFlow(
                charge_kwh=charge,
                discharge_kwh=discharge,
                soc_end=0.5 + 0.3 * float(np.sin(index / 40)),
            )
        },
        reason=ReasonReply(
            code=code or CODES[index // 16 % 4],
            text=text,
            energy_value=0.2,
            cost_of_opposite=index / 1000,
            binding=["battery full"],
            figures=figures,
        ),
        load_p10_kwh=0.05,
        load_p90_kwh=0.2,
        pv_p10_kwh=pv * 0.7,
        pv_p90_kwh=pv * 1.2,
    )


@pytest.fixture(scope="module")
def make_report(site: Site, make_plan: PlanMaker) -> ReportMaker:
    def make(plan: PlanReply | None = None, **changes: object) -> ReportInput:
        first = date(2023, 9, 1)
        last = date(2023, 9, 14)
        feed_in = site.model_copy(update={"name": "feed_in"})
        settings = {
            "plan": plan or make_plan(),
            "results": [
                SiteResult(site, make_replay(), first, last, 4000),
                SiteResult(feed_in, make_replay(), first, last),
            ],
            "origins": [
                Origin("Prices", "ev2gym 2.0.0", "MIT", "2023", "held", "whole", "ab" * 32)
            ],
            "commands": ["make demo", "luna replay --site home"],
            "created_at": datetime(2026, 11, 20, 8, 42, tzinfo=UTC),
            "took_seconds": 31.4,
        }
        return ReportInput(**(settings | changes))  # type: ignore[arg-type]

    return make


def make_replay(*, luna_cost: float = 26.3) -> ReplayReply:
    costs = {
        "idle": 41.2,
        "rule": 33.0,
        "self_consumption": 31.0,
        "mpc": luna_cost,
        "mpc_perfect": 25.4,
        "oracle": 25.2,
    }
    days = [DayCost(day=date(2023, 9, 1) + timedelta(days=day), cost=1.0) for day in range(14)]
    policies = {
        name: PolicyReply(
            cost=cost,
            import_kwh=1,
            export_kwh=1,
            cycles=11.34,
            score=(41.2 - cost) / 16,
            violations=0,
            mode_changes_per_day=5,
            terminal_value=0,
            days=days,
        )
        for name, cost in costs.items()
    }
    return ReplayReply(
        policies=policies,
        slots=1344,
        currency="EUR",
        initial_soc={"battery": 0.5},
        loss={"horizon": 1.25, "load_forecast": 3.0, "pv_forecast": 2.6},
    )


@pytest.fixture
def replay_costing() -> Callable[[float], ReplayReply]:
    return lambda cost: make_replay(luna_cost=cost)
