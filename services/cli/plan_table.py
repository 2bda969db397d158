"""Read a stored plan, and print one as a table: the start of each mode, energy flows and prices
until the next one, and the reason.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from luna.contracts.plan import CompromiseReply, PlanReply, SlotReply
from luna.contracts.plan_lines import join_slots, say_note
from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers, mode, say_instant
from luna.words.numbers import NBSP, UNKNOWN
from luna.words.phrases import read_texts
from services.cli.console import out, table, write_text

if TYPE_CHECKING:
    from luna.platform.desk.desk import Desk

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
    from luna.platform.capabilities.plans import read_latest_plan, read_plan

    if (plan is None) == (site is None):
        raise InvalidInputError(
            "give either --plan or --site",
            field="--plan",
            remedy="luna plans list shows which there are.",
        )
    stored: PlanReply = (
        desk.ask(read_latest_plan, {"site_id": site})
        if plan is None
        else desk.ask(read_plan, {"plan_id": plan})
    )
    return stored


def show_plan(reply: PlanReply, language: Language) -> None:
    """Print a plan with the inputs that it is based on."""
    words = read_texts("plan_command", language)
    numbers = Numbers(language, ZoneInfo(reply.timezone), reply.currency)
    for note in reply.notes:
        write_text(say_note(note, language))
    _show_slots(reply, numbers)
    _show_devices(reply, numbers)
    status = words[reply.status] + (
        f" {words['assumed']}" if any(note.assumed for note in reply.notes) else ""
    )
    out.print(
        words["cost"].format(
            cost=numbers.money(reply.cost.total), status=status, plan=reply.plan_id
        )
    )
    if reply.gap_cost is not None and reply.gap_cost >= LEAST_GAP_COST:
        out.print(words["gap_cost"].format(cost=numbers.price(reply.gap_cost, decimals=1)))
    if reply.forecast:
        why = f": {reply.forecast.fallback_reason}" if reply.forecast.fallback_reason else ""
        out.print(
            words["forecast"].format(
                version=reply.forecast.version,
                issued=say_instant(reply.forecast.issued_at, numbers.zone),
                why=why,
            )
        )
    for rule in reply.strategy:
        out.print(
            words["rule"].format(
                parameter=rule.parameter, value=f"{rule.value:g}", rule=rule.rule, why=rule.why
            )
        )
    if reply.manual is not None and reply.manual.cost is not None:
        out.print(words["manual"].format(cost=numbers.money(reply.manual.cost)))
    for block in (
        block for block in (reply.manual.blocks if reply.manual else ()) if not block.applied
    ):
        out.print(f"[yellow]{words['not_had']}[/] {block.device} {block.action}: {block.why}")
    beside = reply.objective.beside_cheapest if reply.objective else None
    if beside is not None:
        carbon = (
            ""
            if beside.carbon_g is None
            else words["carbon"].format(kg=numbers.number(beside.carbon_g / 1e3, 2))
        )
        out.print(
            words["beside"].format(
                cost=numbers.money(beside.cost),
                carbon=carbon,
                kwh=numbers.energy(beside.import_kwh),
            )
        )
    show_compromises(reply.compromises, language)


def show_compromises(compromises: Sequence[CompromiseReply], language: Language) -> None:
    """Print the constraints that a plan violates."""
    for compromise in compromises:
        heading = read_texts("plan_command", language)[
            "not_found" if compromise.unproven else "not_met"
        ]
        out.print(f"[yellow]{heading}[/] {compromise.constraint}: {compromise.shortfall}")


def _show_devices(reply: PlanReply, numbers: Numbers) -> None:
    """Print a table of the scheduled flexible devices, if any."""
    words = read_texts("plan_command", numbers.language)
    rows = []
    for flows in zip(
        *([(slot, *pair) for pair in slot.placed] for slot in reply.slots), strict=True
    ):
        # A row for each run of slots with one reason; devices without reasons have none.
        for text, run in groupby(
            flows, key=lambda each: getattr(getattr(each[2], "reason", None), "text", "")
        ):
            flows_in_row = list(run)
            (first, name, _), energy = (
                flows_in_row[0],
                sum(flow.used_kwh for _, _, flow in flows_in_row),
            )
            if text:
                rows.append(
                    [
                        f"{numbers.weekday(first.start)} {numbers.clock(first.start)}",
                        name,
                        numbers.energy(energy),
                        text,
                    ]
                )
    if rows:
        table(
            [words[name] for name in ("from", "what", "energy", "reason")],
            rows,
            words=(words["what"], words["reason"]),
        )


def _say_battery(slots: Sequence[SlotReply], name: str, numbers: Numbers) -> tuple[str, str]:
    """Return what a battery stores in the slots, kWh, and how full it is at their end."""
    flows = [slot.batteries[name] for slot in slots if name in slot.batteries]
    stored_kwh = sum(flow.charge_kwh - flow.discharge_kwh for flow in flows)
    return numbers.number(stored_kwh, 1), numbers.share(flows[-1].soc_end) if flows else UNKNOWN


def _show_slots(reply: PlanReply, numbers: Numbers) -> None:
    """Print a line for each run of one mode and reason: start, flows, state of charge at the end,
    prices, reason.
    """
    words = read_texts("plan_command", numbers.language)
    lines = join_slots(reply.slots, numbers)
    title = words["title"].format(site=reply.site, zone=reply.timezone)
    unit = numbers.price_unit[1]
    units = {
        "battery": "kWh",
        "house": "kWh",
        "pv": "kWh",
        "grid": "kWh",
        "buy": unit,
        "sell": unit,
    }
    names = ("from", "mode", "battery", "charge", "house", "pv", "grid", "buy", "sell")
    headings = [f"{words[name]}\n{units[name]}" if name in units else words[name] for name in names]
    # A price that is the same at any time is no market's.
    varying = {
        name
        for name in ("import_price", "export_price")
        if len({getattr(slot, name) for slot in reply.slots}) > 1
    }
    known_until = reply.prices_known_until or reply.slots[-1].start + timedelta(
        minutes=reply.slot_minutes
    )
    batteries = list(reply.slots[0].batteries) if reply.slots else []
    if len(batteries) > 1:
        # Each battery has the two columns by its name.
        headings[2:4] = [
            heading
            for name in batteries
            for heading in (f"{name}\nkWh", f"{name}\n{words['charge']}")
        ]
    rows: list[list[str]] = []
    for day, lines_of_day in groupby(lines, key=lambda line: numbers.day(line.slots[0].start)):
        rows.append([day, *[""] * len(headings)])
        for line in lines_of_day:
            first = line.slots[0]
            last = line.slots[-1]
            grid = sum(slot.import_kwh - slot.export_kwh for slot in line.slots)
            energies = [
                *(
                    sum(getattr(slot, name) for slot in line.slots)
                    for name in ("load_kwh", "pv_kwh")
                ),
                grid,
            ]
            house, pv, net = (numbers.number(energy, 1) for energy in energies)
            stored = [
                cell for name in batteries for cell in _say_battery(line.slots, name, numbers)
            ] or [numbers.number(0.0, 1), UNKNOWN]
            # The range of prices, without their unit.
            prices = []
            for name in ("import_price", "export_price"):
                span = [getattr(slot, name) for slot in line.slots]
                is_predicted = name in varying and last.start >= known_until
                prices.append(
                    (PREDICTED if is_predicted else "")
                    + numbers.price_range(min(span), max(span)).partition(NBSP)[0]
                )
            whose = f"{first.reason.device}: " if first.reason.device else ""
            called = mode(first.mode, language=numbers.language).full
            rows.append(
                [
                    numbers.clock(first.start),
                    called,
                    *stored,
                    house,
                    pv,
                    net,
                    *prices,
                    whose + line.text,
                ]
            )
    if out.width >= WIDE:
        table(
            [*headings, words["reason"]], rows, title=title, words=(words["mode"], words["reason"])
        )
    else:
        table(headings, [row[:-1] for row in rows], title=title, words=(words["mode"],))
        table(
            [words["from"], words["reason"]],
            [[row[0], row[-1]] for row in rows],
            words=(words["reason"],),
        )
    if varying and reply.slots[-1].start >= known_until:
        out.print(words["predicted"].format(mark=PREDICTED))
