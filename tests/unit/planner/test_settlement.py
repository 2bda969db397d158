"""The compiled settlement of one battery is what physics does, bit by bit; ``LUNA_RECORD=1`` records it anew."""

import re
from collections import Counter
from dataclasses import astuple, fields, replace
from typing import Any

import numpy as np
import pytest

from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import SlotActuals, simulate_slot
from services.agent.environment.array_compiler import _WRITTEN, Recorded, _keep_used, _Tape, _write
from services.planner.dp import settlement_loop
from services.planner.dp.plan import list_inputs, settle
from tests.support.recordings.comparison import hold

SLOTS = 400
WIDTH = 120
HEAD = '''\
# fmt: off
# mypy: ignore-errors
"""What physics does with one battery in each slot, recorded by tests/unit/planner/test_settlement.py: not to be changed by hand."""

from numpy import inf

from luna.energy.timeline import FloatArray
from services.planner.loops import loop, loop_part


@loop_part
def least(one: float, other: float) -> float:
    return one if (one < other) | (one != one) else other


@loop_part
def most(one: float, other: float) -> float:
    return one if (one > other) | (one != one) else other


@loop_part
def choose(where: bool, one: float, other: float) -> float:
    return one if where else other


@loop
def settle_slots(inputs: FloatArray, made: FloatArray) -> None:
    for i in range(inputs.shape[1]):
'''
# Each choice in a function of its own is compiled in half the time.
WRITTEN = _WRITTEN | {np.minimum: "least({0}, {1})", np.maximum: "most({0}, {1})", np.where: "choose({0}, {1}, {2})"}


def draw(rng: np.random.Generator) -> tuple[SetPoint, np.ndarray[Any, np.dtype[np.float64]], SlotActuals, SiteLimits]:
    """Return slots in which everything happens: full and empty batteries, filled connections, numbers that are none, modes that there are not."""

    def pick(*values: float) -> np.ndarray[Any, np.dtype[np.float64]]:
        return rng.choice(values, (1, SLOTS))

    battery = BatteryLimits(
        *(np.array([[value]]) for value in (10.0, 0.1, 0.9, 5.0, 4.0, 0.95, 0.93, 0.0, 0.8, 0.4)), np.array([[True]]), rng.random((1, SLOTS)) < 0.8
    )
    told = SetPoint(
        rng.integers(-1, 7, (1, SLOTS)).astype(np.int8),
        *(pick(*levels) for levels in ((np.nan, np.inf, 0.0, 2.0), *[(np.nan, np.inf, -np.inf, 0.0, 0.3, 0.5, 0.8)] * 4)),
        rng.integers(-1, 4, SLOTS).astype(np.int8),
        rng.choice([np.nan, np.inf, 0.0, 3.0], SLOTS),
    )
    limits = SiteLimits(battery, rng.choice([1.0, 8.0, np.inf], SLOTS), rng.choice([0.0, 2.0, np.inf], SLOTS), np.array([True]))
    actuals = SlotActuals(rng.choice([0.0, 0.4, 3.0], SLOTS), rng.choice([0.0, 0.7, 2.5], SLOTS), rng.choice([0.25, 1.0], SLOTS))
    return told, pick(np.nan, 0.5, 1.0, 1.1, 5.0, 8.7, 9.0, 9.5), actuals, limits


def record() -> str:
    """Return the loop as physics itself writes it, operation by operation."""
    tape = _Tape(WRITTEN)
    inputs = [np.broadcast_to(each, (1, SLOTS) if np.ndim(each) > 1 else SLOTS) for each in list_inputs(*draw(np.random.default_rng(1)))]
    rows = [Recorded(tape, f"a{row}", values) for row, values in enumerate(inputs)]
    battery, told, site, rest = rows[:12], rows[12:20], rows[20:23], rows[23:]
    limits = SiteLimits(BatteryLimits(*battery), *site)
    safe = clamp(SetPoint(*told), rest[0], limits)
    flows = simulate_slot(safe, rest[0], SlotActuals(*rest[1:]), limits=limits)
    made = [_write(getattr(part, each.name)) for part in (safe, flows) for each in fields(part)]
    lines, used = _keep_used(tape.lines, [*made, *tape.guards])
    load = [f"a{row} = inputs[{row}, i]" + (" != 0.0" if each.dtype == bool else "") for row, each in enumerate(inputs) if f"a{row}" in used]
    store = [f"made[{row}, i] = {value}" for row, value in enumerate([*made, " | ".join(tape.guards)])]
    return HEAD + "".join(f"        {line}\n" for line in (*load, *write_out([*lines, *store])))


def write_out(lines: list[str]) -> list[str]:
    """Return lines in which a value that one line alone reads is written out there, as long as that can be read."""
    uses = Counter(re.findall(r"\bv\d+\b", " ".join(line.split(" = ", 1)[1] for line in lines)))
    once, left = dict[str, str](), list[str]()
    for line in lines:
        name, written = line.split(" = ", 1)
        for part in re.findall(r"\bv\d+\b", written):
            if part not in once:
                continue
            longer = re.sub(rf"\b{part}\b", lambda _, part=part: once[part], written)
            if len(longer) <= WIDTH:
                written = longer
                del once[part]
            else:
                left.append(f"{part} = {once.pop(part)}")
        if uses[name] == 1:
            once[name] = written
        else:
            left.append(f"{name} = {written}")
    return left


def test_the_loop_is_what_physics_does() -> None:
    hold(settlement_loop.__file__, record())


@pytest.mark.parametrize("least_kw", [0.0, 1.5], ids=["any power", "a least power"])
def test_a_settlement_is_the_same_bit_by_bit(least_kw: float) -> None:
    # Of a battery that cannot charge as slowly as asked NumPy settles all slots.
    told, stored, actuals, limits = draw(np.random.default_rng(2))
    limits = replace(limits, batteries=replace(limits.batteries, min_charge_kw=np.array([[least_kw]])))
    safe = clamp(told, stored, limits)
    for found, wanted in zip(settle(told, stored, actuals, limits=limits), (safe, simulate_slot(safe, stored, actuals, limits=limits)), strict=True):
        for one, other in zip(astuple(found), astuple(wanted), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
