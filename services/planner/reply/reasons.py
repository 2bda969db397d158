"""The reasons of a plan: a code with figures per slot and battery.

The first true cause of ``causes.precedence`` is the reason.
"""

from itertools import pairwise
from math import isnan

import numpy as np

from luna.energy.economics.prices import PRICE_ROUNDING
from luna.energy.physics.mode import BoolArray
from luna.energy.schedule import Figure, Reason
from luna.energy.timeline import FloatArray, IndexArray
from services.planner.dp.plan import Plan
from services.planner.reply.causes.declaration import TIME
from services.planner.reply.causes.precedence import CAUSES, find_first_causes
from services.planner.reply.evidence import DECIMALS, Evidence, read_numbers
from services.planner.reply.idle_site import explain_idle
from services.planner.reply.opposite_mode import price_opposite
from services.planner.reply.owner_pins import find_pins
from services.planner.reply.plan_limits import mark_limits, name_limits, number_values
from services.planner.reply.reason_columns import (
    CodedReason,
    PlanExplanation,
    ReasonColumns,
    choose_reasons,
)


def explain(plan: Plan) -> list[Reason]:
    """Return the reason of every slot."""
    return explain_evidence(Evidence(plan)).of_slots.reasons


def explain_evidence(evidence: Evidence) -> PlanExplanation:
    """Return the reasons of every battery in every slot of a plan."""
    if not len(evidence.charge):
        of_site = explain_idle(evidence)
        return PlanExplanation(of_site.reason_index, (of_site,), of_site)
    places, distinct = _name_causes(evidence)
    codes, marks = mark_limits(evidence)
    opposite = read_numbers(price_opposite(evidence))
    rank, count = _rank_prices(evidence)
    by_battery = []
    for battery, value in enumerate(evidence.energy_value):
        reason_index, used = number_values(places[battery])
        binding, limits = name_limits(codes, marks[battery])
        first_use = evidence.first_use[battery].tolist()
        used_at = [evidence.edges[slot] if slot >= 0 else None for slot in first_use]
        reasons = ReasonColumns(
            reason_index,
            [distinct[place] for place in used],
            binding,
            limits,
            energy_value=read_numbers(value),
            cost_of_opposite=opposite,
            price_rank=rank,
            price_count=count,
            used_at=used_at,
        )
        by_battery.append(reasons)
    moves_most = (evidence.charge + evidence.discharge).argmax(axis=0)
    of_slots = by_battery[0]
    if len(by_battery) > 1:
        of_slots = choose_reasons(by_battery, moves_most)
    return PlanExplanation(moves_most, tuple(by_battery), of_slots)


def _rank_prices(evidence: Evidence) -> tuple[list[int | None], list[int | None]]:
    """Return the rank of each slot's import price in its local day, and that day's slots.

    Of rank 1 are the cheapest.
    """
    price = evidence.plan.problem.at_tariff_prices.outlook.import_price
    rank: list[int | None] = []
    count: list[int | None] = []
    for first, end in pairwise(evidence.days):
        day = price[first:end]
        cheaper = np.searchsorted(np.sort(day), day - PRICE_ROUNDING)
        rank += (cheaper + 1).tolist()
        count += [day.size] * day.size
    return rank, count


# --- codes and figures ----------------------------------------------------------------------------


def _name_causes(evidence: Evidence) -> tuple[IndexArray, list[CodedReason]]:
    """Return each battery's reason index in each slot, and the distinct reasons.

    Neighbours of one day that share cause and figures share one of them.
    """
    places, pinned, distinct = _name_pins(evidence)
    if pinned.all():
        return places, distinct
    found = find_first_causes(evidence, ~pinned)
    # Slot after slot of one battery after the other, cause by cause.
    order = found.argsort(axis=None, kind="stable")[: np.count_nonzero(~pinned)]
    causes = found.ravel()[order]
    batteries, slots = np.divmod(order, evidence.slots)
    names, figures = _read_figures(evidence, causes, batteries, slots)
    days = np.searchsorted(evidence.days, slots, side="right")
    begins = _find_changes(np.vstack([causes, batteries, days, figures]))
    places[batteries, slots] = begins.cumsum() - 1 + len(distinct)
    starts = slots[begins].tolist()
    rows = figures[:, begins].T.tolist()
    for cause, start, row in zip(causes[begins].tolist(), starts, rows, strict=True):
        named = _name_figures(evidence, names[cause], row, start)
        distinct.append((CAUSES[cause].code, named))
    return places, distinct


def _name_pins(evidence: Evidence) -> tuple[IndexArray, BoolArray, list[CodedReason]]:
    """Return reason indices of slots that an owner's block decides, their mask, and the reasons."""
    places = np.zeros(evidence.charge.shape, dtype=np.int64)
    pinned = np.zeros(evidence.charge.shape, dtype=bool)
    distinct: list[CodedReason] = []
    for here, until in find_pins(evidence):
        for battery, slot in np.argwhere(here).tolist():
            places[battery, slot] = len(distinct)
            start = evidence.name_instant(slot)
            distinct.append(("manual", {TIME: until.isoformat(), "start": start}))
        pinned |= here
    return places, pinned, distinct


def _read_figures(
    evidence: Evidence, causes: IndexArray, batteries: IndexArray, slots: IndexArray
) -> tuple[dict[int, list[str]], FloatArray]:
    """Return the names of each cause's figures, and the figures, ``(figures, reasons)``.

    ``causes`` are in order; NaN is left out.
    """
    used, begins = np.unique(causes, return_index=True)
    ends = [*begins[1:].tolist(), causes.size]
    shown = {}
    names = {}
    for cause in used.tolist():
        shown[cause] = CAUSES[cause].figures(evidence)
        names[cause] = list(shown[cause])
    most = max(map(len, shown.values()), default=0)
    figures = np.full((most, causes.size), np.nan)
    for cause, begin, end in zip(shown, begins.tolist(), ends, strict=True):
        own = slice(begin, end)
        for row, (name, values) in enumerate(shown[cause].items()):
            of_batteries = np.broadcast_to(values, evidence.charge.shape)
            figures[row, own] = of_batteries[batteries[own], slots[own]]
            if name == TIME:
                later = figures[row, own]
                later[later < 0] = np.nan
    return names, figures.round(DECIMALS) + 0.0


def _find_changes(rows: FloatArray) -> BoolArray:
    """Return the columns that differ from the one before."""
    is_known = ~np.isnan(rows)
    # Two unknown figures count as equal, though no NaN equals another.
    differs = (rows[:, 1:] != rows[:, :-1]) & (is_known[:, 1:] | is_known[:, :-1])
    begins = np.ones(rows.shape[1], dtype=bool)
    begins[1:] = differs.any(axis=0)
    return begins


def _name_figures(
    evidence: Evidence, names: list[str], figures: list[float], start: int
) -> dict[str, Figure]:
    """Return the known figures by name; ``start`` is the first slot of the reason."""
    named: dict[str, Figure] = {}
    for name, figure in zip(names, figures, strict=False):
        if isnan(figure):
            continue
        named[name] = evidence.name_instant(int(figure)) if name == TIME else figure
    if TIME in named:
        # It needs the start: its weekday is said where it is not of the same day.
        named["start"] = evidence.name_instant(start)
    return named
