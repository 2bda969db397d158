"""List a plan's notes (assumptions, implausible inputs) and its compromises (limits and demands
that it misses).
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import (
    Assumption,
    Bias,
    CompromiseReply,
    NoteReply,
    OutlookMessage,
    PlanRequest,
)
from luna.energy.devices.grid import GridConnection
from luna.energy.part import PER_EURO
from luna.energy.plausibility import (
    FAR_BEYOND,
    HIGHEST_PRICE_EUR,
    LOWEST_PRICE_EUR,
    USUAL_POWER_KW,
    doubt_prices,
)
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline
from luna.words import Language, Numbers
from luna.words.compromises import say_compromise
from luna.words.notes import ASSUMED, say_note
from services.planner.devices import PLANNED_KINDS
from services.planner.dp.plan import Plan, objective

_SAME_SOC = 1e-9
_UNLIMITED_KW = GridConnection.model_fields["import_limit_kw"].default


def list_notes(
    plan: Plan, request: PlanRequest, more: Sequence[Assumption] = ()
) -> list[NoteReply]:
    """Return the notes to a plan in the requested language; assumptions come first.

    Args:
        plan: the plan.
        request: its complete request, with assumptions.
        more: further assumptions of the caller.
    """
    problem = plan.problem
    outlook = request.outlook
    site = problem.site
    timeline = problem.outlook.timeline
    assumptions = [*request.assumptions, *_describe_batteries(plan)]
    if outlook:
        assumptions += doubt_outlook(site, outlook, timeline)
    if outlook and outlook.bias and outlook.bias != Bias():
        assumptions.append(Assumption(code="bias_corrected", figures=outlook.bias.model_dump()))
    if outlook and outlook.prices_known_until and outlook.prices_known_until < timeline.end:
        assumptions.append(note_predicted_prices(outlook, outlook.prices_known_until))
    included = outlook.load_includes if outlook else []
    for kind in PLANNED_KINDS:
        if getattr(site, kind.section):
            assumptions += kind.assume(site, request.state, included, timeline.begin)
    if included:
        assumptions.append(Assumption(code="loads_not_placed", figures={"loads": included}))
    return say_notes(
        [*assumptions, *more],
        Numbers(request.options.language, ZoneInfo(site.timezone), site.currency),
    )


def say_notes(assumptions: Sequence[Assumption], numbers: Numbers) -> list[NoteReply]:
    """Return assumptions and doubts as notes, assumptions first."""
    notes = [
        NoteReply(
            code=each.code,
            text=say_note(each.code, each.figures, numbers),
            assumed=each.code in ASSUMED,
            figures=each.figures,
        )
        for each in assumptions
    ]
    return sorted(notes, key=lambda note: not note.assumed)


def _describe_batteries(plan: Plan) -> Iterator[Assumption]:
    """Yield notes on batteries that start outside their limits, on a fall-back to self-consumption,
    and on disagreements with the simulation.
    """
    for battery, stored_kwh in zip(
        plan.problem.site.batteries, plan.problem.stored_kwh.tolist(), strict=True
    ):
        soc = stored_kwh / battery.capacity_kwh
        if not battery.min_soc - _SAME_SOC <= soc <= battery.max_soc + _SAME_SOC:
            limits = {"min_soc": battery.min_soc, "max_soc": battery.max_soc}
            yield Assumption(
                code="soc_outside_limits",
                figures={"battery": battery.name, "start_soc": round(soc, 6)} | limits,
            )
    if plan.method == "self_consumption":
        yield Assumption(code="inverter_alone")
    if plan.disagreements:
        yield Assumption(code="not_confirmed", figures={"found": "; ".join(plan.disagreements)})


def note_predicted_prices(outlook: OutlookMessage, since: datetime) -> Assumption:
    """Return the note on prices that nobody has published yet: typical ones, or those of the last
    known day.
    """
    figures: dict[str, Any] = {"since": since.isoformat()}
    if not outlook.typical_prices:
        return Assumption(code="prices_carried_on", figures=figures)
    figures |= {
        "markets": list(outlook.typical_prices),
        "like": sorted(set(outlook.typical_prices.values())),
    }
    return Assumption(code="prices_typical", figures=figures)


def doubt_outlook(site: Site, outlook: OutlookMessage, timeline: Timeline) -> Iterator[Assumption]:
    """Yield notes on implausible load, PV and prices of an outlook, each with its furthest slot and
    the number that it is compared with.
    """
    peak_kw = site.peak_kw
    sources_kw = (
        site.grid.import_limit_kw
        + peak_kw
        + sum(map(attrgetter("discharge_limit_kw"), site.batteries))
    )
    # Energies, code, power beyond which they are doubted, and the power that they are compared
    # with.
    load = (outlook.load_kwh, "load_beyond_site", FAR_BEYOND * sources_kw, sources_kw)
    if site.grid.import_limit_kw >= _UNLIMITED_KW:
        load = (outlook.load_kwh, "load_beyond_homes", USUAL_POWER_KW, USUAL_POWER_KW)
    sun = (outlook.pv_kwh, "pv_beyond_arrays", FAR_BEYOND * peak_kw, peak_kw)
    for kwh, code, most_kw, limit_kw in (load, sun) if peak_kw else (load,):
        most_kwh = max(kwh)
        kw = most_kwh / (timeline.step / timedelta(hours=1))
        if kw > most_kw:
            at = (timeline.start + kwh.index(most_kwh) * timeline.step).isoformat()
            yield Assumption(
                code=code,
                figures={
                    "kw": round(kw, 3),
                    "at": at,
                    "limit_kw": limit_kw,
                    "times": round(kw / limit_kw, 1),
                },
            )
    if scale := PER_EURO.get(site.currency):
        # The lowest and highest prices ever paid for a slot.
        least = LOWEST_PRICE_EUR * scale
        most = HIGHEST_PRICE_EUR * scale
        for series, price in (
            ("import_price", outlook.import_price),
            ("export_price", outlook.export_price),
        ):
            lowest = min(price)
            highest = max(price)
            if lowest < least or most < highest:
                furthest = max(lowest, highest, key=lambda each: max(each / least, each / most))
                at = (timeline.start + price.index(furthest) * timeline.step).isoformat()
                bound = least if furthest < 0.0 else most
                yield Assumption(
                    code="price_beyond_markets",
                    figures={"series": [series], "price": furthest, "at": at, "known_price": bound},
                )


def doubt_by_last_week(
    outlook: OutlookMessage, before: FloatArray, currency: str
) -> Iterator[Assumption]:
    """Yield a note if prices ahead are far from those ``before`` them, currency/kWh, NaN where
    unknown.
    """
    doubt = doubt_prices(np.array(outlook.import_price), before, currency)
    if doubt is not None and doubt.basis == "stored":
        figures = {
            "price": round(doubt.value, 6),
            "known_price": round(doubt.known, 6),
            "times": round(doubt.times, 1),
        }
        yield Assumption(code="prices_beyond_last_week", figures=figures)


def name_compromise(
    code: str, language: Language, *, cost: float = 0.0, **figures: Any
) -> CompromiseReply:
    """Return a compromise with its text; ``cost`` and figures are rounded to 1e-6."""
    constraint, shortfall = say_compromise(code, language=language, **figures)
    rounded = {
        name: value.isoformat()
        if isinstance(value, date)
        else round(value, 6) + 0.0
        if isinstance(value, float)
        else value
        for name, value in figures.items()
    }
    return CompromiseReply(
        code=code,
        constraint=constraint,
        shortfall=shortfall,
        cost=round(cost, 6) + 0.0,
        figures=rounded,
    )


# No longer search avoids these: assumptions, and blocks whose device is full or empty.
_UNAVOIDABLE = frozenset({"carbon_unknown", "manual_full", "manual_empty"}).union(
    *(kind.unavoidable for kind in PLANNED_KINDS)
)
# Models price a missed demand at more than this many times its energy cost.
_LEAST_WEIGHT = 10.0


def mark_unproven(missed: Sequence[CompromiseReply], room: float) -> list[CompromiseReply]:
    """Return compromises, marking those that an unfinished search has not proven necessary.

    Meeting all of them would lower the objective by far more than the cost of their energy; where
    the proven gap leaves less, they are necessary.

    Args:
        missed: the plan's compromises.
        room: the most by which the objective may still be lower, in the plan's currency.
    """
    sought = [each for each in missed if each.code not in _UNAVOIDABLE]
    if room == 0 or room < _LEAST_WEIGHT * sum(each.cost for each in sought):
        return [*missed]
    return [
        each if each.code in _UNAVOIDABLE else each.model_copy(update={"unproven": True})
        for each in missed
    ]


def find_gap_cost(plan: Plan) -> float | None:
    """Return the most by which a plan's objective may exceed the least one, in the site's currency.

    None where nothing is proven.
    """
    if plan.gap is None:
        return None
    cost = objective(plan) if plan.placement is None else plan.placement.objective
    return round(plan.gap * abs(cost), 6) + 0.0


def room_of_placement(plan: Plan) -> float:
    """Return the most by which the objective of the load schedule, batteries included, may still be
    lower.
    """
    if plan.placement is None or plan.placement.proven:
        return 0.0
    return (
        np.inf if plan.placement.gap is None else plan.placement.gap * abs(plan.placement.objective)
    )


def room_of_batteries(plan: Plan) -> float:
    """Return the most by which a plan's objective may still be lower.

    0 for disagreements with the simulation, which no longer search mends.
    """
    if plan.proven or plan.disagreements:
        return 0.0
    if plan.placement is not None and plan.gap is not None:
        return room_of_placement(plan)
    return np.inf if plan.gap is None or plan.gap > plan.problem.search.mip_gap else 0.0


_NOTHING_KWH = 1e-4


def find_compromises(plan: Plan, language: Language = "en") -> list[CompromiseReply]:
    """Return the missed terminal bounds and connection limits, with the missing energy priced at
    the horizon's highest import price.
    """
    problem = plan.problem
    flows = plan.flows
    hours = plan.problem.outlook.timeline.hours
    dearest = max(float(problem.at_tariff_prices.outlook.import_price.max()), 0.0)
    zone = ZoneInfo(problem.site.timezone)
    compromises = list[CompromiseReply]()
    for battery, stored, least, most in zip(
        problem.site.batteries, flows.stored_kwh, *problem.terminal_bounds, strict=True
    ):
        for code, bound, missing in (
            ("end_at_least", least, float(least - stored[-1])),
            ("end_at_most", most, float(stored[-1] - most)),
        ):
            if missing > _NOTHING_KWH:
                figures: dict[str, Any] = {
                    "name": battery.name,
                    "wanted": float(bound) / battery.capacity_kwh,
                    "kwh": missing,
                }
                compromises.append(
                    name_compromise(code, language, cost=missing * dearest, **figures)
                )
    for code, limit_kwh, energy in (
        ("import_limit", problem.connection_limit_kwh, flows.import_kwh),
        ("export_limit", problem.export_limit_kwh, flows.export_kwh),
    ):
        beyond = np.maximum(energy - limit_kwh, 0.0)
        broken = np.flatnonzero(beyond > _NOTHING_KWH)
        if broken.size:
            starts = list(problem.outlook.timeline)
            worst = int((beyond / hours).argmax())
            name = code if broken.size == 1 else f"{code}_often"
            figures = {
                "limit_kw": float(limit_kwh[worst] / hours[worst]),
                "kw": float(beyond[worst] / hours[worst]),
                "count": int(broken.size),
            }
            figures |= {
                "first": starts[broken[0]].astimezone(zone),
                "worst": starts[worst].astimezone(zone),
            }
            compromises.append(
                name_compromise(name, language, cost=float(beyond.sum()) * dearest, **figures)
            )
    return compromises


def missed_reserves(plan: Plan, language: Language) -> list[CompromiseReply]:
    """Return each battery's largest shortfall of its reserve, priced at the horizon's highest
    import price.
    """
    problem = plan.problem
    dearest = max(float(plan.problem.at_tariff_prices.outlook.import_price.max()), 0.0)
    if problem.storage.reserve_kwh is None:
        return []
    starts = list(problem.outlook.timeline)
    zone = ZoneInfo(problem.site.timezone)
    compromises = []
    for battery, shortfall_kwh in zip(
        problem.site.batteries,
        np.maximum(problem.storage.reserve_kwh - plan.flows.stored_kwh, 0.0),
        strict=True,
    ):
        slot = int(shortfall_kwh.argmax())
        if shortfall_kwh[slot] > _NOTHING_KWH:
            figures = {
                "name": battery.name,
                "worst": starts[slot].astimezone(zone),
                "missing": float(shortfall_kwh[slot]) / battery.capacity_kwh,
            }
            compromises.append(
                name_compromise(
                    "reserve", language, cost=float(shortfall_kwh[slot]) * dearest, **figures
                )
            )
    return compromises
