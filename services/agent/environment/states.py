"""Build the state vectors (observations) of the agent's policies.

Each layout of features has its own version.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import FloatArray, IndexArray
from services.agent.environment.kernels import gather
from services.agent.environment.slot_features import HOURS, SlotFeatures
from services.agent.environment.summaries import ENERGY_NAMES, PRICE_NAMES
from services.planner.problem.problem import Problem

StateArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a state: a series of ``SlotFeatures`` over a divisor.

    ``hours`` counts the slot's own hour. A part with ``names`` is a table of as many columns,
    ``(slots, len(names))``.
    """

    series: str
    divided_by: Literal["nothing", "capacity", "price"] = "nothing"
    hours: int = 1
    names: tuple[str, ...] = ()


_PARTS = {
    "time_sin": _Part("time_sin"),
    "time_cos": _Part("time_cos"),
    "hour": _Part("day_share"),
    "load": _Part("load_kw", "capacity"),
    "pv": _Part("pv_kw", "capacity"),
    "import_price": _Part("import_price", "price"),
    "export_price": _Part("export_price", "price"),
    "load_ahead": _Part("load_kw", "capacity", HOURS),
    "pv_ahead": _Part("pv_kw", "capacity", HOURS),
    "import_price_ahead": _Part("import_price", "price", HOURS),
    "export_price_ahead": _Part("export_price", "price", HOURS),
    "hours_until_end_of_day": _Part("day_remaining"),
    "max_import_price_next_12h": _Part("highest_price", "price"),
    "energy_summary": _Part("energy_summary", "capacity", names=ENERGY_NAMES),
    "price_summary": _Part("price_summary", names=PRICE_NAMES),
}
_SOC = "soc"


@dataclass(frozen=True)
class StateLayout:
    """The features of a state, in order.

    A model is trained on one ``version`` and refuses states of another.
    """

    version: str
    parts: tuple[str, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each feature.

        Those of vectors end in the hour ahead, 00 for the slot itself.
        """
        names: list[str] = []
        for name in self.parts:
            if name == _SOC:
                names.append(name)
                continue
            part = _PARTS[name]
            if part.hours > 1:
                names += [f"{name}_{hour:02d}h" for hour in range(part.hours)]
            elif part.names:
                names += part.names
            else:
                names.append(name)
        return tuple(names)

    @property
    def size(self) -> int:
        """Number of features."""
        return len(self.names)

    def build(
        self, features: SlotFeatures, slots: IndexArray, soc: FloatArray, capacity_kwh: FloatArray
    ) -> StateArray:
        """Return the states of slots, shape ``(states, size)``.

        ``slots``, ``soc`` (0–1) and ``capacity_kwh`` have shape ``(states,)``.

        Raises:
            InvalidInputError: a feature is not finite, such as an unknown state of charge.
        """
        states = np.empty((slots.size, self.size), dtype=np.float32)
        self.fill(states, features, slots, (soc, capacity_kwh))
        finite = np.isfinite(states)
        if not finite.all():
            first_unknown = int(np.flatnonzero(~finite.all(axis=0))[0])
            feature = self.names[first_unknown]
            raise InvalidInputError(
                "this part of the state is not known",
                field=feature,
                remedy="Give state of charge, forecasts and prices without gaps.",
            )
        return states

    def fill(
        self,
        states: StateArray,
        features: SlotFeatures,
        slots: IndexArray,
        batteries: tuple[FloatArray, FloatArray],
    ) -> None:
        """Write the states of slots, whose features the caller has checked for finite values.

        Args:
            states: output, shape ``(states, size)``.
            features: of all slots.
            slots: indices into ``features``, shape ``(states,)``.
            batteries: state of charge and capacity, each of shape ``(states,)``.
        """
        soc, capacity_kwh = batteries
        factors = {
            "nothing": np.ones(slots.size),
            "capacity": 1.0 / capacity_kwh,
            "price": features.price_factor[slots],
        }
        place = 0
        for name in self.parts:
            if name == _SOC:
                states[:, place] = soc
                place += 1
                continue
            part = _PARTS[name]
            factor = factors[part.divided_by]
            series = getattr(features, part.series)
            if part.names:
                width = len(part.names)
                gather(states, (place, width), series.ravel(), slots * width, factor)
                place += width
                continue
            gather(states, (place, 1), series, slots, factor)
            if part.hours > 1:
                ahead = getattr(features.ahead, part.series)
                at = features.price_at if part.divided_by == "price" else features.energy_at
                gather(states, (place + 1, part.hours - 1), ahead, at[slots], factor)
            place += part.hours


_V1 = (
    "soc",
    "time_sin",
    "time_cos",
    "load_ahead",
    "pv_ahead",
    "import_price_ahead",
    "export_price_ahead",
)
_DAY = ("hours_until_end_of_day", "max_import_price_next_12h")
V1 = StateLayout("v1", _V1)
V1_1 = StateLayout("v1.1", (*_V1, *_DAY))
# Source: revision 81's eight features.
COMPACT = StateLayout(
    "compact", ("hour", "load", "pv", "soc", "import_price", "export_price", *_DAY)
)
SUMMARY = StateLayout(
    "summary",
    (
        "soc",
        "time_sin",
        "time_cos",
        "load",
        "pv",
        "import_price",
        "export_price",
        *_DAY,
        "energy_summary",
        "price_summary",
    ),
)
LAYOUTS = {layout.version: layout for layout in (V1, V1_1, COMPACT, SUMMARY)}


def see_problem(layout: StateLayout, problem: Problem) -> StateArray:
    """Return the state at the start of a planning problem, shape ``(size,)``.

    Equal to that of an episode with the same forecasts and prices.

    Raises:
        InvalidInputError: a feature is not finite, or the site has no battery.
    """
    capacity = problem.limits.batteries.capacity_kwh.sum(axis=0)
    if not capacity.size or not capacity.all():
        raise InvalidInputError(
            "there is nothing to decide at a site without a battery", field="site.batteries"
        )
    features = SlotFeatures.of_problem(problem)
    first_slot = np.zeros(1, dtype=np.int64)
    soc = problem.stored_kwh.sum() / capacity
    return np.asarray(layout.build(features, first_slot, soc, capacity)[0])


def find_layout(version: str) -> StateLayout:
    """Return the layout of a version.

    Raises:
        InvalidInputError: there is none.
    """
    if version not in LAYOUTS:
        raise InvalidInputError(
            "no such state version",
            field="state_version",
            value=version,
            remedy=f"Choose from: {', '.join(LAYOUTS)}.",
        )
    return LAYOUTS[version]
