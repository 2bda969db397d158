"""Days scored at night under a tariff that counts what is drawn."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.agent.night import replay_day
from services.planner.replay import DayLog, DayResult, ReplaySpec, Rules, run
from tests.support.planning.counted_month import CountedMonth

COUNTED: list[dict[str, Any]] = [
    {
        "kind": "blocks",
        "name": "energy",
        "blocks": [{"up_to_kwh": 5, "price": 0.2}, {"price": 0.4}],
    },
    {
        "kind": "allowance",
        "name": "from noon",
        "kwh_per_day": 16,
        "price": 0.05,
        "price_beyond": 0.15,
        "day_begins": "12:00",
    },
]


def test_a_scored_day_costs_what_its_replay_costs() -> None:
    tariff = {"import": {"kind": "components", "components": COUNTED}}
    month = CountedMonth(tariff, (2026, 10)).scene()
    window = month.timeline.window(0, 96)
    scene = replace(month, timeline=window)
    scored = replay_day(scene, Rules.of(scene), window, {})
    days: list[DayResult] = []
    run(scene, ReplaySpec(["idle"], 48, explain_loss=False), book=DayLog(keep=days.append))
    costs = {name: record.cost for name, record in days[0].records.items()}
    assert {name: day.cost for name, day in scored.items()} == pytest.approx(costs)
    # Both thresholds are passed within the day.
    bought_kwh = days[0].trajectories["idle"].flows.import_kwh[0]
    assert np.sum(bought_kwh) > 5
    assert costs["idle"] > 0.25 * np.sum(bought_kwh)
