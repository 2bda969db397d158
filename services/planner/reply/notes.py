"""List a plan's notes (assumptions, implausible inputs) and its compromises (missed limits)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
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
from luna.energy.plausibility import (
    FAR_BEYOND,
    USUAL_POWER_KW,
    doubt_prices,
    possible_prices,
)
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline
from luna.words import Language, Numbers
from luna.words.compromises import say_compromise
from luna.words.notes import ASSUMED, say_note
from services.planner.devices import PLANNED_KINDS
from services.planner.dp.plan import Plan, objective
from services.planner.problem.price_skill import BandSkill, ComparedPrices

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
    return format_notes(
        [*assumptions, *more],
        Numbers(request.options.language, ZoneInfo(site.timezone), site.currency),
    )


def format_notes(assumptions: Sequence[Assumption], numbers: Numbers) -> list[NoteReply]:
    """Return assumptions and doubts as notes, assumptions first."""
    notes = []
    for assumption in assumptions:
        note = NoteReply(
            code=assumption.code,
            text=say_note(assumption.code, assumption.figures, numbers),
            assumed=assumption.code in ASSUMED,
            figures=assumption.figures,
        )
        notes.append(note)
    return sorted(notes, key=lambda note: not note.assumed)


def _describe_batteries(plan: Plan) -> Iterator[Assumption]:
    """Yield notes on batteries outside their limits, on a fall-back, and on disagreements."""
    problem = plan.problem
    for battery, stored_kwh in zip(
        problem.site.batteries, problem.stored_kwh.tolist(), strict=True
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
    """Return the note on prices that nobody has published yet.

    They are typical ones, or those of the last known day.
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
    """Yield notes on implausible load, PV and prices of an outlook.

    Each names the furthest slot, and the number that it is compared with.
    """
    peak_kw = site.peak_kw
    if site.grid.import_limit_kw >= _UNLIMITED_KW:
        code = "load_beyond_homes"
        yield from _doubt_power(
            outlook.load_kwh, timeline, code, most_kw=USUAL_POWER_KW, limit_kw=USUAL_POWER_KW
        )
    else:
        code = "load_beyond_site"
        batteries_kw = sum(battery.discharge_limit_kw for battery in site.batteries)
        sources_kw = site.grid.import_limit_kw + peak_kw + batteries_kw
        most_kw = FAR_BEYOND * sources_kw
        yield from _doubt_power(
            outlook.load_kwh, timeline, code, most_kw=most_kw, limit_kw=sources_kw
        )
    if peak_kw:
        most_kw = FAR_BEYOND * peak_kw
        yield from _doubt_power(
            outlook.pv_kwh, timeline, "pv_beyond_arrays", most_kw=most_kw, limit_kw=peak_kw
        )
    possible = possible_prices(site.currency)
    if possible is not None:
        for series, price in (
            ("import_price", outlook.import_price),
            ("export_price", outlook.export_price),
        ):
            yield from _doubt_price(series, price, timeline, possible)


def _doubt_power(
    energy_kwh: list[float], timeline: Timeline, code: str, *, most_kw: float, limit_kw: float
) -> Iterator[Assumption]:
    """Yield a note if the highest power is beyond ``most_kw``; it is compared with ``limit_kw``."""
    most_kwh = max(energy_kwh)
    kw = most_kwh / (timeline.step / timedelta(hours=1))
    if kw > most_kw:
        at = timeline.start + energy_kwh.index(most_kwh) * timeline.step
        figures = {
            "kw": round(kw, 3),
            "at": at.isoformat(),
            "limit_kw": limit_kw,
            "times": round(kw / limit_kw, 1),
        }
        yield Assumption(code=code, figures=figures)


def _doubt_price(
    series: str, price: list[float], timeline: Timeline, possible: tuple[float, float]
) -> Iterator[Assumption]:
    """Yield a note if a price is outside the range ever paid for a slot."""
    least, most = possible
    lowest = min(price)
    highest = max(price)
    if lowest >= least and highest <= most:
        return
    # The price furthest beyond its bound, in multiples of that.
    furthest = lowest
    if max(highest / least, highest / most) > max(lowest / least, lowest / most):
        furthest = highest
    at = timeline.start + price.index(furthest) * timeline.step
    figures = {
        "series": [series],
        "price": furthest,
        "at": at.isoformat(),
        "known_price": least if furthest < 0.0 else most,
    }
    yield Assumption(code="price_beyond_markets", figures=figures)


def doubt_by_last_week(
    outlook: OutlookMessage, before: FloatArray, currency: str
) -> Iterator[Assumption]:
    """Yield a note if prices ahead are far from those ``before`` them.

    The latter are in currency/kWh, NaN where unknown.
    """
    doubt = doubt_prices(np.array(outlook.import_price), before, currency)
    if doubt is not None and doubt.basis == "stored":
        figures = {
            "price": round(doubt.value, 6),
            "known_price": round(doubt.known, 6),
            "times": round(doubt.times, 1),
        }
        yield Assumption(code="prices_beyond_last_week", figures=figures)


def doubt_stale_prices(stale: Mapping[str, datetime]) -> Iterator[Assumption]:
    """Yield a note on markets whose forecasts nobody has renewed since an instant."""
    if stale:
        figures = {"markets": sorted(stale), "since": min(stale.values()).isoformat()}
        yield Assumption(code="prices_stale", figures=figures)


def note_compared_forecasts(compared: Mapping[str, ComparedPrices]) -> Iterator[Assumption]:
    """Yield a note on each market whose forecasts proved better or worse than Luna's own."""
    for market, prices in compared.items():
        if prices.outdone is not None:
            yield _name_errors("prices_outdone", market, prices.outdone)
        if prices.better is not None:
            yield _name_errors("prices_proven", market, prices.better)


def _name_errors(code: str, market: str, skill: BandSkill) -> Assumption:
    figures = {
        "markets": [market],
        "hours": round(skill.begin / timedelta(hours=1)),
        "source_error": round(skill.source_error, 6),
        "own_error": round(skill.own_error, 6),
        "own": skill.own,
    }
    return Assumption(code=code, figures=figures)


def name_compromise(
    code: str, language: Language, *, cost: float = 0.0, **figures: Any
) -> CompromiseReply:
    """Return a compromise with its text; ``cost`` and figures are rounded to 1e-6."""
    constraint, shortfall = say_compromise(code, language=language, **figures)
    rounded: dict[str, Any] = {}
    for name, value in figures.items():
        if isinstance(value, date):
            rounded[name] = value.isoformat()
        elif isinstance(value, float):
            rounded[name] = round(value, 6) + 0.0
        else:
            rounded[name] = value
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
    """Mark compromises that an unfinished search has not proven necessary.

    Meeting all of them would lower the objective by far more than the cost of their energy; where
    the proven gap leaves less, they are necessary.

    Args:
        missed: the plan's compromises.
        room: the most by which the objective may still be lower, in the plan's currency.
    """
    avoidable_cost = sum(miss.cost for miss in missed if miss.code not in _UNAVOIDABLE)
    if room == 0 or room < _LEAST_WEIGHT * avoidable_cost:
        return [*missed]
    marked = []
    for miss in missed:
        if miss.code not in _UNAVOIDABLE:
            miss = miss.model_copy(update={"unproven": True})  # noqa: PLW2901
        marked.append(miss)
    return marked


def find_gap_cost(plan: Plan) -> float | None:
    """Return a plan's greatest distance from the optimum, currency; None if nothing is proven."""
    if plan.gap is None:
        return None
    return round(plan.gap * abs(_read_objective(plan)), 6) + 0.0


def find_objective_value(plan: Plan) -> float | None:
    """Return what a plan's search minimised, currency; None for the inverter alone."""
    if plan.method == "self_consumption":
        return None
    return round(_read_objective(plan), 6) + 0.0


def _read_objective(plan: Plan) -> float:
    return objective(plan) if plan.load_schedule is None else plan.load_schedule.objective


def bound_schedule_gap(plan: Plan) -> float:
    """Return the load schedule's greatest distance from the optimum, batteries included."""
    schedule = plan.load_schedule
    if schedule is None or schedule.proven:
        return 0.0
    if schedule.gap is None:
        return np.inf
    return schedule.gap * abs(schedule.objective)


def bound_battery_gap(plan: Plan) -> float:
    """Return the battery plan's greatest distance from the optimum.

    It is 0 for disagreements with the simulation, which no longer search mends.
    """
    if plan.proven or plan.disagreements:
        return 0.0
    if plan.load_schedule is not None and plan.gap is not None:
        return bound_schedule_gap(plan)
    return np.inf if plan.gap is None or plan.gap > plan.problem.search.mip_gap else 0.0


_NOTHING_KWH = 1e-4


def find_compromises(plan: Plan, language: Language = "en") -> list[CompromiseReply]:
    """Return the missed terminal bounds and connection limits.

    Missing energy is priced at the horizon's highest import price.
    """
    problem = plan.problem
    flows = plan.flows
    dearest = find_dearest(plan)
    compromises: list[CompromiseReply] = []
    for battery, stored, least, most in zip(
        problem.site.batteries, flows.stored_kwh, *problem.terminal_bounds, strict=True
    ):
        for code, bound, missing_kwh in (
            ("end_at_least", least, float(least - stored[-1])),
            ("end_at_most", most, float(stored[-1] - most)),
        ):
            if missing_kwh > _NOTHING_KWH:
                compromise = name_compromise(
                    code,
                    language,
                    cost=missing_kwh * dearest,
                    name=battery.name,
                    wanted=float(bound) / battery.capacity_kwh,
                    kwh=missing_kwh,
                )
                compromises.append(compromise)
    for code, limit_kwh, energy_kwh in (
        ("import_limit", problem.connection_limit_kwh, flows.import_kwh),
        ("export_limit", problem.export_limit_kwh, flows.export_kwh),
    ):
        beyond_kwh = np.maximum(energy_kwh - limit_kwh, 0.0)
        if (beyond_kwh > _NOTHING_KWH).any():
            figures = _describe_excess(plan, limit_kwh, beyond_kwh)
            often = code if figures["count"] == 1 else f"{code}_often"
            cost = float(beyond_kwh.sum()) * dearest
            compromises.append(name_compromise(often, language, cost=cost, **figures))
    return compromises


def _describe_excess(plan: Plan, limit_kwh: FloatArray, beyond_kwh: FloatArray) -> dict[str, Any]:
    """Return the figures of a connection's limit that is missed: the worst slot, and how many."""
    timeline = plan.problem.outlook.timeline
    zone = ZoneInfo(plan.problem.site.timezone)
    starts = list(timeline)
    broken = np.flatnonzero(beyond_kwh > _NOTHING_KWH)
    worst = int((beyond_kwh / timeline.hours).argmax())
    return {
        "limit_kw": float(limit_kwh[worst] / timeline.hours[worst]),
        "kw": float(beyond_kwh[worst] / timeline.hours[worst]),
        "count": int(broken.size),
        "first": starts[broken[0]].astimezone(zone),
        "worst": starts[worst].astimezone(zone),
    }


def find_dearest(plan: Plan) -> float:
    """Return the horizon's highest import price, at least 0."""
    return max(float(plan.problem.at_tariff_prices.outlook.import_price.max()), 0.0)


def missed_reserves(plan: Plan, language: Language) -> list[CompromiseReply]:
    """Return each battery's largest shortfall of its reserve.

    It is priced at the horizon's highest import price.
    """
    problem = plan.problem
    if problem.storage.reserve_kwh is None:
        return []
    dearest = find_dearest(plan)
    starts = list(problem.outlook.timeline)
    zone = ZoneInfo(problem.site.timezone)
    compromises = []
    shortfalls_kwh = np.maximum(problem.storage.reserve_kwh - plan.flows.stored_kwh, 0.0)
    for battery, shortfall_kwh in zip(problem.site.batteries, shortfalls_kwh, strict=True):
        slot = int(shortfall_kwh.argmax())
        missing_kwh = float(shortfall_kwh[slot])
        if missing_kwh > _NOTHING_KWH:
            compromise = name_compromise(
                "reserve",
                language,
                cost=missing_kwh * dearest,
                name=battery.name,
                worst=starts[slot].astimezone(zone),
                missing=missing_kwh / battery.capacity_kwh,
            )
            compromises.append(compromise)
    return compromises
