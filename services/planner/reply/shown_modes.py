"""The mode that each slot of a plan shows: what its flows bear out."""

import numpy as np

from luna.energy.physics.mode import (
    CHARGE,
    EXPORT,
    HOLD,
    SAVE,
    SELF_CONSUMPTION,
    SUPPLY,
    IntArray,
    Mode,
)
from services.planner.reply.evidence import Evidence
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.reply.reason_columns import PlanExplanation

# Indexed by ``Mode``.
MODE_WORDS = np.array([mode.word for mode in Mode], dtype=object)


def show_modes(evidence: Evidence, explained: PlanExplanation) -> list[str]:
    """Return each slot's mode as its flows show it, of equivalent ones the commanded.

    It is that of the battery in ``battery_index``.
    """
    if not len(evidence.charge):
        return [Mode.HOLD.word] * evidence.slots
    commanded = evidence.plan.setpoints.mode
    reasons = explained.of_slots
    # At an owner's block or delayed charging, flows do not show the mode.
    keeps = []
    for code, _ in reasons.distinct:
        keeps.append(code == "manual" or code.startswith("charge_waits"))
    keeps_command = np.array(keeps, dtype=bool)[reasons.reason_index]
    mode = np.where(keeps_command, commanded, _read_flows(evidence, commanded))
    words: list[str] = MODE_WORDS[mode[explained.battery_index, np.arange(evidence.slots)]].tolist()
    return words


def _read_flows(evidence: Evidence, commanded: IntArray) -> IntArray:
    """Return the mode that the flows of each battery show, ``(batteries, slots)``."""
    follows = commanded == SELF_CONSUMPTION
    sells = evidence.sold_kwh > NOTHING_KWH
    storing = np.where(follows, commanded, SAVE)
    storing = np.where(evidence.buys, CHARGE, storing)
    giving = np.where(follows, commanded, SUPPLY)
    giving = np.where(sells, EXPORT, giving)
    mode = _read_rest(evidence, commanded)
    mode = np.where(evidence.gives, giving, mode)
    return np.where(evidence.charges, storing, mode)


def _read_rest(evidence: Evidence, commanded: IntArray) -> IntArray:
    """Return the mode of a battery that rests: what it leaves undone shows it."""
    # For so few modes, comparisons are ten times faster than ``np.isin``.
    holds = commanded == HOLD
    saves = np.where((commanded == SAVE) | holds, commanded, SAVE)
    serves = np.where((commanded == SUPPLY) | holds, commanded, SUPPLY)
    could_give = evidence.room_kwh > NOTHING_KWH
    could_give = could_give & (evidence.discharge_power_kwh > NOTHING_KWH)
    could_take = evidence.shares.surplus_kwh >= evidence.least_kw * evidence.hours
    could_take = could_take & (evidence.charge_power_kwh > NOTHING_KWH)
    leaves = evidence.rests & evidence.leaves_surplus & could_take
    spares = evidence.rests & evidence.spares & could_give
    mode = np.where(leaves, serves, SELF_CONSUMPTION)
    return np.where(spares, saves, mode)
