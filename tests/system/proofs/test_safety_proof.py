"""What is claimed of the safety layer, proven over the real numbers: z3 finds no state, set-point,
load, PV or limits against it.

The model is the code: ``clamp`` and ``settle`` run on unknowns (``terms.py``). The claims in plain
words stand in ``claims.py``, what they rest on in ``unknowns.list_assumptions``. A proof that does
not end within its work fails, and names its claim.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import z3

from luna.energy.physics.mode import Curtailment, Mode, SetPoint
from luna.energy.physics.safety import clamp
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row
from tests.system.proofs.claims import (
    Inputs,
    Slot,
    battery_and_meter_run_one_way,
    charging_starts_at_its_least_power,
    contracts_hold,
    energy_is_conserved,
    excess_is_no_more_than_at_rest,
    excess_is_what_passes_the_limits,
    only_its_mode_trades_with_the_grid,
    power_sessions_within_its_limits,
    pv_gives_what_it_has,
    pv_is_held_back_as_told,
    stored_energy_sessions_within_its_limits,
)
from tests.system.proofs.numbers import draw_numbers, put_numbers
from tests.system.proofs.proving import Proof, find_proof
from tests.system.proofs.reals import Reals, follow_all_ways
from tests.system.proofs.terms import name_unknowns
from tests.system.proofs.unknowns import Situation, all_of, describe_slot, list_assumptions

ONE = Situation(1)
SITUATIONS = {
    "one battery": ONE,
    "one battery, PV without limit": Situation(1, limits_pv=False),
    "two batteries": Situation(2, limits_pv=False),
    "two batteries without least power": Situation(2, least_power=False),
    "three batteries without least power": Situation(3, least_power=False),
    "behind an inverter": Situation(1, inverters=True),
    "behind an inverter without least power": Situation(1, inverters=True, least_power=False),
}
# A short run proves each part of the layer once: what limits PV, several batteries with a least
# power, an inverter.
SHORT = (
    "one battery",
    "one battery, PV without limit",
    "two batteries",
    "behind an inverter without least power",
)
PROVEN = SITUATIONS if LONG else {name: SITUATIONS[name] for name in SHORT}
SITES = 140_000 if LONG else 20_000
BATCH = 5_000


@pytest.fixture(scope="module", params=PROVEN.values(), ids=PROVEN.keys())
def proof(request: pytest.FixtureRequest) -> Proof:
    return find_proof(request.param)


def test_nothing_that_is_asked_breaks_a_claim(proof: Proof) -> None:
    assert proof.list_unproven() == []


def test_the_model_is_the_code_on_random_slots(proof: Proof) -> None:
    # in a long run 7 kinds of sites, 980,000 slots
    for seed in range(SITES // BATCH):
        numbers = draw_numbers(proof.given, BATCH, np.random.default_rng(seed))
        flows = Slot.of(put_numbers(proof.given, numbers)).flows
        ways, predicted = proof.predict_flows(numbers)
        assert (ways == 1).all()
        for name, expected in predicted.items():
            np.testing.assert_array_equal(
                np.atleast_2d(getattr(flows, name)), expected, err_msg=name
            )


# ---- the safety layer alone ----------------------------------------------------------------------


def describe_one(level: float | None = None) -> Inputs:
    """Return a slot of one battery in which every level asked for is the same number, or
    unknown.
    """
    given = describe_slot(ONE)
    shapes = {"pv_limit_kw": (1,)} | dict.fromkeys(
        ("power_kw", "target_soc", "floor_soc", "ceiling_soc", "spill_soc"), ONE.shape
    )
    return (
        given
        if level is None
        else replace(
            given,
            asked=replace(
                given.asked, **{name: np.full(shape, level) for name, shape in shapes.items()}
            ),
        )
    )


def is_safe(safe: SetPoint, given: Inputs) -> list[Any]:
    limits = given.limits
    battery = given.limits.batteries
    levels = (safe.target_soc, safe.floor_soc, safe.ceiling_soc, safe.spill_soc)
    most_kw = np.where(
        safe.mode == Mode.CHARGE, battery.charge_limit_kw, battery.discharge_limit_kw
    )
    return [
        *((battery.min_soc <= level) & (level <= battery.max_soc) for level in levels),
        (safe.mode >= 0)
        & (safe.mode <= max(Mode))
        & ((safe.mode < Mode.CHARGE) | (safe.power_kw <= most_kw))
        & (safe.power_kw >= 0.0),
        ((safe.mode == Mode.CHARGE) <= battery.charge_from_grid)
        & ((safe.mode == Mode.EXPORT) <= battery.discharge_to_grid),
        (safe.curtailment >= 0)
        & (safe.curtailment <= np.where(limits.curtailable, max(Curtailment), 0))
        & (safe.pv_limit_kw >= 0.0),
    ]


@each_row(
    "level",
    [None, np.nan, np.inf, -np.inf],
    ids=["any number", "unknown", "endless", "endless below"],
)
def test_the_safety_layer_returns_only_what_is_safe_and_changes_nothing_the_second_time(
    level: float | None,
) -> None:
    given = describe_one(level)

    def run() -> tuple[SetPoint, SetPoint]:
        once = clamp(given.asked, given.stored_kwh, given.limits)
        return once, clamp(once, given.stored_kwh, given.limits)

    for holding, (once, twice) in follow_all_ways(run, list_assumptions(given), reals := Reals()):
        unchanged = [
            getattr(once, field.name) == getattr(twice, field.name) for field in fields(SetPoint)
        ]
        assert reals.ask(
            [*holding, z3.Not(all_of([*unchanged, *is_safe(once, given)]))]
        ).is_impossible


@pytest.mark.parametrize("stored_kwh", [np.nan, np.inf, -np.inf])
def test_a_battery_of_unknown_charge_moves_nothing_whatever_is_asked(stored_kwh: float) -> None:
    given = replace(describe_slot(ONE), stored_kwh=np.array([[stored_kwh]]))
    for holding, slot in follow_all_ways(
        lambda: Slot.of(given), list_assumptions(given), reals := Reals()
    ):
        still = [
            slot.flows.charge_kwh == 0.0,
            slot.flows.discharge_kwh == 0.0,
            slot.safe.mode == Mode.HOLD,
        ]
        meter = [
            *pv_gives_what_it_has(slot),
            *excess_is_what_passes_the_limits(slot),
            *excess_is_no_more_than_at_rest(slot),
            energy_is_conserved(slot)[0],
        ]
        assert reals.ask([*holding, z3.Not(all_of([*still, *meter]))]).is_impossible


# ---- the proofs themselves -----------------------------------------------------------------------


def tell_wrong(**fields_of_batteries: Any) -> Callable[[Slot], Slot]:
    """Return what makes of a slot one whose batteries are said to be others."""

    def change(slot: Slot) -> Slot:
        limits = slot.given.limits
        return replace(
            slot,
            given=replace(
                slot.given,
                limits=replace(limits, batteries=replace(limits.batteries, **fields_of_batteries)),
            ),
        )

    return change


OTHER = name_unknowns("other", ONE.shape)
NEVER = np.zeros(ONE.shape, dtype=bool)


@each_row(
    ("claim", "change"),
    [
        (stored_energy_sessions_within_its_limits, tell_wrong(max_soc=OTHER)),
        (power_sessions_within_its_limits, tell_wrong(discharge_limit_kw=OTHER)),
        (charging_starts_at_its_least_power, tell_wrong(min_charge_kw=OTHER)),
        (
            battery_and_meter_run_one_way,
            lambda slot: replace(
                slot, flows=replace(slot.flows, discharge_kwh=slot.flows.charge_kwh)
            ),
        ),
        (energy_is_conserved, tell_wrong(charge_efficiency=OTHER)),
        (
            pv_gives_what_it_has,
            lambda slot: replace(slot, given=replace(slot.given, pv_kwh=0.5 * slot.given.pv_kwh)),
        ),
        (
            pv_is_held_back_as_told,
            lambda slot: replace(
                slot, safe=replace(slot.safe, curtailment=np.array([Curtailment.ALL]))
            ),
        ),
        (
            excess_is_what_passes_the_limits,
            lambda slot: replace(slot, given=replace(slot.given, hours=0.5 * slot.given.hours)),
        ),
        (contracts_hold, tell_wrong(charge_from_grid=NEVER)),
        (
            only_its_mode_trades_with_the_grid,
            lambda slot: replace(slot, safe=replace(slot.safe, power_kw=0.5 * slot.safe.power_kw)),
        ),
        (
            excess_is_no_more_than_at_rest,
            lambda slot: replace(
                slot, given=replace(slot.given, load_kwh=0.5 * slot.given.load_kwh)
            ),
        ),
    ],
    ids=lambda part: getattr(part, "__name__", "wrong"),
)
def test_a_claim_that_is_false_finds_its_counterexample(
    claim: Callable[[Slot], list[Any]], change: Callable[[Slot], Slot]
) -> None:
    ways = find_proof(SITUATIONS["one battery, PV without limit"]).ways
    answers = [way.find_counterexample(all_of(claim(change(way.slot)))) for way in ways]
    assert any(answer.example is not None for answer in answers)
