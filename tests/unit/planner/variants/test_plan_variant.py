"""Plans with something different."""

from datetime import timedelta
from typing import Any

import pytest

from luna.contracts.plan import PlanRequest
from luna.contracts.variant import PlanVariantReply, Variant
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site
from luna.energy.timeline import Timeline
from services.planner.milp.solver import Solver
from services.planner.problem.build import build_problem
from services.planner.problem.knowledge import SitePrices
from services.planner.variants.plan_variant import change_request, describe_variant, plan_variant
from tests.support.planning.problems import START
from tests.support.planning.requests import make_request
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording

HOUR = timedelta(hours=1)
BATTERY = {
    "name": "battery",
    "capacity_kwh": 4,
    "charge_limit_kw": 2,
    "discharge_limit_kw": 2,
    "charge_efficiency": 1,
    "discharge_efficiency": 1,
}
# Four cheap hours, then eight dear ones; selling pays most in the sixth and seventh.
BOUGHT = [0.1] * 4 + [0.3] * 8
SOLD = [0.05] * 5 + [0.2] * 2 + [0.05] * 5


def inputs(**options: Any) -> PlanRequest:
    """Twelve hours of 1 kW, an hour of sun at noon, an empty battery whose energy is worth nothing
    at the end.
    """
    tariff = {"import": {"kind": "fixed", "price": 0.3}}
    site = {"batteries": [BATTERY], "pv": [{"name": "roof", "peak_kw": 4}], "tariff": tariff}
    outlook = {
        "load_kwh": 1.0,
        "pv_kwh": [0.0] * 11 + [1.0],
        "import_price": BOUGHT,
        "export_price": SOLD,
    }
    return make_request(
        site, outlook, soc=0.0, options={"terminal": {"kind": "value", "value": 0.0}} | options
    )


def ask(
    export_kwh: float | None = None, *, request: PlanRequest | None = None, **variant: Any
) -> PlanVariantReply:
    asked = request or inputs()

    def prices(site: Site) -> SitePrices:
        return SitePrices(site, Timeline(START, HOUR, 12), {})

    def counted(_: Site) -> dict[str, dict[str, float]]:
        return {"drawn_kwh": {"blocks": 3.0}, "device_use": {"car tariff": 2.0}}

    named = Variant.model_validate({"name": "other"} | variant)
    before, after, changed = plan_variant(
        asked,
        named,
        export_kwh=export_kwh,
        prices=prices,
        counted=counted,
        solver=Solver(),
    )
    return describe_variant(
        before, after, requests=(asked, changed), name=named.name, language="en"
    )


def test_nothing_different_costs_the_same() -> None:
    reply = ask()
    assert (reply.cost.total, reply.changes) == (0.0, [])
    same = wording("alternatives", "cost_same")
    assert reply.text == wording(
        "alternatives", "variant", name="other", money=same, count=0, shown=0
    )


def test_a_larger_battery_moves_more_and_begins_no_richer() -> None:
    # 3 kWh more are bought for 0.10 instead of 0.30: the seventh dear one is the last that is
    # needed, the sun serves the eighth. One more is sold for 0.20.
    assert ask(site={"batteries": {"battery": {"capacity_kwh": 8}}}).cost.total == pytest.approx(
        -3 * 0.2 - 0.1
    )


def test_what_a_site_no_longer_has_is_forgotten_and_what_it_did_is_a_change() -> None:
    pump = {
        "name": "pump",
        "power_kw": 2,
        "heat_demand_kw": 3,
        "store": {"capacity_kwh_per_k": 5, "min_c": 20, "max_c": 23},
    }
    boiler = {"name": "boiler", "power_kw": 1, "energy_kwh_per_day": 4}
    document = inputs().model_dump(mode="json", by_alias=True, exclude_unset=True)
    document["site"] |= {"heat_pumps": [pump], "loads": [boiler]}
    document["state"] |= {
        "heat_pumps": {"pump": {"temperature_c": 21}},
        "loads": {"boiler": {"off_hours": 1}},
    }
    document["outlook"]["outdoor_temperature_c"] = [7.0] * 12
    reply = ask(
        request=PlanRequest.model_validate(document),
        site={"heat_pumps": {"pump": None}, "loads": {"boiler": None}},
    )
    assert {
        change.device
        for change in reply.changes
        if change.before.mode == "on" and change.after.mode == "none"
    } == {"pump", "boiler"}


def test_without_a_battery_all_dear_hours_are_bought() -> None:
    reply = ask(site={"batteries": {"battery": None}})
    assert reply.cost.total == pytest.approx(4 * 0.2)
    assert {change.after.mode for change in reply.changes} == {"none"}


def test_another_tariff_is_planned_by_its_own_prices() -> None:
    reply = ask(
        site={"batteries": {"battery": None}, "tariff": {"import": {"kind": "fixed", "price": 0.2}}}
    )
    # 11 kWh at 0.20, instead of 8 at 0.10 and 3 at 0.30.
    assert reply.after.import_ == pytest.approx(11 * 0.2)
    assert reply.cost.import_ == pytest.approx(2.2 - 1.7)


def test_a_larger_array_yields_more_at_the_same_hour() -> None:
    reply = ask(site={"pv": {"roof": {"peak_kw": 8}}, "batteries": {"battery": None}})
    assert reply.after.export == pytest.approx(-1.0 * 0.05)


def test_what_is_sold_at_the_price_peak_is_bought_for_the_house() -> None:
    reply = ask(1.0)
    # 1 kWh sold for 0.20 in the first of the two best hours; so much less is there for the house,
    # which buys it for 0.30.
    assert reply.cost.export == pytest.approx(-0.2)
    assert reply.cost.total == pytest.approx(0.3 - 0.2)
    assert reply.changes[0].start == START + 5 * HOUR


def test_a_new_car_is_scheduled_by_its_habit() -> None:
    car = {"capacity_kwh": 40, "min_charge_kw": 0, "charge_limit_kw": 4, "charge_efficiency": 1}
    habit = {"from": "18:00", "to": "07:00", "energy_kwh_per_day": 4}
    reply = ask(site={"vehicles": {"car": car}}, habits={"car": habit}, request=inputs(mip_gap=0.0))
    assert sum(
        change.after.energy_kwh for change in reply.changes if change.device == "car"
    ) == pytest.approx(4.0)
    assert reply.cost.total == pytest.approx(0.4)


@each_row(
    ("question", "export_kwh", "field"),
    [
        pytest.param({"margin": 0.1}, None, "variant.margin", id="a margin is none of a plan's"),
        pytest.param(
            {"site": {"batteries": {"shed": {"capacity_kwh": 5}}}},
            None,
            "variant.site.batteries.1.charge_limit_kw",
            id="half a battery",
        ),
        pytest.param(
            {"habits": {"bus": {"from": "18:00", "to": "07:00", "energy_kwh_per_day": 4}}},
            None,
            "variant.habits.bus",
            id="habit of no vehicle",
        ),
        pytest.param({}, 100.0, "export_kwh", id="more than can be sold"),
        pytest.param(
            {"site": {"batteries": {"battery": {"discharge_to_grid": False}}}},
            1.0,
            "export_kwh",
            id="may not sell",
        ),
    ],
)
def test_what_does_not_fit_the_plan_is_refused(
    question: dict[str, Any], export_kwh: float | None, field: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        ask(export_kwh, **question)
    assert refused.value.field == field
    assert refused.value.remedy


def test_a_tariff_that_counts_begins_with_what_was_drawn_before_the_plan() -> None:
    blocks = [{"up_to_kwh": 8, "price": 0.1}, {"price": 0.4}]
    tariff = {"import": {"kind": "blocks", "blocks": blocks}}
    reply = ask(site={"batteries": [], "tariff": tariff})
    # Of the eleven kWh five are left in the first block.
    assert reply.after.import_ == pytest.approx(5 * 0.1 + 6 * 0.4)


def test_a_car_tariff_begins_with_the_hours_drawn_before_the_plan() -> None:
    own = {"name": "car tariff", "devices": "vehicles", "hours_per_day": 3, "price": -0.1}
    variant = Variant.model_validate({"name": "other", "site": {"tariff": {"devices": [own]}}})
    changed = change_request(
        inputs(),
        variant,
        prices=lambda site: SitePrices(site, Timeline(START, HOUR, 12), {}),
        counted=lambda _: {"device_use": {"car tariff": 2.0}},
    )
    (charge,) = build_problem(changed).tariff.device_charges
    assert (charge.used, charge.limit) == (2.0, 3.0)
