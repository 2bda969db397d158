"""What a plan rests on, told beside it: what was assumed of a stored site, and what the plan itself shows."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from luna.contracts.plan import Assumption, Bias, NoteReply, PlanRequest
from luna.wording import Numbers
from luna.wording.notes import ASSUMED, say_note
from services.planner.plan import Plan

_SAME_SOC = 1e-9


def list_notes(plan: Plan, request: PlanRequest, more: Sequence[Assumption] = ()) -> list[NoteReply]:
    """Return the notes to a plan in the language asked for; what was assumed comes first.

    Args:
        plan: as made.
        request: what it was made from, with what was assumed.
        more: what else is to be said, by whoever found it.
    """
    site = plan.problem.site
    numbers = Numbers(request.options.language, ZoneInfo(site.timezone), site.currency)
    return say_notes([*request.assumptions, *_describe(plan, request), *more], numbers)


def say_notes(found: Sequence[Assumption], numbers: Numbers) -> list[NoteReply]:
    """Return what was found as notes, what was assumed first."""
    notes = [NoteReply(code=each.code, text=say_note(each.code, each.figures, numbers), assumed=each.code in ASSUMED, figures=each.figures) for each in found]
    return sorted(notes, key=lambda note: not note.assumed)


def _describe(plan: Plan, request: PlanRequest) -> Iterator[Assumption]:
    site, outlook = plan.problem.site, request.outlook
    included = outlook.load_includes if outlook else []
    known = request.state.heat_pumps
    cold = [pump.name for pump in site.heat_pumps if pump.name not in included and (pump.name not in known or known[pump.name].temperature_c is None)]
    yield from _describe_batteries(plan)
    if outlook and outlook.bias and outlook.bias != Bias():
        yield Assumption(code="bias_corrected", figures=outlook.bias.model_dump())
    if cold:
        yield Assumption(code="heat_assumed", figures={"heat_pumps": cold})
    if outlook and outlook.prices_known_until and outlook.prices_known_until < plan.problem.outlook.timeline.end:
        yield Assumption(code="prices_carried_on", figures={"since": outlook.prices_known_until.isoformat()})
    if included:
        yield Assumption(code="loads_not_placed", figures={"loads": included})


def _describe_batteries(plan: Plan) -> Iterator[Assumption]:
    """Yield which batteries start outside their limits, and what of the plan is not as the optimisation found it."""
    for battery, stored_kwh in zip(plan.problem.site.batteries, plan.problem.stored_kwh.tolist(), strict=True):
        soc = stored_kwh / battery.capacity_kwh
        if not battery.min_soc - _SAME_SOC <= soc <= battery.max_soc + _SAME_SOC:
            limits = {"min_soc": battery.min_soc, "max_soc": battery.max_soc}
            yield Assumption(code="soc_outside_limits", figures={"battery": battery.name, "start_soc": round(soc, 6)} | limits)
    if plan.method == "self_consumption":
        yield Assumption(code="inverter_alone")
    if plan.disagreements:
        yield Assumption(code="not_confirmed", figures={"found": "; ".join(plan.disagreements)})
