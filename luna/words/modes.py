"""What modes and policies are called: in every command, reply and page the same words, which are understood where they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE
from luna.words.language import Language
from luna.words.phrases import Phrases
from luna.words.reasons import COMPARED, FIGURES


class ModeWords(NamedTuple):
    """A mode in words: in full, in short for narrow places."""

    full: str
    short: str


# Of a battery; the table of what each does stands in docs/architecture.md.
MODES = ("self_consumption", "save", "supply", "hold", "charge", "export")
# Of what is no battery, "none" of what is not there; "charge" is a battery's as well.
DEVICE_MODES = ("charge", "stop", "give", "own", "on", "off", "none", "free", "no_export", "limit")
# Who decides, in a replay and in the report.
POLICIES = Phrases("modes", "policy_")
_FULL = Phrases("modes", "mode_")
_SHORT = Phrases("modes", "short_")


def mode(name: str, *, language: Language) -> ModeWords:
    """Return the words of a battery's mode.

    Raises:
        InvalidInputError: no such mode.
    """
    if name not in MODES:
        raise InvalidInputError("has no words", field="mode", value=name, remedy=f"Known are {', '.join(MODES)}.")
    return ModeWords(_FULL.say(name, language), _SHORT.say(name, language))


def say_mode(name: str, *, language: Language) -> str:
    """Return what any device's mode is called in full; a name that has no words stays as it is."""
    return _FULL.say(name, language) if name in _FULL else name


def say_policy(name: str, *, language: Language) -> str:
    """Return what a policy is called; a name that has no words stays as it is."""
    return POLICIES.say(name, language) if name in POLICIES else name


def read_mode(text: object) -> object:
    """Return the mode that a name or its words in any language stand for; as it is where it stands for none."""
    return _read(text, _FULL, _SHORT)


def read_policy(text: object) -> object:
    """Return the policy that a name or its words in any language stand for; as it is where it stands for none."""
    return _read(text, POLICIES)


def split_policies(text: str) -> list[str]:
    """Return the policies of a list with commas; a comma may be part of what a policy is called."""
    names, parts = [], [part.strip() for part in text.split(",") if part.strip()]
    while parts:
        count = next((count for count in range(len(parts), 1, -1) if read_policy(", ".join(parts[:count])) in POLICIES), 1)
        names.append(str(read_policy(", ".join(parts[:count]))))
        parts = parts[count:]
    return names


def _read(text: object, *words: Phrases) -> object:
    if not isinstance(text, str):
        return text
    wanted = " ".join(text.split()).casefold()
    if wanted in words[0]:
        return wanted
    names = (name for name in words[0] for each in words for language in CATALOGUE.languages if wanted == each.say(name, language).casefold())
    return next(names, text)


# What a battery holds is the same in all slots of a run, not a sum.
_HELD = ("hold_for_peak", "hold_for_limit", "hold_for_target", "hold_for_reserve")
_SAME_KWH = 0.05


def join_figures(code: str, figures: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the figures of a sentence for slots that follow each other, prices as pairs of the lowest and the highest.

    None where no one sentence is true of all of them: another time is named, or what is set against each other overlaps.
    """
    if any(each.keys() != figures[0].keys() for each in figures):
        return None
    joined = {name: _join(code, name, [each[name] for each in figures]) for name in figures[0]}
    if any(value is None for value in joined.values()):
        return None
    pairs = [(joined[low], joined[high]) for low, high in COMPARED.get(code, ()) if low in joined and high in joined]
    return joined if all(low[1] < high[0] if isinstance(low, tuple) else low < high for low, high in pairs) else None


def _join(code: str, name: str, values: list[Any]) -> Any:
    kind = FIGURES[name]
    if kind == "start":
        return values[0]
    if kind == "price":
        return min(values), max(values)
    if kind == "energy" and code not in _HELD:
        return sum(values)
    same = max(values) - min(values) <= _SAME_KWH if kind in ("energy", "power") else len(set(values)) == 1
    return values[0] if same else None
