"""A plan's slots joined to lines of one mode and reason, each with a sentence.

And its notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from luna.contracts.plan import NoteReply, SlotReply
from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers, Sentences
from luna.words.modes import join_figures
from luna.words.phrases import read_texts


@dataclass(frozen=True, slots=True)
class PlanLine:
    """Slots in a row of one mode and reason; ``text`` is true of all of them."""

    slots: list[SlotReply]
    text: str


def join_slots(slots: Sequence[SlotReply], numbers: Numbers) -> list[PlanLine]:
    """Return a plan's slots as lines.

    Each ends with its local day at the latest, and its text is in the language of ``numbers`` where
    slots were joined.
    """
    spoken = Sentences(numbers)
    lines = [PlanLine([slots[0]], slots[0].reason.text)]
    for slot in slots[1:]:
        together = [*lines[-1].slots, slot]
        last = lines[-1].slots[0]
        # Of one local day, mode and reason.
        is_alike = numbers.day(last.start) == numbers.day(slot.start) and (
            last.mode,
            last.reason.code,
            last.reason.device,
        ) == (
            slot.mode,
            slot.reason.code,
            slot.reason.device,
        )
        text = _format_together(together, spoken) if is_alike else None
        if text is None:
            lines.append(PlanLine([slot], slot.reason.text))
        else:
            lines[-1] = PlanLine(together, text)
    return lines


def _format_together(slots: list[SlotReply], spoken: Sentences) -> str | None:
    """Return the sentence that is true of all slots; None where there is none."""
    code = slots[0].reason.code
    texts = {slot.reason.text for slot in slots}
    if len(texts) == 1 and "kwh" not in slots[0].reason.figures:
        return texts.pop()
    try:
        figures_by_slot: list[dict[str, Any]] = []
        for slot in slots:
            slot_figures: dict[str, Any] = dict(slot.reason.figures)
            for name in ("time", "start"):
                if name in slot_figures:
                    slot_figures[name] = datetime.fromisoformat(str(slot_figures[name]))
            figures_by_slot.append(slot_figures)
        figures = join_figures(code, figures_by_slot)
        return None if figures is None else spoken.say(code, figures)
    # A plan of another version may say what has no words here
    except (InvalidInputError, KeyError):
        return None


def format_note(note: NoteReply, language: Language = "en") -> str:
    """Return a note with the command that goes with it, marked if it was assumed."""
    words = read_texts("plan_command", language)
    command = words.get(f"do_{note.code}", "").format_map(note.figures)
    head = words["head_assumed" if note.assumed else "head_note"]
    return f"{head}: {note.text} {command}".rstrip()
