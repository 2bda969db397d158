"""The benches' homes and their best known plans."""

import numpy as np
import pytest

from bench.home_cases import VARIANTS, generate_homes
from bench.homes import (
    STOP_AT,
    HomePlan,
    compare_with_best,
    express_for_emhass,
    needed_kwh,
    read_best,
)
from luna.contracts.plan import PlanRequest
from tests.support.suite.tables import each_row


@each_row("variant", VARIANTS)
def test_every_home_is_a_valid_request_with_a_best_known_plan(variant: str) -> None:
    homes = generate_homes(variant)
    assert len(homes) == 20
    for document in homes.values():
        PlanRequest.model_validate(document)
    assert read_best()[variant].keys() == homes.keys()


def test_days_are_sunny_mixed_and_dark() -> None:
    pv_kwh = np.array([each["outlook"]["pv_kwh"] for each in generate_homes("energy").values()])
    by_day = pv_kwh.reshape(40, 96).sum(axis=1)
    # A clear sky would bring 67 kWh.
    assert (by_day < 20).sum() >= 5
    assert ((by_day > 20) & (by_day < 40)).sum() >= 5
    assert (by_day > 40).sum() >= 5


def test_the_variants_differ_in_what_they_are_named_for_alone() -> None:
    energy, peak, pump = (generate_homes(variant)["home_03"] for variant in VARIANTS)
    assert peak["site"]["tariff"].keys() - energy["site"]["tariff"].keys() == {"peak"}
    assert pump["site"].keys() - energy["site"].keys() == {"heat_pumps"}
    for other in (peak, pump):
        assert other["outlook"]["pv_kwh"] == energy["outlook"]["pv_kwh"]
        assert other["state"]["vehicles"] == energy["state"]["vehicles"]


def test_a_plan_above_the_best_known_and_a_bound_above_it_are_counted() -> None:
    best = {"near": HomePlan(2.0, 2.0), "far": HomePlan(2.0, 2.0), "wrong": HomePlan(2.0, 2.0)}
    allowed = STOP_AT.allow(2.0)
    plans = {
        "near": HomePlan(2.0 + 0.9 * allowed, 2.0),
        "far": HomePlan(2.0 + 3 * allowed, 1.9),
        "wrong": HomePlan(2.0 + 0.5 * allowed, 2.002),
        "new": HomePlan(5.0, 4.99),
    }
    found = compare_with_best(plans, best)
    assert (found["homes"], found["known"]) == (4, 3)
    assert (found["beyond_allowed"], found["bounds_above_best"]) == (1, 1)
    assert found["unproven"] == 1
    assert found["largest_above_best"] == pytest.approx(3 * allowed)
    assert found["largest_gap_cost"] == pytest.approx(3 * allowed + 0.1)


def test_a_home_for_emhass_lacks_what_it_cannot_express_and_needs_the_same_energy() -> None:
    whole = generate_homes("energy")["home_03"]
    expressed = express_for_emhass(whole)
    (car,) = expressed["site"]["vehicles"]
    assert not car.keys() & {"charger", "start_price", "min_run_minutes"}
    assert "comfort" not in expressed["site"]["loads"][0]
    PlanRequest.model_validate(expressed)
    # The car gains 60 % of 60 kWh with its losses of a tenth, the heater takes 6 kWh on two days.
    assert needed_kwh(expressed) == needed_kwh(whole) == pytest.approx(0.6 * 60 / 0.9 + 12)
