"""Sentences on a forecast's difference from the usual, and on the causes of a changed plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from luna.words.devices import say_device
from luna.words.language import language_forms
from luna.words.numbers import HALF_CENT, NBSP, Numbers
from luna.words.phrases import Phrases, refuse_code

SeriesName = Literal["load", "pv"]
LEAST_KW = 0.005  # shown as nothing in two decimals
LEAST_FACTS = {"temperature": 0.05, "sky": 1.0}  # °C, W/m²; everything else in kW


@dataclass(frozen=True, slots=True)
class Difference:
    """The contribution of one reason to the difference from the usual.

    Args:
        fact: the reason's own quantity above its mean of the last seven days, in °C for
            ``temperature``, W/m² for ``sky``, else kW; None where unknown.
    """

    code: str
    kw: float
    fact: float | None = None


@dataclass(frozen=True, slots=True)
class MovedRun:
    """A device's run in one mode that a new plan begins at another time.

    Args:
        minutes: by how much later; negative: earlier.
    """

    device: str
    mode: str
    minutes: int


# Reasons whose fact has the sign of the contribution; where it has not, as a sunny hour behind a
# roof, naming the fact would confuse.
ALIGNED = {("hours", "load"), ("hours", "pv"), ("days", "load"), ("days", "pv"), ("sky", "pv")}

# Message names: code, series where load and PV differ, and direction of the fact where it has its
# own wording.
_REASONS = Phrases("differences", "reason_")
_SLOT = Phrases("differences", "slot_")
# Causes of a changed plan, with the direction of their figure where it has its own wording.
_CAUSES = Phrases("differences", "cause_", devices="cause_")
_EFFECTS = Phrases("differences", "effect_")
# The modes that a moved run may have, with their verbs.
MOVED_MODES = Phrases("differences", "does_")


def describe_difference(
    difference: Difference, *, series: SeriesName, start: datetime, numbers: Numbers
) -> str:
    """Return one reason with its contribution.

    For example "3.2 °C colder than in the last seven days: +0.30 kW".

    Args:
        start: of the slot, for the day of the week.

    Raises:
        InvalidInputError: an unknown reason.
    """
    code = difference.code
    fact = difference.fact
    way = _find_way(difference, series)
    of_series = f"{code}_{series}"
    names = (f"{code}_{way}", code, f"{of_series}_{way}", of_series)
    name = next((name for name in names if name in _REASONS), None)
    if name is None:
        raise refuse_code(code, list_difference_codes(), "difference.code")
    weekday = start.astimezone(numbers.zone).weekday()
    day = language_forms(numbers.language).weekdays_in_full[weekday]
    degrees = numbers.temperature_difference(None if fact is None else abs(fact))
    reason = _REASONS.say(name, numbers.language, day=day, degrees=degrees)
    return f"{reason}: {numbers.power(difference.kw, decimals=2, signed=True)}"


def _find_way(difference: Difference, series: SeriesName) -> str:
    """Return whether the reason's fact lies above or below; a fact shown as zero does neither."""
    fact = difference.fact
    if fact is None or abs(fact) < LEAST_FACTS.get(difference.code, LEAST_KW):
        return "neither"
    is_aligned = (difference.code, series) in ALIGNED
    if is_aligned and fact * difference.kw < 0:
        return "neither"
    return "above" if fact > 0 else "below"


def describe_slot(
    expected_kw: float, usual_kw: float, reasons: Sequence[str], *, numbers: Numbers
) -> str:
    """Return expected and usual power of a slot, and the reasons for the difference.

    ``reasons`` are texts of ``describe_difference``.
    """
    gap = round(expected_kw, 2) - round(usual_kw, 2)
    if gap >= LEAST_KW:
        way = "above"
    elif gap <= -LEAST_KW:
        way = "below"
    else:
        way = "neither"
    text = _SLOT.say(
        way,
        numbers.language,
        expected=numbers.power(expected_kw, decimals=2),
        usual=numbers.power(usual_kw, decimals=2),
        difference=numbers.power(abs(gap), decimals=2),
    )
    listed = "; ".join(reasons)
    return f"{text} {listed[0].upper()}{listed[1:]}." if listed else text


def list_difference_codes() -> list[str]:
    """Return the codes of reasons, with the series if the wordings of load and PV differ."""
    return _list_codes(_REASONS, "above", "below")


def list_cause_codes() -> list[str]:
    """Return the codes of causes."""
    return _list_codes(_CAUSES, "higher", "lower")


def _list_codes(phrases: Phrases, *ways: str) -> list[str]:
    endings = tuple(f"_{way}" for way in (*ways, "neither"))
    codes: dict[str, None] = {}
    for name in phrases:
        code = name.rpartition("_")[0] if name.endswith(endings) else name
        codes[code] = None
    return list(codes)


# Less is shown as zero.
_NOTHING = {"prices": 0.0005}
_NOTHING_KWH = 0.05


def say_cause(
    code: str,
    figure: float | None,
    *,
    slots: int,
    cost: float,
    numbers: Numbers,
    moved: MovedRun | None = None,
) -> str:
    """Return a changed input, the change of the plan, and its extra cost.

    Args:
        code: of the input.
        figure: increase of the input, currency per kWh for ``prices``, kWh for ``load``, ``pv`` and
            ``soc``; None: it has no figure.
        slots: the number of slots with another mode.
        cost: extra cost of the plan.
        numbers: of the reader's language.
        moved: the only change, None where there is another.

    Raises:
        InvalidInputError: no such cause.
    """
    value = figure or 0.0
    if abs(value) < _NOTHING.get(code, _NOTHING_KWH):
        way = "neither"
    else:
        way = "higher" if value > 0 else "lower"
    name = next((name for name in (f"{code}_{way}", code) if name in _CAUSES), None)
    if name is None:
        raise refuse_code(code, list_cause_codes(), "causes")
    cause = _CAUSES.say(
        name,
        numbers.language,
        price=numbers.price(abs(value), decimals=1),
        kwh=numbers.energy(abs(value)),
    )
    changed = _say_change(slots, moved, numbers)
    paid = "."
    if abs(cost) >= HALF_CENT:
        effect = "dearer" if cost > 0 else "cheaper"
        paid = _EFFECTS.say(effect, numbers.language, money=numbers.money(abs(cost)))
    return f"{cause} {changed}{paid}"


def _say_change(slots: int, moved: MovedRun | None, numbers: Numbers) -> str:
    language = numbers.language
    if moved is None:
        return _EFFECTS.say("modes", language, modes=slots, count=numbers.number(slots))
    return _EFFECTS.say(
        "later" if moved.minutes > 0 else "sooner",
        language,
        device=say_device(moved.device, language=language),
        does=MOVED_MODES.say(moved.mode, language),
        duration=_say_duration(abs(moved.minutes)),
    )


def _say_duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours}{NBSP}h"] if hours else []
    if rest:
        parts.append(f"{rest}{NBSP}min")
    return " ".join(parts)
