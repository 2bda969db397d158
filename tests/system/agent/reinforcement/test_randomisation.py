"""Homes that are drawn from one history: other batteries, tariffs and roofs, the same days."""

from datetime import date

import numpy as np
import pytest

from services.agent.reinforcement.reinforcement_agent import (
    HomeDraw,
    HomeRange,
    draw_homes,
    draw_scene,
)
from tests.support.agent.made_up_days import make_days

SCENE = make_days(date(2023, 5, 1), date(2023, 5, 4))


def test_every_home_has_the_days_of_the_history() -> None:
    batch = draw_homes(SCENE, HomeDraw(scenes=3, batteries=4), rng=np.random.default_rng(0), days=2)
    # Of four days three have another one after them; three tariffs and roofs with four batteries
    # each.
    assert batch.episodes.size == 3 * 4 * 3
    assert len({site.batteries[0].capacity_kwh for site in batch.sites}) == 12


def test_what_is_drawn_lies_within_its_range() -> None:
    homes = HomeRange()
    batch = draw_homes(
        SCENE, HomeDraw(scenes=6, batteries=6, homes=homes), rng=np.random.default_rng(1), days=1
    )
    load, _ = SCENE.foresight.ahead(SCENE.timeline.start, SCENE.timeline)
    for battery in (site.batteries[0] for site in batch.sites):
        assert (
            homes.capacity_hours[0]
            <= battery.capacity_kwh / np.mean(load / 0.25)
            <= homes.capacity_hours[1]
        )
        assert (
            homes.power_share[0]
            <= battery.charge_limit_kw / battery.capacity_kwh
            <= homes.power_share[1]
        )
        assert homes.efficiency[0] <= battery.charge_efficiency <= homes.efficiency[1]
        assert homes.wear_price[0] <= battery.wear_price <= homes.wear_price[1]


def test_all_kinds_of_tariffs_are_drawn() -> None:
    drawn = [
        draw_scene(SCENE, HomeRange(), np.random.default_rng(seed)).site.tariff
        for seed in range(40)
    ]
    kinds = {
        (each.import_.kind, each.export.kind, bool(getattr(each.import_, "markup", 0)))
        for each in drawn
    }
    assert kinds == {("spot", "spot", True), ("spot", "fixed", True), ("spot", "spot", False)}


def test_a_larger_roof_is_larger_in_what_happened_and_in_what_was_forecast() -> None:
    drawn = draw_scene(SCENE, HomeRange(pv_scale=(2.0, 2.0)), np.random.default_rng(0))
    assert drawn.foresight.pv_kwh == pytest.approx(2 * SCENE.foresight.pv_kwh)
    assert drawn.foresight.load_kwh == pytest.approx(SCENE.foresight.load_kwh)
    assert drawn.forecasts.forecasts[5].pv_kwh.p90 == pytest.approx(
        2 * SCENE.forecasts.forecasts[5].pv_kwh.p90
    )


def test_the_same_seed_draws_the_same_homes() -> None:
    one, other = (
        draw_homes(SCENE, HomeDraw(2, 2), rng=np.random.default_rng(7), days=1) for _ in range(2)
    )
    assert one.sites == other.sites
