"""Names of modes and policies, in texts and as input, and joined figures of a run of slots."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from luna.words.catalogue import CATALOGUE
from luna.words.language import Language
from luna.words.phrases import Phrases, refuse_code
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
        raise refuse_code(name, MODES, "mode")
    return ModeWords(_FULL.say(name, language), _SHORT.say(name, language))


def say_mode(name: str, *, language: Language, of_battery: bool = False) -> str:
    """Return the full name of any device's mode; an unknown one unchanged.

    ``of_battery``: batteries charge from the grid, other devices just charge.
    """
    if name == "charge" and not of_battery:
        return _SHORT.say(name, language)
    return _FULL.say(name, language) if name in _FULL else name


def say_policy(name: str, *, language: Language) -> str:
    """Return the name of a policy; an unknown one unchanged."""
    return POLICIES.say(name, language) if name in POLICIES else name


def read_mode(text: object) -> object:
    """Parse a mode from its code or its name in any language; keep anything else."""
    return _read(text, _FULL, _SHORT)


def read_policy(text: object) -> object:
    """Parse a policy from its code or its name in any language; keep anything else."""
    return _read(text, POLICIES)


def split_policies(text: str) -> list[str]:
    """Parse a list of policies with commas; a policy's name may contain one."""
    names = []
    parts = [part.strip() for part in text.split(",") if part.strip()]
    while parts:
        count = len(parts)
        while count > 1 and read_policy(", ".join(parts[:count])) not in POLICIES:
            count -= 1
        names.append(str(read_policy(", ".join(parts[:count]))))
        parts = parts[count:]
    return names


def _read(text: object, *words: Phrases) -> object:
    if not isinstance(text, str):
        return text
    wanted = " ".join(text.split()).casefold()
    if wanted in words[0]:
        return wanted
    for name in words[0]:
        for phrases in words:
            spoken = [phrases.say(name, language) for language in CATALOGUE.languages]
            if wanted in map(str.casefold, spoken):
                return name
    return text


# The energy of this reason is a held amount, the same in all slots of a run: not summed.
_HELD = "hold_for_peak"
_SAME_KWH = 0.05


def join_figures(code: str, figures: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Join the figures of consecutive slots for one sentence.

    Prices become pairs of the lowest and the highest. None where no single sentence is true of all
    of them: their times differ, or compared figures overlap.
    """
    if any(of_slot.keys() != figures[0].keys() for of_slot in figures):
        return None
    joined: dict[str, Any] = {}
    for name in figures[0]:
        joined[name] = _join(code, name, [of_slot[name] for of_slot in figures])
    if any(value is None for value in joined.values()):
        return None
    pairs = [pair for pair in COMPARED.get(code, ()) if joined.keys() >= set(pair)]
    if all(_is_below(joined[low], joined[high]) for low, high in pairs):
        return joined
    return None


def _is_below(low: Any, high: Any) -> bool:
    if isinstance(low, tuple):
        return bool(low[1] < high[0])
    return bool(low < high)


def _join(code: str, name: str, values: list[Any]) -> Any:
    kind = FIGURES[name]
    if kind == "start":
        return values[0]
    if kind == "price":
        return min(values), max(values)
    if kind == "energy" and code != _HELD:
        return sum(values)
    if kind in ("energy", "power"):
        same = max(values) - min(values) <= _SAME_KWH
    else:
        same = len(set(values)) == 1
    return values[0] if same else None
