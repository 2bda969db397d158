"""Notifications to owners: title and text of an event."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from luna.words.agent import MODES
from luna.words.car_draw import format_draw
from luna.words.compromises import retell_compromise
from luna.words.devices import say_device
from luna.words.language import Language
from luna.words.notes import say_note
from luna.words.numbers import Numbers, say_day
from luna.words.operator_limits import LimitEvent, format_event, format_source, list_done
from luna.words.phrases import Phrases, refuse_code, refuse_missing_figure
from luna.words.quality import say_role
from luna.words.standing import say_doing


class MessageWords(NamedTuple):
    """Title and text of a notification."""

    title: str
    text: str


# By code of the event. ``at``, ``start`` and ``until`` are instants, ``end`` is shown as a clock
# time, ``price``, ``usual`` are prices, ``saved`` is money, ``days`` a count, ``since`` an ISO
# date, ``missed`` a plan's compromises, ``note`` code and figures of a plan's note, ``limit`` the
# event of an operator's limit, ``draw`` what a car draws, ``wanted`` a share of its capacity.
MESSAGES = Phrases("messages", "text_")
TITLES = Phrases("messages", "title_")
# The name of the home before a text.
_PLACES = Phrases("messages", "with_")
_PRICES = ("price", "usual")
_MONEY = ("saved",)


def say_message(
    code: str, figures: Mapping[str, Any], *, site: str, numbers: Numbers
) -> MessageWords:
    """Return title and text of a message.

    Args:
        code: of the event.
        figures: of the event.
        site: name of the home that the text begins with; empty: none.
        numbers: formats of the reader.

    Raises:
        InvalidInputError: an unknown code, or a figure that its sentence needs is missing.
    """
    if code not in MESSAGES:
        raise refuse_code(code, MESSAGES, "code")
    texts = {name: _say(name, value, numbers) for name, value in figures.items()}
    try:
        title = TITLES.say(code, numbers.language, **texts)
        text = MESSAGES.say(code, numbers.language, **(texts | _say_parts(figures, numbers)))
    except KeyError as exc:
        raise refuse_missing_figure(exc, "figures") from exc
    text = text.strip()
    if site:
        text = _PLACES.say("site", numbers.language, site=site, text=text)
    return MessageWords(title, text)


def _say_parts(figures: Mapping[str, Any], numbers: Numbers) -> dict[str, str]:
    """Return the figures that stand in the text alone."""
    parts = {}
    # Several batteries are one device in the title; the text names each.
    if "batteries" in figures:
        names = [say_device(name, language=numbers.language) for name in figures["batteries"]]
        parts["device"] = ", ".join(names)
    if "note" in figures:
        note_code, note_figures = figures["note"]
        parts["note"] = say_note(note_code, note_figures, numbers)
    if "draw" in figures:
        parts["draw"] = format_draw(figures["device"], figures["draw"], numbers)
    if "wanted" in figures:
        parts["wanted"] = numbers.share(figures["wanted"])
    if "limit" in figures:
        event: LimitEvent = figures["limit"]
        parts["limit"] = format_event(event, numbers)
        parts["source"] = format_source(event.limit.source, numbers.language)
        parts["done"] = " ".join(list_done(event, numbers))
    return parts


def _say(name: str, value: Any, numbers: Numbers) -> str:
    if isinstance(value, datetime):
        clock = numbers.clock(value)
        return clock if name == "end" else f"{numbers.weekday(value)} {clock}"
    if name == "missed":
        missed = [": ".join(retell_compromise(compromise, numbers)) for compromise in value]
        return "; ".join(missed)
    if name == "doing":
        return say_doing(value[0], value[1], numbers)
    if name in _NAMES:
        return _NAMES[name](value, numbers.language)
    return _say_amount(name, value, numbers)


def _say_name(value: str, language: Language) -> str:
    return say_device(value, language=language)


def _say_mode(value: str, language: Language) -> str:
    return MODES.say(value, language)


def _say_since(value: str, language: Language) -> str:
    return say_day(date.fromisoformat(value), language)


_NAMES: dict[str, Callable[[str, Language], str]] = {
    "device": _say_name,
    "mode": _say_mode,
    "role": say_role,
    "since": _say_since,
}


def _say_amount(name: str, value: Any, numbers: Numbers) -> str:
    if name in _PRICES:
        return numbers.price(value, decimals=1)
    return numbers.money(value) if name in _MONEY else str(value)
