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
    # What a battery that rests leaves undone shows its mode. For so few modes, comparisons are ten
    # times faster than ``np.isin``.
    holds = commanded == HOLD
    is_enough = evidence.shares.surplus_kwh >= evidence.least_kw * evidence.hours
    could_take = is_enough & (evidence.charge_power_kwh > NOTHING_KWH)
    leaves = evidence.rests & evidence.leaves_surplus & could_take
    if_leaving = np.where((commanded == SUPPLY) | holds, commanded, SUPPLY)
    could_give = (evidence.room_kwh > NOTHING_KWH) & (evidence.discharge_power_kwh > NOTHING_KWH)
    spares = evidence.rests & evidence.spares & could_give
    if_sparing = np.where((commanded == SAVE) | holds, commanded, SAVE)
    mode = np.where(leaves, if_leaving, SELF_CONSUMPTION)
    mode = np.where(spares, if_sparing, mode)
    # What it moves shows the mode of another one.
    follows = commanded == SELF_CONSUMPTION
    if_giving = np.where(follows, commanded, SUPPLY)
    if_giving = np.where(evidence.sold_kwh > NOTHING_KWH, EXPORT, if_giving)
    if_charging = np.where(follows, commanded, SAVE)
    if_charging = np.where(evidence.buys, CHARGE, if_charging)
    mode = np.where(evidence.gives, if_giving, mode)
    return np.where(evidence.charges, if_charging, mode)
