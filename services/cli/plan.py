"""``luna plan``: a plan from a request file, or for a stored site."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from luna.contracts.message import site_clock
from luna.contracts.plan import CompromiseReply, LoadFlow, PlanReply, PlanRequest, ReasonReply, SlotReply, VehicleFlow
from luna.errors import InvalidInputError
from luna.site import invalid_input
from luna.timeline import SystemClock
from luna.wording import Language, Numbers, Sentences, mode
from luna.wording.modes import join_figures
from services.cli.console import JsonOption, emit, out, table
from services.cli.pareto import show_pareto
from services.cli.plan_texts import TEXTS
from services.cli.shared_sentences import show_note
from services.cli.window import find_zone

if TYPE_CHECKING:
    from sqlalchemy import Connection


def _show_placed(reply: PlanReply, numbers: Numbers) -> None:
    """Print a table of cars and appliances where a plan places any."""
    rows = [row for kind in ("vehicles", "loads") for name in getattr(reply.slots[0], kind) for row in _rows(reply, kind, name, numbers=numbers)]
    words = TEXTS[numbers.language]
    if rows:
        table([words[name] for name in ("from", "what", "energy", "reason")], rows, words=(words["what"], words["reason"]))


def _rows(reply: PlanReply, kind: str, name: str, *, numbers: Numbers) -> Iterator[tuple[str, ...]]:
    flows: list[tuple[SlotReply, VehicleFlow | LoadFlow]] = [(slot, getattr(slot, kind)[name]) for slot in reply.slots]
    for text, run in groupby(flows, key=lambda pair: _text(pair[1].reason)):
        pairs = list(run)
        start, energy = pairs[0][0].start, sum(_energy(flow) for _, flow in pairs)
        if text:
            yield f"{numbers.weekday(start)} {numbers.clock(start)}", name, numbers.energy(energy), text


def _text(reason: ReasonReply | None) -> str:
    return "" if reason is None else reason.text


def _energy(flow: VehicleFlow | LoadFlow) -> float:
    return flow.energy_kwh if isinstance(flow, LoadFlow) else flow.charge_kwh - flow.discharge_kwh


@dataclass(frozen=True, slots=True)
class Line:
    """Slots in a row of one mode and one reason; ``text`` is true of all of them."""

    slots: list[SlotReply]
    text: str


def _show_slots(reply: PlanReply, numbers: Numbers) -> None:
    """Print when which mode begins, what goes into the batteries and comes from the grid until the next, and why."""
    words = TEXTS[numbers.language]
    headings = [words[name] for name in ("from", "mode", "battery", "grid", "reason")]
    title = words["title"].format(site=reply.site, zone=reply.timezone)
    table(headings, [_row(line, numbers) for line in _join_slots(reply.slots, numbers)], title=title, words=(words["mode"], words["reason"]))


def _join_slots(slots: Sequence[SlotReply], numbers: Numbers) -> list[Line]:
    """Return a plan's slots as lines."""
    spoken, lines = Sentences(numbers), [Line([slots[0]], slots[0].reason.text)]
    for slot in slots[1:]:
        together = [*lines[-1].slots, slot]
        text = _say_together(together, spoken) if _alike(lines[-1].slots[0], slot) else None
        if text is None:
            lines.append(Line([slot], slot.reason.text))
        else:
            lines[-1] = Line(together, text)
    return lines


def _alike(one: SlotReply, other: SlotReply) -> bool:
    return (one.mode, one.reason.code, one.reason.device) == (other.mode, other.reason.code, other.reason.device)


def _say_together(slots: list[SlotReply], spoken: Sentences) -> str | None:
    """Return the sentence that is true of all slots; None where there is none."""
    code, texts = slots[0].reason.code, {slot.reason.text for slot in slots}
    if len(texts) == 1 and "kwh" not in slots[0].reason.figures:
        return texts.pop()
    try:
        figures = join_figures(code, [_read_instants(slot.reason.figures) for slot in slots])
        return None if figures is None else spoken.say(code, figures)
    except (InvalidInputError, KeyError):  # a plan of another version may say what has no words here
        return None


def _read_instants(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: datetime.fromisoformat(figure) if name in ("time", "start") else figure for name, figure in figures.items()}


def _row(line: Line, numbers: Numbers) -> Sequence[str]:
    first = line.slots[0]
    stored = sum(flow.charge_kwh - flow.discharge_kwh for slot in line.slots for flow in slot.batteries.values())
    grid = sum(slot.import_kwh - slot.export_kwh for slot in line.slots)
    whose = f"{first.reason.device}: " if first.reason.device else ""
    start = f"{numbers.weekday(first.start)} {numbers.clock(first.start)}"
    return start, mode(first.mode, language=numbers.language).full, numbers.energy(stored), numbers.energy(grid), whose + line.text


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="plan")(_show_plan)


def _show_plan(  # noqa: PLR0913 - one per option
    *,
    request: Annotated[Path | None, typer.Option("--request", help="A plan request as JSON, - for standard input; needs no database.")] = None,
    site: Annotated[str | None, typer.Option(help="A stored site, planned from its forecasts and prices.")] = None,
    start: Annotated[str | None, typer.Option(help="When the plan begins: with its offset, a local day, or a time of the site's clock (default: now).")] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the reasons.")] = None,
    pareto: Annotated[str | None, typer.Option(help="Two of cost, carbon, self_sufficiency, wear: plan along what they cost each other.")] = None,
    points: Annotated[int, typer.Option(help="At most so many plans; with --pareto.")] = 9,
    to: Annotated[Path | None, typer.Option("--out", help="Where the picture goes: FILE.svg; with --pareto.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan the coming days: what the battery does in each slot, and why."""
    if (request is None) == (site is None):
        raise InvalidInputError("give either --request or --site", field="--request", remedy="See luna plan --help.")
    document: dict[str, Any] = read_document(request) if request else {"site_id": site} | ({"start": start} if start else {})
    if language:
        document["options"] = {**(document.get("options") or {}), "language": language}
    asked = _read_request(document, field=str(request) if request else "plan")
    if pareto:
        show_pareto(asked, pareto, points, to=to, as_json=as_json)
        return
    reply = _plan_alone(asked) if asked.site_id is None else _plan_stored(asked)
    emit(reply.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: _show(reply, asked.options.language))


def read_document(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file, or of standard input for ``-``.

    Raises:
        InvalidInputError: unreadable, no JSON, no object, or a number that JSON does not know.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        document = json.loads(text)
    except OSError as exc:
        raise InvalidInputError(f"cannot be read: {exc.strerror}", field=str(path), remedy="Name a readable file.") from exc
    except (json.JSONDecodeError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"is no JSON: {exc}", field=str(path), remedy="Correct it.") from exc
    if not isinstance(document, dict):
        raise InvalidInputError("is no JSON object", field=str(path), remedy="Write a plan request: { … }.")
    return document


def _read_request(document: dict[str, Any], *, field: str) -> PlanRequest:
    """Return the request a document holds; of a stored site, local days and clock times are read by its clock.

    Raises:
        InvalidInputError: names the wrong field, its value and the remedy.
        NotFoundError: no such site.
    """
    try:
        return _parse_request(document, field=field)
    except InvalidInputError:
        site = document.get("site_id")
        if not isinstance(site, str):
            raise
    # Where the clock stands only the database knows, and most requests hold instants with their offset.
    from services.cli.storage import unit_of_work

    with unit_of_work() as connection:
        zone = find_zone(connection, site)
    with site_clock(zone):
        return _parse_request(document, field=field)


def _parse_request(document: dict[str, Any], *, field: str) -> PlanRequest:
    """Return the request a document holds.

    Raises:
        InvalidInputError: names the wrong field, its value and the remedy.
    """
    try:
        return PlanRequest.model_validate(document)
    except ValidationError as exc:
        error = invalid_input(exc, field="")
        error.field = error.field or field
        raise error from exc


def _plan_alone(request: PlanRequest) -> PlanReply:
    from services.planner.dp.value import load_kernels
    from services.planner.milp.solver import Solver
    from services.planner.reply.reply import plan_request

    load_kernels()  # the times in the answer are those of planning
    return plan_request(request, now=SystemClock().now(), solver=Solver())


def _plan_stored(request: PlanRequest) -> PlanReply:
    from services.cli.storage import unit_of_work
    from services.planner.milp.solver import Solver
    from services.planner.service.plans import plan_and_store

    now = SystemClock().now()
    with unit_of_work() as connection:
        _ensure_forecast(connection, request, now=now)
        return plan_and_store(request, lambda: connection, now=now, solver=Solver())


def _ensure_forecast(connection: "Connection", request: PlanRequest, *, now: datetime) -> None:
    """Issue what is to drive the plan where it has no fresh forecast of the start; where beat runs there always is one."""
    from luna.driving_forecast import find_missing_forecast
    from luna.objects import open_objects
    from luna.settings import load_settings
    from services.forecaster.service import issue_forecasts

    missing = find_missing_forecast(connection, request, now=now)
    if missing is not None:
        issue_forecasts(connection, missing, objects=open_objects(load_settings()), now=now)


def _show(reply: PlanReply, language: Language) -> None:
    words, numbers = TEXTS[language], Numbers(language, ZoneInfo(reply.timezone), reply.currency)
    for note in reply.notes:
        show_note(note, language)
    _show_slots(reply, numbers)
    _show_placed(reply, numbers)
    status = words[reply.status] + (words["assumed"] if any(note.assumed for note in reply.notes) else "")
    out.print(words["cost"].format(cost=numbers.money(reply.cost.total), status=status, plan=reply.plan_id))
    if reply.forecast:
        why = f": {reply.forecast.fallback_reason}" if reply.forecast.fallback_reason else ""
        out.print(words["forecast"].format(version=reply.forecast.version, issued=f"{reply.forecast.issued_at:%Y-%m-%d %H:%M}", why=why))
    _show_owner(reply, numbers)
    _show_objective(reply, numbers)
    show_compromises(reply.compromises, language)


def show_compromises(compromises: Sequence[CompromiseReply], language: Language) -> None:
    """Print what a plan could not hold."""
    for compromise in compromises:
        out.print(f"[yellow]{TEXTS[language]['not_met']}[/] {compromise.constraint}: {compromise.shortfall}")


def _show_owner(reply: PlanReply, numbers: Numbers) -> None:
    """Say which rules set what, and what the owner's blocks cost and could not have."""
    words = TEXTS[numbers.language]
    for rule in reply.strategy:
        out.print(words["rule"].format(parameter=rule.parameter, value=rule.value, rule=rule.rule, why=rule.why))
    if reply.manual is None:
        return
    out.print(words["manual"].format(cost=numbers.money(reply.manual.cost)))
    for block in (block for block in reply.manual.blocks if not block.applied):
        out.print(f"[yellow]{words['not_had']}[/] {block.device} {block.action}: {block.why}")


def _show_objective(reply: PlanReply, numbers: Numbers) -> None:
    """Say what counted beside money, and what that made of the plan."""
    words, beside = TEXTS[numbers.language], reply.objective.beside_cheapest if reply.objective else None
    if beside is None:
        return
    carbon = "" if beside.carbon_g is None else words["carbon"].format(kg=numbers.number(beside.carbon_g / 1e3, 2))
    out.print(words["beside"].format(cost=numbers.money(beside.cost), carbon=carbon, kwh=numbers.energy(beside.import_kwh)))
