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
from services.planner.reply.causes.declaration import TIME, Cause
from services.planner.reply.causes.precedence import find_first_causes
from services.planner.reply.evidence import DECIMALS, Evidence
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
    opposite = _read_numbers(price_opposite(evidence))
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
            energy_value=_read_numbers(value),
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


def _read_numbers(values: FloatArray) -> list[float | None]:
    """Return numbers rounded, without negative zeros, None for NaN."""
    numbers: list[float] = (values.round(DECIMALS) + 0.0).tolist()
    if not np.isnan(values).any():
        return list(numbers)
    return [None if isnan(number) else number for number in numbers]


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
    first, causes = find_first_causes(evidence, ~pinned)
    # Slot after slot of one battery after the other, cause by cause; pinned slots come first.
    order = first.argsort(axis=None, kind="stable")[np.count_nonzero(pinned) :]
    place_of_cause = first.ravel()[order]
    batteries, slots = np.divmod(order, evidence.slots)
    figures = _read_figures(evidence, causes, place_of_cause, order)
    days = np.searchsorted(evidence.days, slots, side="right")
    begins = _find_changes(np.vstack([place_of_cause, batteries, days, figures]))
    places[batteries, slots] = begins.cumsum() - 1 + len(distinct)
    starts = slots[begins].tolist()
    rows = figures[:, begins].T.tolist()
    for place, start, row in zip(place_of_cause[begins].tolist(), starts, rows, strict=True):
        cause = causes[place]
        distinct.append((cause.code, _name_figures(evidence, cause, row, start)))
    return places, distinct


def _name_pins(evidence: Evidence) -> tuple[IndexArray, BoolArray, list[CodedReason]]:
    """Return reason indices of slots that an owner's block decides, their mask, and the reasons."""
    places = np.zeros(evidence.charge.shape, dtype=np.int64)
    pinned = np.zeros(evidence.charge.shape, dtype=bool)
    distinct: list[CodedReason] = []
    for here, until in find_pins(evidence):
        for battery, slot in np.argwhere(here).tolist():
            places[battery, slot] = len(distinct)
            start = evidence.edges[slot].isoformat()
            distinct.append(("manual", {TIME: until.isoformat(), "start": start}))
        pinned |= here
    return places, pinned, distinct


def _read_figures(
    evidence: Evidence, causes: list[Cause], place_of_cause: IndexArray, order: IndexArray
) -> FloatArray:
    """Return the figures of reasons, ``(figures, reasons)``; NaN is left out.

    Of each reason, ``place_of_cause`` is its cause's place among ``causes``, ascending, ``order``
    its slot in the flattened ``(batteries, slots)``.
    """
    most = max(len(cause.figures) for cause in causes)
    figures = np.full((most, order.size), np.nan)
    edges = np.searchsorted(place_of_cause, range(len(causes) + 1))
    for cause, (begin, end) in zip(causes, pairwise(edges.tolist()), strict=True):
        for row, (name, values) in enumerate(cause.figures.items()):
            of_slots = np.broadcast_to(values, evidence.charge.shape).ravel()
            own = of_slots[order[begin:end]]
            # A slot that there is none of is no figure.
            figures[row, begin:end] = np.where(own < 0, np.nan, own) if name == TIME else own
    return figures.round(DECIMALS) + 0.0


def _find_changes(rows: FloatArray) -> BoolArray:
    """Return the columns that differ from the one before."""
    before = rows[:, :-1]
    here = rows[:, 1:]
    # Two unknown figures count as equal, though no NaN equals another.
    both_unknown = np.isnan(before) & np.isnan(here)
    differs = (here != before) & ~both_unknown
    begins = np.ones(rows.shape[1], dtype=bool)
    begins[1:] = differs.any(axis=0)
    return begins


def _name_figures(
    evidence: Evidence, cause: Cause, figures: list[float], start: int
) -> dict[str, Figure]:
    """Return the known figures by name; ``start`` is the first slot of the reason."""
    named: dict[str, Figure] = {}
    for name, figure in zip(cause.figures, figures, strict=False):
        if isnan(figure):
            continue
        named[name] = figure
        if name == TIME:
            named[name] = evidence.edges[int(figure)].isoformat()
    if TIME in named:
        # It needs the start: its weekday is said where it is not of the same day.
        named["start"] = evidence.edges[start].isoformat()
    return named
