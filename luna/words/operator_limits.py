"""Sentences about an operator's limits: what holds, how it came, and what was done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from luna.energy.devices import DEVICE_KINDS
from luna.energy.limit_outcome import BindingLimit, LimitOutcome, list_flows
from luna.energy.operator_limits import OperatorLimit
from luna.energy.site import Site
from luna.words.devices import say_device
from luna.words.language import Language
from luna.words.numbers import Numbers, join_words
from luna.words.phrases import Phrases
from luna.words.times import say_edges, say_when

_LIMITS = Phrases("operator_limits")
# A kind's devices as the object of a sentence; a kind without these words is never limited.
_LIMITED = Phrases((), devices="limited_")
# By the way that a limit came, see ``OperatorLimit``.
_SOURCES = {
    "api": "source_api",
    "home_assistant": "source_home_assistant",
    "mqtt": "source_mqtt",
    "contact": "source_contact",
    "lpc": "source_box",
    "lpp": "source_box",
    "openadr": "source_openadr",
    "ieee2030.5": "source_ieee2030",
    "owner": "source_owner",
}


@dataclass(frozen=True, slots=True)
class LimitEvent:
    """A limit as its owner hears of it at an instant.

    Args:
        limit: that holds or is over.
        devices: as ``count_limited`` returned them.
        at: the instant of the sentence.
        outcome: None while the limit has only begun.
    """

    limit: OperatorLimit
    devices: Mapping[str, int]
    at: datetime
    outcome: LimitOutcome | None = None


def count_limited(site: Site) -> dict[str, int]:
    """Return how many devices of each kind share a limit of devices: those that Luna controls."""
    controlled = () if site.control is None else site.control.devices
    counts: dict[str, int] = {}
    for kind in DEVICE_KINDS:
        if kind.commands is None or kind.name not in _LIMITED:
            continue
        for device in kind.of(site):
            if kind.commands.key(device.name) in controlled:
                counts[kind.name] = counts.get(kind.name, 0) + 1
    return counts


def format_event(event: LimitEvent, numbers: Numbers) -> str:
    """Return what a limit bounds and until when, or what it bounded."""
    sentences = []
    for flow in list_flows(event.limit):
        over = event.limit.end is not None and event.limit.end <= event.at
        sentence = _say_over if over else _say_hold
        sentences.append(sentence(flow, event, numbers))
    return " ".join(sentences)


def format_binding(
    binding: BindingLimit, devices: Mapping[str, int], *, now: datetime, numbers: Numbers
) -> str:
    """Return what the strictest limit of a flow bounds, and until when."""
    return _say_hold(binding, LimitEvent(binding.limit, devices, now), numbers)


def format_since(limit: OperatorLimit, *, now: datetime, numbers: Numbers) -> str:
    """Return since when a limit holds, and through what it came."""
    start = say_when(limit.start, now=now, numbers=numbers)
    source = format_source(limit.source, numbers.language)
    return _LIMITS.say("since", numbers.language, start=start, source=source)


def format_source(source: str, language: Language) -> str:
    """Return through what a limit came; an unknown way is named as it is stored."""
    return _LIMITS.say(_SOURCES[source], language) if source in _SOURCES else source


def format_most(event: LimitEvent, numbers: Numbers) -> str:
    """Return what a limit bounds, as in a table: "4.2 kW for your car"."""
    parts = []
    for flow in list_flows(event.limit):
        code = f"most_{flow.flow}"
        figures = _say_flow(flow, event, numbers)
        parts.append(_LIMITS.say(code, numbers.language, **figures))
    return ", ".join(parts)


def list_done(event: LimitEvent, numbers: Numbers) -> Iterator[str]:
    """Yield what was measured and done while a limit held, a sentence each."""
    outcome = event.outcome
    if outcome is None:
        return
    language = numbers.language
    if event.limit.import_kw is not None:
        if outcome.highest_import_kw is not None:
            power = numbers.power(outcome.highest_import_kw)
            yield _LIMITS.say("done_import", language, power=power)
        yield from _list_devices(outcome, numbers)
    if event.limit.export_kw is not None and outcome.highest_export_kw is not None:
        power = numbers.power(outcome.highest_export_kw)
        yield _LIMITS.say("done_export", language, power=power)


def _list_devices(outcome: LimitOutcome, numbers: Numbers) -> Iterator[str]:
    language = numbers.language
    for device in outcome.devices:
        yield _LIMITS.say(
            "done_device",
            language,
            device=say_device(device.device, language=language),
            allowed=numbers.power(device.allowed_kw),
            planned=numbers.power(device.planned_kw),
        )
    if outcome.devices:
        yield _LIMITS.say("done_less", language, energy=numbers.energy(outcome.less_kwh))
    else:
        yield _LIMITS.say("done_none", language)


def _say_hold(flow: BindingLimit, event: LimitEvent, numbers: Numbers) -> str:
    language = numbers.language
    end = flow.limit.end
    until = _LIMITS.say("until_released", language)
    if end is not None:
        at = say_when(end, now=event.at, numbers=numbers)
        until = _LIMITS.say("until", language, at=at)
    figures = _say_flow(flow, event, numbers)
    return _LIMITS.say(_name(f"hold_{flow.flow}", event), language, until=until, **figures)


def _say_over(flow: BindingLimit, event: LimitEvent, numbers: Numbers) -> str:
    end = flow.limit.end or event.at
    start_words, end_words = say_edges(flow.limit.start, end, now=event.at, numbers=numbers)
    figures = _say_flow(flow, event, numbers)
    name = _name(f"over_{flow.flow}", event)
    return _LIMITS.say(name, numbers.language, start=start_words, end=end_words, **figures)


def _name(sentence: str, event: LimitEvent) -> str:
    """Return the name of a sentence: an owner's limits have sentences of their own."""
    return f"own_{sentence}" if event.limit.source == "owner" else sentence


def _say_flow(flow: BindingLimit, event: LimitEvent, numbers: Numbers) -> dict[str, str]:
    language = numbers.language
    names = [
        _LIMITED.say(kind, language, count=count) for kind, count in event.devices.items()
    ] or [_LIMITS.say("limited_all", language)]
    return {"power": numbers.power(flow.most_kw), "devices": join_words(names, language)}
