"""One sentence for several slots in a row: energies are added up, prices become the range they lie in."""

from collections.abc import Mapping, Sequence
from typing import Any

from luna.wording.templates import WORDS
from luna.wording.words import FIGURES

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
