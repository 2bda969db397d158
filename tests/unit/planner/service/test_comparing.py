"""Why a plan differs from the one before: each input that is other, and the modes that it
changed.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from luna.contracts.plan_questions import PlanChangesReply
from luna.energy.errors import InvalidInputError
from luna.words.differences import MovedRun
from services.planner.devices.expected import IssuedPlan
from services.planner.milp.solver import Solver
from services.planner.service.plan_diff import compare_plans, find_moved_run
from tests.support.planning.requests import answer, make_request, value_rest
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording, wording_pattern

START = datetime(2024, 2, 1, 18, tzinfo=UTC)
HOURS = 12
HOUR = timedelta(hours=1)
# Night between an evening and a morning that are dear.
PRICES = [0.40, 0.42, 0.38, 0.30, 0.15, 0.14, 0.15, 0.16, 0.20, 0.30, 0.45, 0.40, 0.30, 0.30]
SITE = {
    "timezone": "Europe/Berlin",
    "batteries": [{"capacity_kwh": 6, "charge_limit_kw": 3, "discharge_limit_kw": 3}],
}


def issue(
    later: int = 0,
    *,
    soc: float = 0.5,
    mode: str | None = None,
    prices: list[float] | None = None,
    site: dict[str, Any] | None = None,
    **outlook: Any,
) -> IssuedPlan:
    """A plan issued so many hours after the first."""
    prices = prices or PRICES
    series = {"load_kwh": 0.6, "import_price": prices[later:][:HOURS]} | outlook
    state = (site or {}).get("state", {"batteries": {"battery": {"soc": soc, "mode": mode}}})
    own = {name: value for name, value in (site or {}).items() if name != "state"}
    request = make_request(
        SITE | own,
        series,
        start=START + later * HOUR,
        state=state,
        options=value_rest(0.1, language="en"),
    )
    return IssuedPlan(request, answer(request))


def compare(earlier: IssuedPlan, later: IssuedPlan, language: Any = "en") -> PlanChangesReply:
    return compare_plans(earlier, later, solver=Solver(), language=language)


def expected_soc(plan: IssuedPlan, hours: int) -> float:
    return plan.reply.slots[hours - 1].batteries["battery"].soc_end


def test_an_hour_later_with_nothing_new_nothing_is_said_to_be_other() -> None:
    first = issue()
    told = compare(
        first, issue(1, soc=expected_soc(first, 1), mode=first.reply.setpoints["battery"].mode[0])
    )
    assert told.slots == HOURS - 1
    assert told.causes == []


def test_prices_that_become_known_are_named_with_what_they_change_and_cost() -> None:
    first = issue()
    # The morning will be cheap, the night dear.
    second = issue(1, soc=expected_soc(first, 1), prices=PRICES[:4] + [0.4] * 5 + [0.1] * 5)
    told = compare(first, second)
    [cause] = [each for each in told.causes if each.code == "prices"]
    assert cause.modes == sum(change.cause == "prices" for change in told.changes) > 0
    assert {change.device for change in told.changes} == {"battery"}
    mean = sum(second.outlook.import_price[: HOURS - 1]) / (HOURS - 1) - sum(PRICES[1:HOURS]) / (
        HOURS - 1
    )
    assert cause.figures["higher"] == pytest.approx(mean, abs=1e-6)
    slots = len({change.start for change in told.changes if change.cause == "prices"})
    assert wording("differences", "effect_modes", modes=slots, count=slots) in cause.text


def test_every_input_that_is_other_has_its_share_and_shares_add_up() -> None:
    first = issue()
    second = issue(1, soc=0.1, load_kwh=[1.5] * HOURS, pv_kwh=[0.0] * 9 + [2.0] * 3)
    told = compare(first, second)
    assert [cause.code for cause in told.causes if cause.code != "horizon"] == ["load", "pv", "soc"]
    assert sum(cause.modes for cause in told.causes) == len(told.changes)
    texts = {cause.code: cause.text.replace("\u00a0", " ") for cause in told.causes}
    # 0.9 kWh more in each of eleven hours; two kWh of sun in the last two that both plans cover.
    assert texts["load"].startswith(wording("differences", "cause_load_higher", kwh="9.9 kWh"))
    assert texts["pv"].startswith(wording("differences", "cause_pv_higher", kwh="4.0 kWh"))
    assert wording_pattern("differences", "cause_soc_lower").match(texts["soc"])
    assert next(cause for cause in told.causes if cause.code == "load").cost > 0


def test_a_plan_by_the_earlier_inputs_is_the_earlier_plan() -> None:
    first = issue()
    told = compare(first, issue(soc=0.9))
    # In the same window nothing remains that the inputs do not explain.
    assert "horizon" not in {change.cause for change in told.changes}


def test_another_battery_and_a_car_that_comes_are_named() -> None:
    car = {"vehicles": [{"capacity_kwh": 40, "charge_efficiency": 1.0}]}
    session = {"from": START.isoformat(), "to": (START + 10 * HOUR).isoformat(), "target_soc": 0.7}
    batteries = {"batteries": {"battery": {"soc": 0.5}}}
    away = issue(
        site=car | {"state": batteries | {"vehicles": {"car": {"soc": 0.5, "sessions": []}}}}
    )
    home = issue(
        site=car | {"state": batteries | {"vehicles": {"car": {"soc": 0.5, "sessions": [session]}}}}
    )
    told = compare(away, home)
    assert [cause.code for cause in told.causes] == ["vehicles"]
    larger = issue(site={"batteries": [SITE["batteries"][0] | {"capacity_kwh": 9}]})  # type: ignore[index]
    assert [cause.code for cause in compare(issue(), larger).causes] == ["site"]


def test_it_is_said_in_german_as_well() -> None:
    told = compare(issue(), issue(load_kwh=[1.5] * HOURS), language="de")
    said = wording("differences", "cause_load_higher", "de", kwh="10,8\u00a0kWh")
    assert told.causes[0].text.startswith(said)


def test_plans_without_a_slot_in_common_are_not_compared() -> None:
    with pytest.raises(InvalidInputError) as refused:
        compare(issue(1), issue())
    assert (refused.value.field, refused.value.reason) == ("before_id", "plans-apart")


@each_row(
    ("was", "now", "minutes"),
    [
        ("..EEE...", "...EEE..", 15),
        ("EE......", "....EE..", 60),
        ("....EE..", "..EE....", -30),
        ("..EEE...", "...EE...", None),
        ("EE..EE..", ".EE..EE.", None),
    ],
    ids=["overlapping", "apart", "earlier", "shorter", "two runs"],
)
def test_a_run_that_moves_as_a_whole_is_found(was: str, now: str, minutes: int | None) -> None:
    before, after = (
        {(slot, "battery"): "export" if sign == "E" else "hold" for slot, sign in enumerate(signs)}
        for signs in (was, now)
    )
    changed = [place for place in before if before[place] != after[place]]
    moved = find_moved_run(before, after, changed, 15)
    assert moved == (None if minutes is None else MovedRun("battery", "export", minutes))
