"""Sentences about what steering does with a device at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from luna.words.devices import say_device
from luna.words.language import Language
from luna.words.numbers import Numbers
from luna.words.phrases import Phrases

# A message per code of ``SteeringReason``, and one per fault of a device.
STEERING = Phrases("steering", prefix="now_")
_ACTIONS = Phrases("steering", prefix="action_")
HINDERED = Phrases("steering", prefix="held_")
SLOT = Phrases("steering", prefix="slot_")


@dataclass(frozen=True, slots=True)
class SteeredAction:
    """Sentences of what steering has a device do, and why.

    Args:
        device: its name, or the key of all of its kind.
        mode: of its set-point.
        code: a code of ``STEERING``.
        power_kw: that is commanded, None where the mode has none.
        current_a: of each phase that a charger is held to.
        of_battery: whether the mode is a battery's.
    """

    device: str
    mode: str
    code: str
    power_kw: float | None = None
    current_a: float | None = None
    of_battery: bool = False


def format_steered(action: SteeredAction, numbers: Numbers) -> str:
    """Return what a device does and why: "Car: follows the sun, 3.7 kW"."""
    name = say_device(action.device, language=numbers.language)
    done = _say_action(action, numbers)
    return STEERING.say(action.code, numbers.language, name=name, action=done)


def format_stale(language: Language) -> str:
    """Return that the meters are silent, and what devices do meanwhile."""
    return STEERING.say("all_stale", language)


def format_hindered(name: str, hindered_s: Mapping[str, float], numbers: Numbers) -> str:
    """Return how long each reason held a device back: "Car: 4 min the fuse"."""
    parts = []
    for code, seconds in sorted(hindered_s.items(), key=_read_seconds, reverse=True):
        minutes = max(round(seconds / 60), 1)
        reason = HINDERED.say(code, numbers.language)
        parts.append(SLOT.say("held", numbers.language, minutes=minutes, reason=reason))
    return f"{name}: {', '.join(parts)}"


def _read_seconds(hindered: tuple[str, float]) -> float:
    return hindered[1]


def _say_action(action: SteeredAction, numbers: Numbers) -> str:
    """Return the commanded power or mode."""
    language = numbers.language
    if action.current_a is not None and action.code == "fuse_limit":
        return _ACTIONS.say("current", language, current=numbers.number(action.current_a))
    if action.power_kw is None:
        return _ACTIONS.say(action.mode, language)
    mode = f"battery_{action.mode}" if action.of_battery else action.mode
    code = mode if mode in _ACTIONS else "power"
    return _ACTIONS.say(code, language, power=numbers.power(action.power_kw))
