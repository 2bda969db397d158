"""Reasons of flexible loads per slot: a code with figures, as columns that become words when
read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from luna.contracts.plan.columns import Columns
from luna.energy.economics.prices import PRICE_ROUNDING
from luna.energy.outlook import Outlook
from luna.energy.physics.mode import BoolArray
from luna.energy.schedule import NO_FIGURES, Figure
from luna.energy.timeline import FloatArray, IndexArray

NOTHING_KWH, LITTLE_KWH = 1e-6, 1e-3
_DECIMALS = 6
# Prices this close would read the same.
_SAME_PRICE = 5e-4
# So close to the middle between two digits lies what may be rounded to the wrong one.
_HALF, _TIE = 0.5, 1e-3
# Figures that are each slot's own, in the order in which they follow those that its window shares,
# and evidence that is.
_FIGURES = ("start", "buy", "sell", "fee", "held", "kwh", "time", "price", "kw", "cost")
_EVIDENCE = ("cost_of_opposite", "price_rank", "price_count")
# What is missing is said where nothing more comes of it, and an end where nothing is waited for.
_MISSES, _ENDS = ("ev_late", "ev_short", "load_short"), ("load_done", "load_short", "ev_short")
Codes = NDArray[np.str_]
# Figures per slot, ``(slots,)``; None where there is none.
OptionalFigures = NDArray[np.object_]
_UNKNOWN: OptionalFigures = np.array(None, dtype=object)


@dataclass(frozen=True, slots=True)
class PriceView:
    """Per slot (``(slots,)``): what one kWh more of use costs, to first order.

    Whether what is used is surplus; room under the peak; its price.

    ``priced`` says where that cost is a price: of the grid, or nothing where sun is held back;
    elsewhere it is what the battery would give up. ``fee`` is what feeding in costs, ``sale`` what
    surplus sells for, ``curtailed_kwh`` what of it is held back; each NaN where it is not so.
    ``peak_kwh`` is what may be imported before a peak rises, infinite where none is at work;
    ``peak_price`` what a kilowatt more costs a month; ``interval_hours`` is the longest over which
    a component takes its mean.
    """

    marginal: FloatArray
    priced: BoolArray
    surplus: BoolArray
    sale: FloatArray
    fee: FloatArray
    curtailed_kwh: FloatArray
    room_kwh: FloatArray
    peak_kwh: FloatArray
    peak_price: FloatArray
    interval_hours: float


@dataclass(frozen=True)
class SlotWindow:
    """Slots among which something may be moved: those of ``open`` (``(slots,)``), until ``until``.

    In each it uses ``used_kwh``, or else at least ``least_kwh`` and at most ``most_kwh``;
    ``missing_kwh`` is what it lacks at the end. ``whole`` says that no slot of it can be moved
    alone.
    """

    open: BoolArray
    until: datetime
    used_kwh: FloatArray
    least_kwh: FloatArray
    most_kwh: FloatArray
    missing_kwh: float = 0.0
    kind: str = "ev"
    whole: bool = False

    @cached_property
    def used(self) -> BoolArray:
        return self.used_kwh > NOTHING_KWH

    @cached_property
    def chosen(self) -> BoolArray:
        return self.open & self.used

    @cached_property
    def following(self) -> IndexArray:
        """The next chosen slot from each one on; the number of slots where there is none."""
        places = np.where(self.chosen, np.arange(self.chosen.size), self.chosen.size)
        return np.minimum.accumulate(places[::-1])[::-1]

    @cached_property
    def later(self) -> BoolArray:
        """Where a slot is chosen, or a later one."""
        return self.following < self.chosen.size

    @property
    def needs_all(self) -> bool:
        """Whether a slot less would not be enough."""
        most = self.most_kwh[self.open]
        return bool(
            self.used_kwh[self.open].sum() > most.sum() - most.max(initial=0.0) + NOTHING_KWH
        )


class SlotReasonBuilder:
    """Builder of a device's reasons: each slot's place among the ``distinct`` codes with figures
    (-1: none), and its own figures.
    """

    def __init__(self, slots: int) -> None:
        self.places, self.distinct = np.full(slots, -1), list[Columns]()
        self.own: dict[str, OptionalFigures] = {
            name: np.full(slots, None) for name in (*_FIGURES, *_EVIDENCE)
        }

    def tell(
        self,
        where: BoolArray,
        code: Codes | str,
        shared: Mapping[str, Figure] = NO_FIGURES,
        **own: OptionalFigures,
    ) -> None:
        """Set code, shared figures and own figures of the slots ``where``.

        Earlier reasons of these slots are replaced.
        """
        self.own |= {name: np.full(where.size, None) for name in own if name not in self.own}
        codes = np.broadcast_to(code, where.shape)[where].tolist()
        places = {
            each: len(self.distinct) + place for place, each in enumerate(dict.fromkeys(codes))
        }
        self.distinct += [{"code": each, "figures": dict(shared)} for each in places]
        self.places[where] = [places[each] for each in codes]
        for name, column in self.own.items():
            column[where] = own[name][where] if name in own else None

    def write(self) -> Columns:
        """Return the columns of a device's ``reason``."""
        columns = {name: column.tolist() for name, column in self.own.items()}
        figures = {name: columns.pop(name) for name in self.own if name not in _EVIDENCE}
        places = [None if place < 0 else place for place in self.places.tolist()]
        return {
            "told": places,
            "said": self.distinct,
            "figures": {
                name: each for name, each in figures.items() if each.count(None) < len(each)
            },
        } | columns


class DeviceReasons:
    """Reasons of flexible loads from each slot's marginal price and the outlook at tariff
    prices.
    """

    def __init__(self, view: PriceView, outlook: Outlook) -> None:
        self.view, self.outlook = view, outlook
        self.starts = np.char.add(
            np.datetime_as_string(self.outlook.timeline.starts), "+00:00"
        ).astype(object)
        self.marginal = round_each(self.view.marginal)
        figures = {"sell": self.view.sale, "fee": self.view.fee, "held": self.view.curtailed_kwh}
        self.figures = {name: round_each(values) for name, values in figures.items()} | {
            "start": self.starts
        }

    def charging(self, window: SlotWindow) -> Codes:
        """Return the codes of slots that are used."""
        return np.where(
            self.view.surplus,
            f"{window.kind}_surplus",
            f"{window.kind}_{self._without_surplus(window)}",
        )

    def _without_surplus(self, window: SlotWindow) -> str:
        if window.kind == "ev" and window.needs_all:
            return "late" if window.missing_kwh > LITTLE_KWH else "every_slot"
        if window.used[window.open].all():
            return "throughout"
        used, unused, price = window.chosen, window.open & ~window.used, self.view.marginal
        cheapest = (
            float(price[used].max(initial=-np.inf))
            <= float(price[unused].min(initial=np.inf)) + _SAME_PRICE
        )
        return "cheapest" if cheapest and self.view.priced[window.open].all() else "among"

    def waiting(self, window: SlotWindow) -> Codes:
        """Return why what comes later does not come now: a dearer kWh, a peak that would rise, or
        neither of them alone.
        """
        price, priced, following = self.view.marginal, self.view.priced, self._next_used(window)
        cheaper = (price[following] < price - _SAME_PRICE) & priced[following] & priced
        raises = window.least_kwh > self.view.room_kwh + NOTHING_KWH
        return np.where(
            cheaper,
            f"{window.kind}_waits",
            np.where(raises, f"{window.kind}_waits_peak", f"{window.kind}_later"),
        )

    def _next_used(self, window: SlotWindow) -> IndexArray:
        """Return the next chosen slot, any where there is none."""
        return np.minimum(window.following, window.chosen.size - 1)

    def tell_window(
        self, slot_reasons: SlotReasonBuilder, window: SlotWindow, codes: Codes | str, **more: float
    ) -> None:
        """Give every open slot its reason."""
        if not window.open.any():
            return
        codes = np.broadcast_to(codes, window.open.shape)
        price, count = self.outlook.import_price, int(window.open.sum())
        rank = np.searchsorted(np.sort(price[window.open]), price - PRICE_ROUNDING) + 1
        beside = {
            "cost_of_opposite": round_each(self._price_opposite(window)),
            "price_rank": rank.astype(object),
            "price_count": np.full(rank.size, count),
        }
        slot_reasons.tell(
            window.open,
            codes,
            self._whole_figures(window, more),
            **self._figures(window, codes),
            **beside,
        )

    def _whole_figures(self, window: SlotWindow, more: Mapping[str, float]) -> dict[str, Figure]:
        """Return the figures of a whole window: energy, number of slots, mean price where each slot
        has one; and ``more``.
        """
        used = window.chosen
        kwh = window.used_kwh[used]
        figures: dict[str, Figure] = {"kwh": float(kwh.sum()), "total": int(window.open.sum())}
        if used.sum() > 1:
            figures["count"] = int(used.sum())
        if kwh.size and self.view.priced[used].all():
            price = self.view.marginal[used]
            figures["price"], dearest = float(price @ kwh / kwh.sum()), float(price.max())
            figures |= {"dearest": dearest} if dearest > price.min() + _SAME_PRICE else {}
        return {
            name: _round(figure) if isinstance(figure, float) else figure
            for name, figure in (figures | dict(more)).items()
        }

    def _figures(self, window: SlotWindow, codes: Codes) -> dict[str, OptionalFigures]:
        """Return the figures of each slot: marginal price, end of the use or next use, rise of a
        peak.
        """
        gives, following = codes == "ev_gives", self._next_used(window)
        ends = window.used | _among(codes, _ENDS)
        waits, beyond = (
            ~ends & window.later,
            np.where(ends, 0.0, window.least_kwh - self.view.room_kwh),
        )
        figures = self.figures | {
            "buy": np.where(self.view.priced, self.marginal, _UNKNOWN),
            "time": np.where(
                ends, window.until.isoformat(), np.where(waits, self.starts[following], _UNKNOWN)
            ),
            "price": np.where(waits, self.marginal[following], _UNKNOWN),
        }
        if gives.any():
            figures["buy"] = np.where(gives, round_each(self.outlook.import_price), figures["buy"])
        if (misses := _among(codes, _MISSES)).any():
            figures["kwh"] = np.where(misses, _round(window.missing_kwh), _UNKNOWN)
        if (rises := beyond > NOTHING_KWH).any():
            rise = np.where(
                rises,
                beyond / np.maximum(self.outlook.timeline.hours, self.view.interval_hours),
                np.nan,
            )
            figures |= {"kw": round_each(rise), "cost": round_each(rise * self.view.peak_price)}
        return figures

    def _price_opposite(self, window: SlotWindow) -> FloatArray:
        """Return what the opposite of each slot costs, to first order: moving its energy to the
        best slot left, or the dearest slot's energy here.

        NaN where nothing can be moved, or a peak would rise.
        """
        price, used = self.view.marginal, window.chosen
        costs = np.full(price.size, np.nan)
        if window.whole or not used.any():
            return costs
        free = window.open & ~window.used & (self.view.room_kwh >= window.least_kwh - NOTHING_KWH)
        if free.any():
            dearest = int(np.where(used, price, -np.inf).argmax())
            costs[used] = (price[free].min() - price[used]) * window.used_kwh[used]
            costs[free] = (price[free] - price[dearest]) * window.used_kwh[dearest]
        return np.asarray(np.maximum(costs, 0.0))


def _among(codes: Codes, these: tuple[str, ...]) -> BoolArray:
    # Of so few codes comparing is twice as fast as NumPy's sets.
    return np.asarray(np.logical_or.reduce([codes == code for code in these]))


def round_each(numbers: FloatArray) -> OptionalFigures:
    """Return numbers as they leave the planner, each to the digit nearest to it.

    None where they are not finite.
    """
    is_finite, figures = np.isfinite(numbers), np.full(numbers.shape, _UNKNOWN)
    finite = numbers[is_finite]
    rounded = np.round(finite, _DECIMALS) + 0.0
    # NumPy multiplies before it looks: what ends in a five behind the last digit, as many a spot
    # price with VAT does, may come out as the other one.
    for place in np.flatnonzero(np.abs(finite * 10**_DECIMALS % 1 - _HALF) < _TIE):
        rounded[place] = _round(float(finite[place]))
    figures[is_finite] = rounded
    return figures


def _round(number: float) -> float:
    return round(number, _DECIMALS) + 0.0
