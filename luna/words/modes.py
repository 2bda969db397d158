"""Names of modes and policies, the same in every command, reply and page, and accepted as input.

Joined figures of a run of slots.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE
from luna.words.language import Language
from luna.words.phrases import Phrases
from luna.words.reason_wordings import COMPARED, FIGURES


class ModeWords(NamedTuple):
    """A mode's name, in full and short."""

    full: str
    short: str


# Battery modes; docs/architecture.md has the table.
MODES = ("self_consumption", "save", "supply", "hold", "charge", "export")
# Modes of other devices; "none": there is no such device. "charge" is a battery mode as well.
DEVICE_MODES = ("charge", "stop", "give", "own", "on", "off", "none", "free", "no_export", "limit")
# The policies of replays and of the report.
POLICIES = Phrases("modes", "policy_")
_FULL = Phrases("modes", "mode_")
_SHORT = Phrases("modes", "short_")


def mode(name: str, *, language: Language) -> ModeWords:
    """Return the words of a battery's mode.

    Raises:
        InvalidInputError: no such mode.
    """
    if name not in MODES:
        raise InvalidInputError(
            "has no words", field="mode", value=name, remedy=f"Known are {', '.join(MODES)}."
        )
    return ModeWords(_FULL.say(name, language), _SHORT.say(name, language))


def say_mode(name: str, *, language: Language) -> str:
    """Return the full name of any device's mode; an unknown one unchanged."""
    return _FULL.say(name, language) if name in _FULL else name


def say_policy(name: str, *, language: Language) -> str:
    """Return the name of a policy; an unknown one unchanged."""
    return POLICIES.say(name, language) if name in POLICIES else name


def read_mode(text: object) -> object:
    """Parse a mode from its code or its name in any language; return anything else unchanged."""
    return _read(text, _FULL, _SHORT)


def read_policy(text: object) -> object:
    """Parse a policy from its code or its name in any language; return anything else unchanged."""
    return _read(text, POLICIES)


def split_policies(text: str) -> list[str]:
    """Parse a list of policies with commas; a policy's name may contain one."""
    names = []
    parts = [part.strip() for part in text.split(",") if part.strip()]
    while parts:
        count = next(
            (
                count
                for count in range(len(parts), 1, -1)
                if read_policy(", ".join(parts[:count])) in POLICIES
            ),
            1,
        )
        names.append(str(read_policy(", ".join(parts[:count]))))
        parts = parts[count:]
    return names


def _read(text: object, *words: Phrases) -> object:
    if not isinstance(text, str):
        return text
    wanted = " ".join(text.split()).casefold()
    if wanted in words[0]:
        return wanted
    names = (
        name
        for name in words[0]
        for each in words
        for language in CATALOGUE.languages
        if wanted == each.say(name, language).casefold()
    )
    return next(names, text)


# The energy of these reasons is a held amount, the same in all slots of a run: not summed.
_HELD = ("hold_for_peak", "hold_for_limit", "hold_for_target", "hold_for_reserve")
_SAME_KWH = 0.05


def join_figures(code: str, figures: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Join the figures of consecutive slots for one sentence, prices as pairs of the lowest and the
    highest.

    None where no single sentence is true of all of them: their times differ, or compared figures
    overlap.
    """
    if any(each.keys() != figures[0].keys() for each in figures):
        return None
    joined = {name: _join(code, name, [each[name] for each in figures]) for name in figures[0]}
    if any(value is None for value in joined.values()):
        return None
    pairs = [
        (joined[low], joined[high])
        for low, high in COMPARED.get(code, ())
        if low in joined and high in joined
    ]
    return (
        joined
        if all(low[1] < high[0] if isinstance(low, tuple) else low < high for low, high in pairs)
        else None
    )


def _join(code: str, name: str, values: list[Any]) -> Any:
    kind = FIGURES[name]
    if kind == "start":
        return values[0]
    if kind == "price":
        return min(values), max(values)
    if kind == "energy" and code not in _HELD:
        return sum(values)
    same = (
        max(values) - min(values) <= _SAME_KWH
        if kind in ("energy", "power")
        else len(set(values)) == 1
    )
    return values[0] if same else None
