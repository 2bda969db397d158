"""Give flexible loads a reason per slot: a code with figures, as columns of a plan."""

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

NOTHING_KWH = 1e-6
LITTLE_KWH = 1e-3
_DECIMALS = 6
# Prices this close would read the same.
_SAME_PRICE = 5e-4
# Numbers this close to the middle between two digits may be rounded to the wrong one.
_HALF = 0.5
_TIE = 1e-3
# The figures and the evidence of a single slot. A slot's figures follow those shared by its window,
# in this order.
_FIGURES = ("start", "buy", "sell", "fee", "held", "kwh", "time", "price", "kw", "cost")
_EVIDENCE = ("cost_of_opposite", "price_rank", "price_count")
# Codes with the window's end as their time, although the slot is unused.
_ENDS = ("use_ready", "use_short")
# Codes with the power that the grid operator allows.
_LIMITED = ("use_limited", "use_waits_limit")
Codes = NDArray[np.str_]
# Figures per slot, ``(slots,)``; None where there is none.
OptionalFigures = NDArray[np.object_]
_UNKNOWN: OptionalFigures = np.array(None, dtype=object)


@dataclass(frozen=True, slots=True)
class PriceView:
    """Prices of one kWh more of use, to first order; arrays of shape ``(slots,)``.

    Args:
        marginal: the cost of one kWh more.
        priced: whether that cost is a price of the grid, or nothing where PV is curtailed; else it
            is the value of energy from the battery.
        surplus: whether the energy used is PV surplus.
        sale: the price at which surplus is sold, else NaN.
        fee: the cost of feeding in, else NaN.
        curtailed_kwh: curtailed PV, else NaN.
        room_kwh: more use that raises no peak.
        allowed_kwh: energy that the grid operator lets in, infinite where it does not limit it.
        allowed_room_kwh: more use that the grid operator lets in.
        peak_kwh: energy that may be imported before a peak rises, infinite without a peak price.
        peak_price: the cost of a kilowatt more per month.
        interval_hours: the longest averaging interval of a tariff component.
    """

    marginal: FloatArray
    priced: BoolArray
    surplus: BoolArray
    sale: FloatArray
    fee: FloatArray
    curtailed_kwh: FloatArray
    room_kwh: FloatArray
    allowed_kwh: FloatArray
    allowed_room_kwh: FloatArray
    peak_kwh: FloatArray
    peak_price: FloatArray
    interval_hours: float


@dataclass(frozen=True)
class SlotWindow:
    """Slots among which a load may be moved; arrays of shape ``(slots,)``.

    Args:
        open: whether a slot belongs to the window.
        until: the end of the window.
        used_kwh: energy used.
        least_kwh: the least energy that a used slot takes.
        most_kwh: the most energy that a used slot takes.
        missing_kwh: energy missing at the end.
        whole: whether none of its slots can be moved alone.
    """

    open: BoolArray
    until: datetime
    used_kwh: FloatArray
    least_kwh: FloatArray
    most_kwh: FloatArray
    missing_kwh: float = 0.0
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
        """Whether the slot or a later one is chosen."""
        return self.following < self.chosen.size

    @property
    def needs_all(self) -> bool:
        """Whether a slot less would not be enough."""
        most = self.most_kwh[self.open]
        with_a_slot_less = most.sum() - most.max(initial=0.0)
        return bool(self.used_kwh[self.open].sum() > with_a_slot_less + NOTHING_KWH)


class SlotReasonBuilder:
    """Builder of a device's reasons.

    ``places`` are the slots' places among the ``distinct`` codes with figures, -1 without a reason;
    ``own`` are the slots' own figures.
    """

    def __init__(self, slots: int) -> None:
        self.places = np.full(slots, -1)
        self.distinct: list[Columns] = []
        self.own: dict[str, OptionalFigures] = {
            name: np.full(slots, None) for name in (*_FIGURES, *_EVIDENCE)
        }

    def set_reasons(
        self,
        where: BoolArray,
        code: Codes | str,
        shared: Mapping[str, Figure] = NO_FIGURES,
        **own: OptionalFigures,
    ) -> None:
        """Set code, shared figures and own figures of the slots ``where``.

        Earlier reasons of these slots are replaced.
        """
        for name in own:
            if name not in self.own:
                self.own[name] = np.full(where.size, None)
        codes = np.broadcast_to(code, where.shape)[where].tolist()
        places: dict[str, int] = {}
        for own_code in codes:
            if own_code not in places:
                places[own_code] = len(self.distinct)
                self.distinct.append({"code": own_code, "figures": dict(shared)})
        self.places[where] = [places[own_code] for own_code in codes]
        for name, column in self.own.items():
            column[where] = own[name][where] if name in own else None

    def write(self) -> Columns:
        """Return the columns of a device's ``reason``."""
        evidence: Columns = {}
        figures: Columns = {}
        for name, column in self.own.items():
            values = column.tolist()
            if name in _EVIDENCE:
                evidence[name] = values
            elif values.count(None) < len(values):
                figures[name] = values
        places = [None if place < 0 else place for place in self.places.tolist()]
        return {"told": places, "said": self.distinct, "figures": figures, **evidence}


class DeviceReasons:
    """Reasons of flexible loads from marginal prices and an outlook at tariff prices."""

    def __init__(self, view: PriceView, outlook: Outlook) -> None:
        self.view = view
        self.outlook = outlook
        starts = np.datetime_as_string(outlook.timeline.starts)
        self.starts: OptionalFigures = np.char.add(starts, "+00:00").astype(object)
        self.marginal = round_each(view.marginal)
        self.figures = {
            "sell": round_each(view.sale),
            "fee": round_each(view.fee),
            "held": round_each(view.curtailed_kwh),
            "start": self.starts,
        }

    def charging(self, window: SlotWindow) -> Codes:
        """Return the codes of slots that are used."""
        could_use_more = window.used_kwh < window.most_kwh - LITTLE_KWH
        is_limited = could_use_more & (self.view.allowed_room_kwh <= LITTLE_KWH)
        from_grid = np.where(is_limited, "use_limited", self._without_surplus(window))
        return np.where(self.view.surplus, "use_surplus", from_grid)

    def _without_surplus(self, window: SlotWindow) -> str:
        if window.needs_all and window.missing_kwh > LITTLE_KWH:
            return "use_short"
        if window.used[window.open].all():
            return "use_throughout"
        price = self.view.marginal
        unused = window.open & ~window.used
        dearest_used = float(price[window.chosen].max(initial=-np.inf))
        cheapest_unused = float(price[unused].min(initial=np.inf))
        is_cheapest = dearest_used <= cheapest_unused + _SAME_PRICE
        is_priced = self.view.priced[window.open].all()
        return "use_cheapest" if is_cheapest and is_priced else "use_now"

    def waiting(self, window: SlotWindow) -> Codes:
        """Return the codes of unused slots before a used one.

        An operator's limit or a rising peak decides where the next used slot is not cheaper.
        """
        is_cheaper_later = self._is_cheaper_later(window)
        raises_peak = window.least_kwh > self.view.room_kwh + NOTHING_KWH
        is_limited = window.least_kwh > self.view.allowed_room_kwh + NOTHING_KWH
        waits = np.where(raises_peak & ~is_cheaper_later, "use_waits_peak", "use_waits")
        return np.where(is_limited & ~is_cheaper_later, "use_waits_limit", waits)

    def _is_cheaper_later(self, window: SlotWindow) -> BoolArray:
        """Return whether the next used slot is cheaper."""
        price = self.view.marginal
        following = self._next_used(window)
        is_priced = self.view.priced[following] & self.view.priced
        is_cheaper = price[following] < price - _SAME_PRICE
        return np.asarray(window.later & is_cheaper & is_priced)

    def _next_used(self, window: SlotWindow) -> IndexArray:
        """Return the next chosen slot, any where there is none."""
        return np.minimum(window.following, window.chosen.size - 1)

    def explain_window(
        self, slot_reasons: SlotReasonBuilder, window: SlotWindow, codes: Codes | str, **more: float
    ) -> None:
        """Give every open slot its reason."""
        if not window.open.any():
            return
        codes = np.broadcast_to(codes, window.open.shape)
        price = self.outlook.import_price
        rank = np.searchsorted(np.sort(price[window.open]), price - PRICE_ROUNDING) + 1
        beside = {
            "cost_of_opposite": round_each(self._price_opposite(window)),
            "price_rank": rank.astype(object),
            "price_count": np.full(rank.size, int(window.open.sum())),
        }
        slot_reasons.set_reasons(
            window.open,
            codes,
            self._whole_figures(window, more),
            **self._figures(window, codes),
            **beside,
        )

    def _whole_figures(self, window: SlotWindow, more: Mapping[str, float]) -> dict[str, Figure]:
        """Return the figures of a whole window, and ``more``.

        They are energy, number of slots, and the mean price where each slot has one.
        """
        used = window.chosen
        kwh = window.used_kwh[used]
        figures: dict[str, Figure] = {"kwh": float(kwh.sum()), "total": int(window.open.sum())}
        if used.sum() > 1:
            figures["count"] = int(used.sum())
        if kwh.size and self.view.priced[used].all():
            price = self.view.marginal[used]
            figures["price"] = float(price @ kwh / kwh.sum())
            dearest = float(price.max())
            if dearest > price.min() + _SAME_PRICE:
                figures["dearest"] = dearest
        figures.update(more)
        for name, figure in figures.items():
            if isinstance(figure, float):
                figures[name] = _round(figure)
        return figures

    def _figures(self, window: SlotWindow, codes: Codes) -> dict[str, OptionalFigures]:
        """Return each slot's figures: marginal price, end or next use, rise of a peak.

        Who waits for another cause than the price has no prices.
        """
        following = self._next_used(window)
        has_price = (codes != "use_waits") | self._is_cheaper_later(window)
        ends = window.used | _among(codes, _ENDS)
        waits = ~ends & window.later
        until_next = np.where(waits, self.starts[following], _UNKNOWN)
        buy = np.where(self.view.priced & has_price, self.marginal, _UNKNOWN)
        time = np.where(ends, window.until.isoformat(), until_next)
        price = np.where(waits & has_price, self.marginal[following], _UNKNOWN)
        figures = self.figures | {"buy": buy, "time": time, "price": price}
        gives = codes == "ev_gives"
        if gives.any():
            figures["buy"] = np.where(gives, round_each(self.outlook.import_price), figures["buy"])
        misses = codes == "use_short"
        if misses.any():
            figures["kwh"] = np.where(misses, _round(window.missing_kwh), _UNKNOWN)
        figures |= self._peak_figures(window, ends)
        limited = _among(codes, _LIMITED)
        if limited.any():
            allowed_kw = round_each(self.view.allowed_kwh / self.outlook.timeline.hours)
            figures["kw"] = np.where(limited, allowed_kw, figures.get("kw", _UNKNOWN))
        return figures

    def _peak_figures(self, window: SlotWindow, ends: BoolArray) -> dict[str, OptionalFigures]:
        """Return rise and cost of a peak if a slot were used; empty if none rises."""
        beyond_kwh = np.where(ends, 0.0, window.least_kwh - self.view.room_kwh)
        rises = beyond_kwh > NOTHING_KWH
        if not rises.any():
            return {}
        hours = np.maximum(self.outlook.timeline.hours, self.view.interval_hours)
        rise_kw = np.where(rises, beyond_kwh / hours, np.nan)
        return {"kw": round_each(rise_kw), "cost": round_each(rise_kw * self.view.peak_price)}

    def _price_opposite(self, window: SlotWindow) -> FloatArray:
        """Return the cost of the opposite of each slot, to first order.

        The opposite moves a used slot's energy to the cheapest free slot, or the dearest used
        slot's energy here. NaN where nothing can be moved, or a peak would rise.
        """
        price = self.view.marginal
        used = window.chosen
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
    # With so few codes, comparing is twice as fast as NumPy's sets.
    return np.asarray(np.logical_or.reduce([codes == code for code in these]))


def round_each(numbers: FloatArray) -> OptionalFigures:
    """Return numbers rounded exactly, None where they are not finite."""
    is_finite = np.isfinite(numbers)
    figures = np.full(numbers.shape, _UNKNOWN)
    finite = numbers[is_finite]
    rounded = np.round(finite, _DECIMALS) + 0.0
    # NumPy multiplies before it rounds: a number with a five behind the last digit, as many a spot
    # price with VAT has, may be rounded the wrong way.
    for place in np.flatnonzero(np.abs(finite * 10**_DECIMALS % 1 - _HALF) < _TIE):
        rounded[place] = _round(float(finite[place]))
    figures[is_finite] = rounded
    return figures


def _round(number: float) -> float:
    return round(number, _DECIMALS) + 0.0
