"""Notifications to owners: title and text of an event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from luna.energy.devices.battery import BATTERIES
from luna.energy.errors import InvalidInputError
from luna.words.agent import MODES
from luna.words.compromises import retell_compromise
from luna.words.devices import say_device
from luna.words.language import Language
from luna.words.notes import say_note
from luna.words.numbers import Numbers
from luna.words.phrases import Phrases
from luna.words.standing import say_doing


class MessageWords(NamedTuple):
    """Title and text of a notification."""

    title: str
    text: str


# By code of the event. ``at``, ``start`` and ``end`` are instants, ``price``, ``usual`` prices,
# ``saved`` money, ``days`` a count, ``missed`` a plan's compromises, ``note`` code and figures of a
# plan's note.
MESSAGES = Phrases("messages", "text_")
TITLES = Phrases("messages", "title_")
_NAMES = Phrases("messages", "name_")
_PRICES = ("price", "usual")
_MONEY = ("saved",)


def say_message(
    code: str, figures: Mapping[str, Any], *, site: str, numbers: Numbers
) -> MessageWords:
    """Return title and text of a message.

    Raises:
        InvalidInputError: an unknown code, or a figure that its sentence needs is missing.
    """
    if code not in MESSAGES:
        raise InvalidInputError(
            "has no words", field="code", value=code, remedy=f"Known are {', '.join(MESSAGES)}."
        )
    texts = {name: _say(name, value, numbers) for name, value in figures.items()}
    # Several batteries are told together, and read of by their names.
    if "batteries" in figures:
        names = [say_device(name, language=numbers.language) for name in figures["batteries"]]
        texts["device"] = ", ".join(names)
    if "note" in figures:
        note_code, note_figures = figures["note"]
        texts["note"] = say_note(note_code, note_figures, numbers)
    try:
        return MessageWords(
            TITLES.say(code, numbers.language),
            MESSAGES.say(code, numbers.language, site=site, **texts).strip(),
        )
    except KeyError as exc:
        raise InvalidInputError(
            "the sentence needs a figure", field="figures", value=str(exc.args[0])
        ) from exc


def _say(name: str, value: Any, numbers: Numbers) -> str:
    if isinstance(value, datetime):
        return f"{numbers.weekday(value)} {numbers.clock(value)}"
    if name == "missed":
        missed = [": ".join(retell_compromise(compromise, numbers)) for compromise in value]
        return "; ".join(missed)
    if name == "doing":
        return say_doing(value[0], value[1], numbers)
    if name == "mode":
        return MODES.say(value, numbers.language)
    if name == "device" or value == BATTERIES:
        return _name_device(value, numbers.language)
    return _say_amount(name, value, numbers)


def _name_device(key: str, language: Language) -> str:
    if key == BATTERIES:
        return _NAMES.say("batteries", language)
    return say_device(key, language=language)


def _say_amount(name: str, value: Any, numbers: Numbers) -> str:
    if name in _PRICES:
        return numbers.price(value, decimals=1)
    return numbers.money(value) if name in _MONEY else str(value)
