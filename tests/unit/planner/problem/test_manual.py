from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import PlanReply, PlanRequest
from luna.energy.errors import InvalidInputError
from luna.energy.refusals import REASONS
from services.planner.dp.plan import objective
from services.planner.milp.planner import plan_by_model
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.owner_constraints import read_blocks
from services.planner.problem.problem import Problem
from services.planner.reply.devices import missed_blocks
from tests.support.planning.problems import START, draw_problem, settle_cost
from tests.support.planning.requests import answer, make_request
from tests.support.reference_model.model import solve_reference
from tests.support.suite.depth import draws
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording

HOUR = timedelta(hours=1)
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5, "wear_price": 0.01}
SITE = {"timezone": "Europe/Berlin", "batteries": [BATTERY]}
CAR = {"name": "car", "capacity_kwh": 40, "charge_limit_kw": 11}
HEATER = {"name": "heater", "power_kw": 3, "energy_kwh_per_day": 6}
# Cheap until six, dear from eighteen on: left alone the battery fills by six and serves the
# evening.
PRICES = [0.1] * 6 + [0.3] * 12 + [0.4] * 6


def block(device: str, action: str, first: float, last: float, **more: Any) -> dict[str, Any]:
    return {
        "device": device,
        "action": action,
        "from": (START + first * HOUR).isoformat(),
        "to": (START + last * HOUR).isoformat(),
        **more,
    }


def describe(
    *blocks: dict[str, Any], site: dict[str, Any] | None = None, load_kwh: float = 0.5, **state: Any
) -> PlanRequest:
    return make_request(
        SITE | (site or {}),
        {"load_kwh": load_kwh, "import_price": PRICES},
        state=state,
        manual=list(blocks),
    )


def plan(*blocks: dict[str, Any], **more: Any) -> PlanReply:
    return answer(describe(*blocks, **more))


def charged(reply: PlanReply) -> list[float]:
    return [slot.batteries["battery"].charge_kwh for slot in reply.slots]


def discharged(reply: PlanReply) -> list[float]:
    return [slot.batteries["battery"].discharge_kwh for slot in reply.slots]


def bind(problem: Problem, block: ManualBlock) -> Problem:
    manual, _ = read_blocks([block], problem.site, (), problem.outlook.timeline)
    return replace(problem, manual=manual, limits=manual.narrow(problem.limits))


def draw_bound(seed: int, *actions: str) -> tuple[Problem, ManualBlock]:
    """A problem of one or two batteries, and a block on one of them or on the connection."""
    rng = np.random.default_rng(seed)
    problem = draw_problem(rng, batteries=1 + seed % 2, slots=24)
    first, last = sorted(rng.choice(24, 2, replace=False).tolist())
    action = str(rng.choice(actions))
    device = {"no_import": "grid", "no_export": "grid"}.get(
        action, str(rng.choice([battery.name for battery in problem.site.batteries]))
    )
    timeline = problem.outlook.timeline
    document = {
        "device": device,
        "action": action,
        "from": timeline.start + first * timeline.step,
        "to": timeline.start + last * timeline.step,
    }
    wanted = ManualBlock.model_validate(document)
    return bind(problem, wanted), wanted


@each_row("seed", range(draws(40)))
def test_value_of_energy_and_model_agree_on_what_is_forbidden(seed: int) -> None:
    problem, _ = draw_bound(seed, "no_charge", "no_discharge", "hold", "no_import", "no_export")
    assert settle_cost(make_plan(problem, Solver())) == pytest.approx(
        settle_cost(plan_by_model(problem, Solver())), rel=1e-6, abs=1e-6, nan_ok=True
    )


# The way to CBC from the next major version on needs another package
@pytest.mark.filterwarnings("ignore:PULP_CBC_CMD")
@each_row("seed", range(draws(24)))
def test_plan_around_blocks_costs_what_the_reference_model_costs(seed: int) -> None:
    problem, wanted = draw_bound(seed, "charge", "discharge", "hold", "no_import", "no_export")
    made = make_plan(problem, Solver())
    missed = [
        each
        for each in missed_blocks(made, [wanted])
        if each.code not in {"manual_full", "manual_empty"}
    ]
    assert (float("nan") if missed else settle_cost(made)) == pytest.approx(
        solve_reference(problem), rel=1e-4, abs=1e-4, nan_ok=True
    )


@pytest.mark.parametrize(
    ("changed", "field"), [({"to": START}, "to"), ({"action": "hold", "power_kw": 2}, "power_kw")]
)
def test_block_that_contradicts_itself_is_refused_by_the_field_that_does(
    changed: dict[str, Any], field: str
) -> None:
    block = {
        "device": "battery",
        "action": "charge",
        "from": START,
        "to": START + timedelta(hours=1),
    }
    with pytest.raises(ValidationError) as refused:
        ManualBlock.model_validate(block | changed)
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


def test_pinned_charge_has_its_power_and_its_cost() -> None:
    # Left alone the battery buys 5.26 kWh at 0.1; three of them at 0.3 instead cost 0.6 more.
    reply = plan(block("battery", "no_charge", 0, 6), block("battery", "charge", 8, 9, power_kw=3))
    assert charged(reply)[:10] == pytest.approx([0.0] * 8 + [3.0, 0.0])
    assert [slot.mode for slot in reply.slots[8:9]] == ["charge"]
    assert reply.setpoints["battery"].power_kw[8] == 3.0
    assert reply.manual is not None
    assert reply.manual.cost > 0.5


def test_cost_is_what_leaving_the_block_out_would_save() -> None:
    # 2 × 0.5 kWh are bought at 0.3 and 0.4 instead of coming out of the battery; what stays in it
    # is worth more later on.
    with_block = plan(block("battery", "no_discharge", 17, 19))
    without = plan()
    terminal = 0.6 * np.mean(PRICES) * 10
    worth = [
        reply.cost.total - terminal * reply.slots[-1].batteries["battery"].soc_end
        for reply in (with_block, without)
    ]
    assert with_block.manual is not None
    assert with_block.manual.cost == pytest.approx(worth[0] - worth[1], abs=1e-6)
    assert discharged(with_block)[17:19] == [0.0, 0.0]
    assert without.manual is None


def test_battery_rests_while_it_is_to_hold() -> None:
    reply = plan(block("battery", "hold", 0, 24))
    assert charged(reply) + discharged(reply) == [0.0] * 48


def test_pinned_discharge_ends_at_the_reserve() -> None:
    # 5 kWh stored, 4.75 at the terminals; the third hour finds it empty.
    reply = plan(block("battery", "discharge", 0, 3, power_kw=3))
    assert discharged(reply)[:3] == pytest.approx([3.0, 1.75, 0.0])
    assert [each.cost for each in reply.compromises] == [0.0]
    assert reply.compromises[0].code == "manual_empty"


def test_full_battery_is_a_compromise_and_no_refusal() -> None:
    reply = plan(block("battery", "charge", 0, 3), batteries={"battery": {"soc": 1.0}})
    assert (reply.status, len(reply.slots)) == ("compromised", 24)
    assert reply.compromises[0].code == "manual_full"


def test_nothing_is_imported_while_that_is_forbidden() -> None:
    reply = plan(block("grid", "no_import", 10, 14))
    assert [slot.import_kwh for slot in reply.slots[10:14]] == [0.0] * 4
    assert {slot.mode for slot in reply.slots[10:14]} <= {"self_consumption", "supply"}


def test_island_that_runs_dry_says_what_it_imports() -> None:
    # 24 hours of 0.5 kWh from 5 kWh stored: 7.25 kWh are missing.
    reply = plan(block("grid", "no_import", 0, 24))
    assert reply.status == "compromised"
    assert sum(slot.import_kwh for slot in reply.slots) == pytest.approx(7.25, abs=1e-4)
    missed = [
        (each.code, each.figures["name"], each.figures["action"], each.shortfall)
        for each in reply.compromises
    ]
    assert ("manual", "grid", "no_import", "7.250 kWh difference") in missed


def test_appliance_is_on_when_it_is_pinned_and_off_when_it_is_forbidden() -> None:
    reply = plan(
        block("heater", "on", 13, 14), block("heater", "off", 0, 6), site={"loads": [HEATER]}
    )
    on = [slot.loads["heater"].on for slot in reply.slots]
    assert (on[13], sum(on[:6])) == (True, 0)


def test_heat_pump_rests_and_runs_as_it_is_told() -> None:
    store = {
        "capacity_kwh_per_k": 5,
        "min_c": 20,
        "max_c": 23,
        "loss_kw_per_k": 0.2,
        "surroundings_c": 0,
    }
    pump = {"name": "pump", "power_kw": 3, "cop": [{"outdoor_c": 0, "cop": 3}], "store": store}
    reply = plan(
        block("pump", "off", 0, 2),
        block("pump", "on", 8, 9),
        site={"heat_pumps": [pump]},
        heat_pumps={"pump": {"temperature_c": 22}},
    )
    used = [slot.heat_pumps["pump"].energy_kwh for slot in reply.slots]
    assert used[:2] == [0.0] * 2
    assert used[8] == pytest.approx(3.0)
    assert reply.slots[8].manual == ["pump"]


def test_appliance_that_has_to_run_on_is_switched_off_as_soon_as_it_may() -> None:
    # It has been on for one of the two hours that it runs at least: the first hour of the block is
    # missed, 3 kWh.
    running = {"heater": {"on_hours": 1.0}}
    reply = plan(
        block("heater", "off", 0, 6),
        site={"loads": [HEATER | {"min_on_minutes": 120}]},
        loads=running,
    )
    assert [slot.loads["heater"].on for slot in reply.slots[:6]] == [True] + [False] * 5
    missed = [
        (each.code, each.figures["name"], each.figures["action"], each.shortfall)
        for each in reply.compromises
    ]
    assert missed == [("manual", "heater", "off", "3.000 kWh difference")]


def test_programme_is_not_told_on_or_off() -> None:
    washer = {"name": "washer", "power_kw": 2, "profile_kw": [2, 1], "profile_minutes": 60}
    with pytest.raises(InvalidInputError, match="runs a programme"):
        plan(block("washer", "off", 0, 6), site={"loads": [washer]})


def test_car_charges_now_or_not_before_an_hour() -> None:
    session = {
        "car": {
            "soc": 0.5,
            "sessions": [
                {
                    "from": START.isoformat(),
                    "to": (START + 12 * HOUR).isoformat(),
                    "target_soc": 0.8,
                }
            ],
        }
    }
    now = plan(block("car", "charge", 0, 1, power_kw=5), site={"vehicles": [CAR]}, vehicles=session)
    later = plan(block("car", "no_charge", 0, 4), site={"vehicles": [CAR]}, vehicles=session)
    never = plan(block("car", "no_charge", 0, 24), site={"vehicles": [CAR]}, vehicles=session)
    assert now.slots[0].vehicles["car"].charge_kwh == pytest.approx(5.0)
    assert [slot.vehicles["car"].charge_kwh for slot in later.slots[:4]] == [0.0] * 4
    assert sum(slot.vehicles["car"].charge_kwh for slot in later.slots) == pytest.approx(
        12 / 0.9, rel=1e-4
    )
    missed = never.compromises[0]
    assert (missed.code, missed.figures["name"], missed.figures["wanted"]) == (
        "vehicle",
        "car",
        0.8,
    )


def test_slots_under_a_block_say_so_and_keep_their_evidence() -> None:
    reply = plan(block("battery", "no_discharge", 17, 19))
    codes = [slot.reason.code for slot in reply.slots]
    assert [slot for slot, code in enumerate(codes) if code == "manual"] == [17, 18]
    assert [slot.manual for slot in reply.slots[16:20]] == [[], ["battery"], ["battery"], []]
    # 19 hours after midnight UTC, by the clock of Berlin.
    assert reply.slots[17].reason.text == wording(
        "battery_reasons", "reason_manual_1", time="20:00"
    )
    assert reply.slots[17].reason.energy_value is not None


def test_part_of_a_slot_is_pinned_for_that_part() -> None:
    reply = plan(
        block("battery", "no_charge", 0, 8), block("battery", "charge", 8.5, 9, power_kw=4)
    )
    assert charged(reply)[8] == pytest.approx(2.0)


@each_row(
    ("blocks", "field", "reason"),
    [
        ([block("battery", "charge", 2, 4, power_kw=7)], "manual.0.power_kw", "power-beyond"),
        ([block("boiler", "on", 2, 4)], "manual.0.device", "no-such-device"),
        ([block("battery", "on", 2, 4)], "manual.0.action", "no-such-mode"),
        ([block("battery", "charge", -4, -2)], "manual.0.to", "time-passed"),
        ([block("battery", "hold", 0, 15 * 24)], "manual.0.to", "block-too-long"),
        (
            [block("battery", "charge", 2, 4), block("battery", "hold", 3, 5)],
            "manual",
            "block-contradicts",
        ),
        (
            [
                block("battery", "charge", 2, 4, power_kw=2),
                block("battery", "charge", 3, 5, power_kw=3),
            ],
            "manual",
            "block-contradicts",
        ),
        ([block("car", "charge", 2, 4)], "manual.0", "block-impossible"),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_reason(
    blocks: list[dict[str, Any]], field: str, reason: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        plan(*blocks, site={"vehicles": [CAR]})
    assert (refused.value.field, refused.value.reason) == (field, reason)


def test_stored_block_that_cannot_be_had_any_more_is_said_and_not_refused() -> None:
    reply = plan(
        block("car", "charge", 2, 4, block_id=7),
        block("battery", "charge", 2, 4, power_kw=7, block_id=8),
        site={"vehicles": [CAR]},
    )
    assert reply.manual is not None
    assert [(each.applied, each.why) for each in reply.manual.blocks] == [
        (False, "car is not at its charger then"),
        (False, str(REASONS["power-beyond"].message).format(device="battery")),
    ]
    assert reply.manual.cost == 0.0


def test_blocks_beyond_the_horizon_change_nothing() -> None:
    later = datetime.fromisoformat(block("battery", "charge", 30, 32)["from"])
    assert later > START + 24 * HOUR
    assert charged(plan(block("battery", "charge", 30, 32))) == charged(plan())


def test_plan_with_pins_is_worth_no_more_than_the_plan_without() -> None:
    problem, _ = draw_bound(4, "charge")
    assert (
        objective(make_plan(problem, Solver()))
        >= objective(make_plan(replace(problem, manual=None), Solver())) - 1e-6
    )
