"""What a policy sees of a slot: layouts of state vectors, each with a version of its own. The one place that turns knowledge into features."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from luna.errors import InvalidInputError
from luna.timeline import FloatArray, IndexArray
from services.agent.environment.known import HOURS, KnownSlots
from services.planner.problem.problem import Problem

StateArray = NDArray[np.float32]
# No feature is beyond this: a learner never meets a number that it cannot multiply.
MOST = 100.0


@dataclass(frozen=True, slots=True)
class _Seen:
    """Slots as they are looked at, with what the state of charge is there and what energies are divided by, arrays of shape ``(states,)``."""

    known: KnownSlots
    slots: IndexArray
    soc: FloatArray
    capacity_kwh: FloatArray

    def by_capacity(self, power_kw: FloatArray) -> FloatArray:
        return power_kw[self.slots] / self.capacity_kwh

    def by_price(self, price: FloatArray) -> FloatArray:
        return price[self.slots] / self.known.price_scale[self.slots]

    def energy_ahead(self, power_kw: FloatArray, ahead: FloatArray) -> FloatArray:
        rows = _windows(ahead)[self.known.energy_at[self.slots]]
        return np.concatenate([power_kw[self.slots][:, None], rows], axis=1) / self.capacity_kwh[:, None]

    def price_ahead(self, price: FloatArray, ahead: FloatArray) -> FloatArray:
        rows = _windows(ahead)[self.known.price_at[self.slots]]
        return np.concatenate([price[self.slots][:, None], rows], axis=1) / self.known.price_scale[self.slots][:, None]

    def angle(self) -> FloatArray:
        return self.known.hour[self.slots] * (2.0 * np.pi / 24.0)


def _windows(ahead: FloatArray) -> FloatArray:
    return np.lib.stride_tricks.sliding_window_view(ahead, HOURS - 1)


# A part of a state: its features' number, and what gives them, shape (states,) or (states, features).
_PARTS: dict[str, tuple[int, Callable[[_Seen], FloatArray]]] = {
    "soc": (1, lambda seen: seen.soc),
    "time_sin": (1, lambda seen: np.sin(seen.angle())),
    "time_cos": (1, lambda seen: np.cos(seen.angle())),
    "hour": (1, lambda seen: seen.known.hour[seen.slots] / 24.0),
    "load": (1, lambda seen: seen.by_capacity(seen.known.load_kw)),
    "pv": (1, lambda seen: seen.by_capacity(seen.known.pv_kw)),
    "import_price": (1, lambda seen: seen.by_price(seen.known.import_price)),
    "export_price": (1, lambda seen: seen.by_price(seen.known.export_price)),
    "load_ahead": (HOURS, lambda seen: seen.energy_ahead(seen.known.load_kw, seen.known.ahead.load_kw)),
    "pv_ahead": (HOURS, lambda seen: seen.energy_ahead(seen.known.pv_kw, seen.known.ahead.pv_kw)),
    "import_price_ahead": (HOURS, lambda seen: seen.price_ahead(seen.known.import_price, seen.known.ahead.import_price)),
    "export_price_ahead": (HOURS, lambda seen: seen.price_ahead(seen.known.export_price, seen.known.ahead.export_price)),
    "hours_until_end_of_day": (1, lambda seen: seen.known.hours_left[seen.slots] / 24.0),
    "max_import_price_next_12h": (1, lambda seen: seen.by_price(seen.known.highest_price)),
}


@dataclass(frozen=True)
class StateLayout:
    """Which features a state holds, in order. A model is of one ``version`` and refuses states of another."""

    version: str
    parts: tuple[str, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each feature; those of vectors end in the hour ahead, 00 being the slot itself."""
        widths = {part: _PARTS[part][0] for part in self.parts}
        return tuple(f"{part}_{hour:02d}h" if width > 1 else part for part, width in widths.items() for hour in range(width))

    @property
    def size(self) -> int:
        """How many features a state has."""
        return len(self.names)

    def build(self, known: KnownSlots, slots: IndexArray, soc: FloatArray, capacity_kwh: FloatArray) -> StateArray:
        """Return the states of slots, shape ``(states, size)``; ``slots``, ``soc`` (0–1) and ``capacity_kwh`` have shape ``(states,)``.

        Raises:
            InvalidInputError: a feature that is no number, as of an unknown state of charge.
        """
        states = self.fill(known, slots, soc, capacity_kwh)
        if not np.isfinite(states).all():
            feature = self.names[int(np.flatnonzero(~np.isfinite(states).all(axis=0))[0])]
            raise InvalidInputError("this part of the state is not known", field=feature, remedy="Give state of charge, forecasts and prices without gaps.")
        return states

    def fill(self, known: KnownSlots, slots: IndexArray, soc: FloatArray, capacity_kwh: FloatArray) -> StateArray:
        """Return the same without looking for what is no number: for knowledge that was looked through before."""
        states = np.empty((slots.size, self.size), dtype=np.float32)
        seen, first = _Seen(known, slots, soc, capacity_kwh), 0
        for width, read in (_PARTS[part] for part in self.parts):
            states[:, first : first + width] = read(seen).reshape(slots.size, width)
            first += width
        return np.clip(states, -MOST, MOST, out=states)


_V1 = ("soc", "time_sin", "time_cos", "load_ahead", "pv_ahead", "import_price_ahead", "export_price_ahead")
_DAY = ("hours_until_end_of_day", "max_import_price_next_12h")
V1 = StateLayout("v1", _V1)
V1_1 = StateLayout("v1.1", (*_V1, *_DAY))
# Source: revision 81's eight features.
COMPACT = StateLayout("compact", ("hour", "load", "pv", "soc", "import_price", "export_price", *_DAY))
LAYOUTS = {layout.version: layout for layout in (V1, V1_1, COMPACT)}


def see_problem(layout: StateLayout, problem: Problem) -> StateArray:
    """Return the state at the begin of a planning problem, shape ``(size,)``: that of an episode in which the same was known.

    Raises:
        InvalidInputError: a feature that is no number, or a site without a battery.
    """
    capacity = problem.limits.batteries.capacity_kwh.sum(axis=0)
    if not capacity.size or not capacity.all():
        raise InvalidInputError("there is nothing to decide at a site without a battery", field="site.batteries")
    return np.asarray(layout.build(KnownSlots.of_problem(problem), np.zeros(1, dtype=np.int64), problem.stored_kwh.sum() / capacity, capacity)[0])


def find_layout(version: str) -> StateLayout:
    """Return the layout of a version.

    Raises:
        InvalidInputError: there is none.
    """
    if version not in LAYOUTS:
        raise InvalidInputError("no such state version", field="state_version", value=version, remedy=f"Choose from: {', '.join(LAYOUTS)}.")
    return LAYOUTS[version]
