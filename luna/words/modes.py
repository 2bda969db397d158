"""What modes and policies are called: in every command, reply and page the same words, which are understood where they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from luna.energy.errors import InvalidInputError
from luna.words.numbers import Language
from luna.words.sentences import FIGURES, WORDS


class ModeWords(NamedTuple):
    """A mode in words: in full, in short for narrow places."""

    full: str
    short: str


# Of a battery; the table of what each does stands in docs/architecture.md.
MODES: dict[str, dict[Language, ModeWords]] = {
    "self_consumption": {"en": ModeWords("Follow the house", "House"), "de": ModeWords("Dem Haus folgen", "Haus")},
    "save": {"en": ModeWords("Save", "Save"), "de": ModeWords("Aufsparen", "Sparen")},
    "supply": {"en": ModeWords("Supply the house", "Supply"), "de": ModeWords("Haus versorgen", "Versorgen")},
    "hold": {"en": ModeWords("Hold", "Hold"), "de": ModeWords("Halten", "Halten")},
    "charge": {"en": ModeWords("Charge", "Charge"), "de": ModeWords("Laden", "Laden")},
    "export": {"en": ModeWords("Sell", "Sell"), "de": ModeWords("Verkaufen", "Verkauf")},
}

# Of what is no battery, "none" of what is not there; "charge" is a battery's as well.
DEVICE_MODES: dict[str, dict[Language, ModeWords]] = {
    "charge": MODES["charge"],
    "stop": {"en": ModeWords("Stop", "Stop"), "de": ModeWords("Stoppen", "Stopp")},
    "give": {"en": ModeWords("Give to the house", "Give"), "de": ModeWords("Ans Haus geben", "Geben")},
    "own": {"en": ModeWords("By itself", "Itself"), "de": ModeWords("Von selbst", "Selbst")},
    "on": {"en": ModeWords("On", "On"), "de": ModeWords("An", "An")},
    "off": {"en": ModeWords("Off", "Off"), "de": ModeWords("Aus", "Aus")},
    "none": {"en": ModeWords("–", "–"), "de": ModeWords("–", "–")},
    "free": {"en": ModeWords("Free", "Free"), "de": ModeWords("Frei", "Frei")},
    "no_export": {"en": ModeWords("Feed nothing in", "No feed-in"), "de": ModeWords("Nichts einspeisen", "Kein Export")},
    "limit": {"en": ModeWords("Limit", "Limit"), "de": ModeWords("Begrenzen", "Grenze")},
}

# Who decides, in a replay and in the report.
POLICIES: dict[str, dict[Language, str]] = {
    "idle": {"en": "Idle battery", "de": "Batterie ohne Aufgabe"},
    "self_consumption": {"en": "Self-consumption (inverter alone)", "de": "Eigenverbrauch (Wechselrichter allein)"},
    "rule": {"en": "Cheapest three hours", "de": "Die drei günstigsten Stunden"},
    "mpc": {"en": "Luna", "de": "Luna"},
    "mpc_scenarios": {"en": "Luna, weighing how its forecasts err", "de": "Luna, die Fehler ihrer Prognosen abwägend"},
    "mpc_perfect": {"en": "Luna, knowing load and sun", "de": "Luna, wenn Verbrauch und Sonne bekannt wären"},
    "mpc_perfect_pv": {"en": "Luna, knowing the sun", "de": "Luna, wenn die Sonne bekannt wäre"},
    "antares": {"en": "Antares", "de": "Antares"},
    "imitation": {"en": "Imitation of foresight (trees)", "de": "Nachahmung der Voraussicht (Bäume)"},
    "network": {"en": "Imitation of foresight (network)", "de": "Nachahmung der Voraussicht (Netz)"},
    "clone": {"en": "Imitation of the weighing planner", "de": "Nachahmung des abwägenden Planers"},
    "rl": {"en": "Reinforcement learning", "de": "Bestärkendes Lernen"},
    "oracle": {"en": "Perfect foresight", "de": "Vollkommene Voraussicht"},
}
# The planner that sells as one of those that learn.
POLICIES |= {
    f"{name}_export": {"en": f"Luna, selling by {POLICIES[name]['en']}", "de": f"Luna, Verkauf nach {POLICIES[name]['de']}"}
    for name in ("antares", "imitation", "network", "clone", "rl")
}


def mode(name: str, *, language: Language) -> ModeWords:
    """Return the words of a battery's mode.

    Raises:
        InvalidInputError: no such mode.
    """
    if name not in MODES:
        raise InvalidInputError("has no words", field="mode", value=name, remedy=f"Known are {', '.join(MODES)}.")
    return MODES[name][language]


def say_mode(name: str, *, language: Language) -> str:
    """Return what any device's mode is called in full; a name that has no words stays as it is."""
    words = MODES.get(name) or DEVICE_MODES.get(name)
    return words[language].full if words else name


def say_policy(name: str, *, language: Language) -> str:
    """Return what a policy is called; a name that has no words stays as it is."""
    return POLICIES[name][language] if name in POLICIES else name


def read_mode(text: object) -> object:
    """Return the mode that a name or its words in any language stand for; as it is where it stands for none."""
    return _read(text, {name: [word for words in spoken.values() for word in words] for name, spoken in (MODES | DEVICE_MODES).items()})


def read_policy(text: object) -> object:
    """Return the policy that a name or its words in any language stand for; as it is where it stands for none."""
    return _read(text, {name: [*spoken.values()] for name, spoken in POLICIES.items()})


def split_policies(text: str) -> list[str]:
    """Return the policies of a list with commas; a comma may be part of what a policy is called."""
    names, parts = [], [part.strip() for part in text.split(",") if part.strip()]
    while parts:
        count = next((count for count in range(len(parts), 1, -1) if read_policy(", ".join(parts[:count])) in POLICIES), 1)
        names.append(str(read_policy(", ".join(parts[:count]))))
        parts = parts[count:]
    return names


def _read(text: object, words: Mapping[str, list[str]]) -> object:
    if not isinstance(text, str):
        return text
    wanted = " ".join(text.split()).casefold()
    if wanted in words:
        return wanted
    found = [name for name, spoken in words.items() if wanted in (word.casefold() for word in spoken)]
    return found[0] if found else text


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
    pairs = [(joined[low], joined[high]) for low, high in WORDS[code].rises if low in joined and high in joined]
    return joined if all(_apart(low, high) for low, high in pairs) else None


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


def _apart(low: Any, high: Any) -> bool:
    return bool(low[1] < high[0]) if isinstance(low, tuple) else bool(low < high)
