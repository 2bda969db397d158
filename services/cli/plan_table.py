"""A plan as a table for people: slots in a row of which one sentence is true are one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from luna.contracts.plan import PlanReply, SlotReply
from luna.errors import InvalidInputError
from luna.wording import Numbers, Sentences, mode
from luna.wording.runs import join_figures
from services.cli.console import table
from services.cli.plan_texts import TEXTS


@dataclass(frozen=True, slots=True)
class Line:
    """Slots in a row of one mode and one reason; ``text`` is true of all of them."""

    slots: list[SlotReply]
    text: str


def show_slots(reply: PlanReply, numbers: Numbers) -> None:
    """Print when which mode begins, what goes into the batteries and comes from the grid until the next, and why."""
    words = TEXTS[numbers.language]
    headings = [words[name] for name in ("from", "mode", "battery", "grid", "reason")]
    title = words["title"].format(site=reply.site, zone=reply.timezone)
    table(headings, [_row(line, numbers) for line in join_slots(reply.slots, numbers)], title=title, words=(words["mode"], words["reason"]))


def join_slots(slots: Sequence[SlotReply], numbers: Numbers) -> list[Line]:
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
