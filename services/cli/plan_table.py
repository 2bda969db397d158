"""Read a stored plan, and print it as a table of modes, flows, prices and reasons."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from luna.contracts.plan import CompromiseReply, PlanReply, SlotReply
from luna.contracts.plan_lines import PlanLine, format_note, join_slots
from luna.contracts.price_sentences import format_price_spans
from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers, mode, say_instant
from luna.words.numbers import NBSP, UNKNOWN
from luna.words.phrases import read_texts
from services.cli.console import out, table, write_text

if TYPE_CHECKING:
    from luna.house.desk.desk import Desk

# Fewest columns for reasons beside the figures; in a narrower terminal reasons have a table of
# their own.
WIDE = 130
# Less is not shown, in the site's currency.
LEAST_GAP_COST = 0.0005
# Before a price that nobody has published yet.
PREDICTED = "~"


def read_stored(desk: "Desk", plan: str | None, site: str | None) -> PlanReply:
    """Return a plan by its id, or the newest one of a site.

    Raises:
        InvalidInputError: neither is named, or both.
        NotFoundError: no such plan or site, or the site has none yet.
    """
    # A plan from a file needs neither database nor queue.
    from luna.house.capabilities.plans import read_latest_plan, read_plan

    if (plan is None) == (site is None):
        raise InvalidInputError(
            "give either --plan or --site",
            field="--plan",
            remedy="List plans with luna plans list.",
        )
    stored: PlanReply
    if plan is None:
        stored = desk.ask(read_latest_plan, {"site_id": site})
    else:
        stored = desk.ask(read_plan, {"plan_id": plan})
    return stored


def show_plan(reply: PlanReply, language: Language) -> None:
    """Print a plan with the inputs that it is based on."""
    words = read_texts("plan_command", language)
    numbers = Numbers(language, ZoneInfo(reply.timezone), reply.currency)
    for note in reply.notes:
        write_text(format_note(note, language))
    _show_slots(reply, numbers)
    _show_devices(reply, numbers)
    status = words[reply.status]
    if any(note.assumed for note in reply.notes):
        status = f"{status} {words['assumed']}"
    cost = numbers.money(reply.cost.total)
    out.print(words["cost"].format(cost=cost, status=status, plan=reply.plan_id))
    if reply.gap_cost is not None and reply.gap_cost >= LEAST_GAP_COST:
        out.print(words["gap_cost"].format(cost=numbers.price(reply.gap_cost, decimals=1)))
    _show_price_versions(reply, numbers)
    if reply.forecast:
        why = f": {reply.forecast.fallback_reason}" if reply.forecast.fallback_reason else ""
        issued = say_instant(reply.forecast.issued_at, numbers.zone)
        version = reply.forecast.version
        out.print(words["forecast"].format(version=version, issued=issued, why=why))
    for rule in reply.strategy:
        value = f"{rule.value:g}"
        sentence = words["rule"].format(
            parameter=rule.parameter, value=value, rule=rule.rule, why=rule.why
        )
        out.print(sentence)
    if reply.manual is not None:
        if reply.manual.cost is not None:
            out.print(words["manual"].format(cost=numbers.money(reply.manual.cost)))
        for block in reply.manual.blocks:
            if not block.applied:
                heading = f"[yellow]{words['not_had']}[/]"
                out.print(f"{heading} {block.device} {block.action}: {block.why}")
    _show_beside_cheapest(reply, numbers)
    show_compromises(reply.compromises, language)


def _show_price_versions(reply: PlanReply, numbers: Numbers) -> None:
    """Print whose prices the plan uses until when."""

    def format_at(instant: datetime) -> str:
        return f"{numbers.weekday(instant)} {numbers.clock(instant)}"

    for sentence in format_price_spans(reply.price_spans, numbers, format_at=format_at):
        out.print(sentence)


def _show_beside_cheapest(reply: PlanReply, numbers: Numbers) -> None:
    """Print how a plan with another aim differs from the cheapest one."""
    beside = reply.objective.beside_cheapest if reply.objective else None
    if beside is None:
        return
    words = read_texts("plan_command", numbers.language)
    carbon = ""
    if beside.carbon_g is not None:
        carbon = words["carbon"].format(kg=numbers.number(beside.carbon_g / 1e3, 2))
    cost = numbers.money(beside.cost)
    kwh = numbers.energy(beside.import_kwh)
    out.print(words["beside"].format(cost=cost, carbon=carbon, kwh=kwh))


def show_compromises(compromises: Sequence[CompromiseReply], language: Language) -> None:
    """Print the constraints that a plan violates."""
    words = read_texts("plan_command", language)
    for compromise in compromises:
        heading = words["not_found" if compromise.unproven else "not_met"]
        out.print(f"[yellow]{heading}[/] {compromise.constraint}: {compromise.shortfall}")


def _show_devices(reply: PlanReply, numbers: Numbers) -> None:
    """Print a table of the scheduled flexible devices, if any."""
    words = read_texts("plan_command", numbers.language)
    rows = []
    flows_by_slot = []
    for slot in reply.slots:
        flows_by_slot.append([(slot, name, flow) for name, flow in slot.scheduled])
    for flows in zip(*flows_by_slot, strict=True):
        # A row for each run of slots with one reason; devices without reasons have none.
        for reason, group in groupby(flows, key=_reason_text):
            run = list(group)
            if not reason:
                continue
            first_slot, name, _ = run[0]
            start = f"{numbers.weekday(first_slot.start)} {numbers.clock(first_slot.start)}"
            energy_kwh = sum(flow.used_kwh for _, _, flow in run)
            rows.append([start, name, numbers.energy(energy_kwh), reason])
    if rows:
        headings = [words[name] for name in ("from", "what", "energy", "reason")]
        table(headings, rows, words=(words["what"], words["reason"]))


def _reason_text(flow: tuple[SlotReply, str, Any]) -> str:
    reason = getattr(flow[2], "reason", None)
    return getattr(reason, "text", "")


def _say_battery(slots: Sequence[SlotReply], name: str, numbers: Numbers) -> tuple[str, str]:
    """Return the energy in kWh that a battery stores in the slots, and its final charge."""
    flows = [slot.batteries[name] for slot in slots if name in slot.batteries]
    stored_kwh = sum(flow.charge_kwh - flow.discharge_kwh for flow in flows)
    charge = numbers.share(flows[-1].soc_end) if flows else UNKNOWN
    return numbers.number(stored_kwh, 1), charge


def _show_slots(reply: PlanReply, numbers: Numbers) -> None:
    """Print a line for each run of one mode and reason."""
    words = read_texts("plan_command", numbers.language)
    title = words["title"].format(site=reply.site, zone=reply.timezone)
    headings = _list_headings(reply, numbers)
    slot_length = timedelta(minutes=reply.slot_minutes)
    known_until = reply.prices_known_until or reply.slots[-1].start + slot_length
    # A price that is the same at any time is no market's.
    varying = set()
    for name in ("import_price", "export_price"):
        if len({getattr(slot, name) for slot in reply.slots}) > 1:
            varying.add(name)
    batteries = list(reply.slots[0].batteries) if reply.slots else []
    rows: list[list[str]] = []
    lines = join_slots(reply.slots, numbers)

    def name_day(line: PlanLine) -> str:
        return numbers.day(line.slots[0].start)

    for day, lines_of_day in groupby(lines, key=name_day):
        rows.append([day, *[""] * len(headings)])
        for line in lines_of_day:
            is_ahead = line.slots[-1].start >= known_until
            prices = []
            for name in ("import_price", "export_price"):
                is_predicted = is_ahead and name in varying
                prices.append(_say_price(line, name, numbers, is_predicted=is_predicted))
            rows.append(_list_cells(line, batteries, prices, numbers))
    mode_words = words["mode"]
    reason = words["reason"]
    if out.width >= WIDE:
        table([*headings, reason], rows, title=title, words=(mode_words, reason))
    else:
        figures = [row[:-1] for row in rows]
        reasons = [[row[0], row[-1]] for row in rows]
        table(headings, figures, title=title, words=(mode_words,))
        table([words["from"], reason], reasons, words=(reason,))
    if varying and reply.slots[-1].start >= known_until:
        out.print(words["predicted"].format(mark=PREDICTED))


def _list_headings(reply: PlanReply, numbers: Numbers) -> list[str]:
    """Return the headings of a plan's slots, without that of the reason."""
    words = read_texts("plan_command", numbers.language)
    price_unit = numbers.price_unit[1]
    batteries = list(reply.slots[0].batteries) if reply.slots else []
    headings = [words["from"], words["mode"]]
    if len(batteries) > 1:
        # Each battery has the two columns by its name.
        for name in batteries:
            headings += [f"{name}\nkWh", f"{name}\n{words['charge']}"]
    else:
        headings += [f"{words['battery']}\nkWh", words["charge"]]
    headings += [f"{words[name]}\nkWh" for name in ("house", "pv", "grid")]
    headings += [f"{words[name]}\n{price_unit}" for name in ("buy", "sell")]
    return headings


def _list_cells(
    line: PlanLine, batteries: Sequence[str], prices: Sequence[str], numbers: Numbers
) -> list[str]:
    """Return a line's cells: start, mode, batteries, energies, prices and reason."""
    first = line.slots[0]
    stored: list[str] = []
    for name in batteries:
        stored += _say_battery(line.slots, name, numbers)
    if not batteries:
        stored = [numbers.number(0.0, 1), UNKNOWN]
    load_kwh = sum(slot.load_kwh for slot in line.slots)
    pv_kwh = sum(slot.pv_kwh for slot in line.slots)
    grid_kwh = sum(slot.import_kwh - slot.export_kwh for slot in line.slots)
    device = f"{first.reason.device}: " if first.reason.device else ""
    names = mode(first.mode, language=numbers.language)
    return [
        numbers.clock(first.start),
        names.full if out.width >= WIDE else names.short,
        *stored,
        numbers.number(load_kwh, 1),
        numbers.number(pv_kwh, 1),
        numbers.number(grid_kwh, 1),
        *prices,
        device + line.text,
    ]


def _say_price(line: PlanLine, name: str, numbers: Numbers, *, is_predicted: bool) -> str:
    """Return the range of a line's prices without their unit."""
    prices = [getattr(slot, name) for slot in line.slots]
    text = numbers.price_range(min(prices), max(prices)).partition(NBSP)[0]
    return f"{PREDICTED}{text}" if is_predicted else text
