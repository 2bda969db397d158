"""Why a vehicle charges or waits and an appliance runs or waits: per slot a code with its figures, its rank by price, and what the opposite would cost."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise

import numpy as np

from luna.physics import BoolArray
from luna.schedule import Figure, Reason
from luna.timeline import FloatArray
from services.planner.answer.price_view import PriceView, view_prices
from services.planner.placing.programme_wish import ProgrammeWish
from services.planner.placing.vehicle_wish import Stay
from services.planner.placing.wishes import LoadWish, VehicleWish
from services.planner.plan import Plan

_NOTHING_KWH, _LITTLE_KWH = 1e-6, 1e-3
# Prices this close would read the same.
_SAME_PRICE = 5e-4
Reasons = list[Reason | None]


@dataclass(frozen=True, slots=True)
class Window:
    """Slots among which something may be moved: those of ``open`` (``(slots,)``), until ``until``.

    In each it uses ``used_kwh``, or else at least ``least_kwh`` and at most ``most_kwh``; ``missing_kwh`` is what it lacks at the end.
    ``whole`` says that no slot of it can be moved alone.
    """

    open: BoolArray
    until: datetime
    used_kwh: FloatArray
    least_kwh: FloatArray
    most_kwh: FloatArray
    missing_kwh: float = 0.0
    kind: str = "ev"
    whole: bool = False

    @property
    def used(self) -> BoolArray:
        return self.used_kwh > _NOTHING_KWH

    @property
    def needs_all(self) -> bool:
        """Whether a slot less would not be enough."""
        most = self.most_kwh[self.open]
        return bool(self.used_kwh[self.open].sum() > most.sum() - most.max(initial=0.0) + _NOTHING_KWH)


class PlacedStory:
    """What is placed of a plan, and what each slot of it is for."""

    def __init__(self, plan: Plan) -> None:
        self.view: PriceView = view_prices(plan)
        self.outlook = plan.problem.paid.outlook
        self.flows = plan.flows
        self.starts = list(self.outlook.timeline)
        self.may_sell: BoolArray = plan.problem.export_limit_kwh > 0

    def tell_vehicle(self, wish: VehicleWish, charge_kwh: FloatArray, give_kwh: FloatArray, missing_kwh: FloatArray) -> Reasons:
        """Return the reason of every slot at the charger; None where the vehicle is away."""
        reasons: Reasons = [None] * charge_kwh.size
        stored = wish.stored_after(charge_kwh, give_kwh)
        slots, vehicle = np.arange(charge_kwh.size), wish.vehicle
        least, most = (power_kw * wish.plugged_hours for power_kw in (vehicle.min_charge_kw, vehicle.most_charge_kw))
        bound = self._tell_bound(reasons, wish, charge_kwh)
        for stay, missing in zip(wish.stays, missing_kwh.tolist(), strict=True):
            here = (slots >= stay.first) & (slots < stay.end) & (wish.plugged_hours > 0) & ~bound
            window = Window(here, min(stay.until, self.outlook.timeline.end), charge_kwh, least, most, float(missing))
            ready = stored >= (stay.most_kwh if stay.surplus_only else stay.target_kwh) - _LITTLE_KWH
            self._tell_runs(reasons, window, partial(self._car, window, stay, (give_kwh > _NOTHING_KWH, ready)))
        return reasons

    def _tell_bound(self, reasons: Reasons, wish: VehicleWish, charge_kwh: FloatArray) -> BoolArray:
        """Give the slots their reason in which the vehicle charges because it has to, and no more; return which these are."""
        least = wish.least_charge_kwh
        bound = (charge_kwh > _NOTHING_KWH) & (least > 0) & (charge_kwh <= least + _LITTLE_KWH)
        for slot in np.flatnonzero(bound).tolist():
            figures: dict[str, Figure] = {"start": self.starts[slot], "kw": float(least[slot] / wish.plugged_hours[slot])}
            reasons[slot] = Reason("ev_pinned" if wish.pinned[slot] else "ev_minimum", figures=figures)
        return bound

    def tell_load(self, wish: LoadWish, used_kwh: FloatArray) -> Reasons:
        """Return the reason of every slot of an appliance, day by day."""
        reasons: Reasons = [None] * used_kwh.size
        slots, hours = np.arange(used_kwh.size), self.outlook.timeline.hours
        full = wish.load.power_kw * hours
        due = _off_hours(used_kwh, hours, wish.off_hours) >= wish.load.max_gap_hours - float(hours.max()) - _NOTHING_KWH
        for need, missing in zip(wish.needs, wish.missing_kwh(used_kwh).tolist(), strict=True):
            here = (slots >= need.first) & (slots < need.end) & (wish.allowed > 0)
            until = self.starts[need.end] if need.end < slots.size else self.outlook.timeline.end
            window = Window(here, until, used_kwh, full, full, missing, "load")
            self._tell_runs(reasons, window, partial(self._load, window, due), hours=wish.load.max_gap_hours)
        shut = Reason("load_not_now")
        return [shut if allowed <= 0 else reason for reason, allowed in zip(reasons, wish.allowed.tolist(), strict=True)]

    def tell_programme(self, wish: ProgrammeWish, use_kwh: FloatArray, missed: FloatArray) -> Reasons:
        """Return the reason of every slot until the last run that is asked for is to be done."""
        reasons: Reasons = [None] * use_kwh.size
        end = self.outlook.timeline.end
        until = min(max((run.by for run in wish.runs), default=end), end)
        here = np.array([start < until for start in self.starts])
        missing = float(missed.sum()) * wish.energy_kwh
        window = Window(here, until, use_kwh, wish.most_kwh, wish.most_kwh, missing, "load", whole=True)
        self._tell_runs(reasons, window, lambda slot: "load_programme" if window.used[slot] else self._idle_load(window, slot))
        return reasons

    def _car(self, window: Window, stay: Stay, now: tuple[BoolArray, BoolArray], slot: int) -> str:
        """Return the code of a slot; ``now`` says where the car gives and where it is as full as wanted."""
        gives, ready = now
        if gives[slot]:
            return "ev_gives"
        return self._charging(window, slot) if window.used[slot] else self._idle_car(window, slot, ready=bool(ready[slot]), surplus_only=stay.surplus_only)

    def _load(self, window: Window, due: BoolArray, slot: int) -> str:
        if not window.used[slot]:
            return self._idle_load(window, slot)
        told = self._charging(window, slot)
        return "load_gap" if told == "load_among" and due[slot] else told

    def _charging(self, window: Window, slot: int) -> str:
        used, open_ = window.used, window.open
        if self.view.surplus[slot]:
            return f"{window.kind}_surplus"
        if window.kind == "ev" and window.needs_all:
            return "ev_late" if window.missing_kwh > _LITTLE_KWH else "ev_every_slot"
        if used[open_].all():
            return f"{window.kind}_throughout"
        dearest_used = float(self.outlook.import_price[open_ & used].max())
        cheapest_left = float(self.outlook.import_price[open_ & ~used].min(initial=np.inf))
        return f"{window.kind}_cheapest" if dearest_used <= cheapest_left + _SAME_PRICE else f"{window.kind}_among"

    def _idle_car(self, window: Window, slot: int, *, ready: bool, surplus_only: bool) -> str:
        later = (window.open & window.used)[slot:].any()
        if surplus_only:
            return "ev_ready" if ready and not later else "ev_waits_surplus"
        if not later:
            return "ev_ready" if ready else "ev_later"
        return f"ev_{self._waiting(window, slot)}"

    def _idle_load(self, window: Window, slot: int) -> str:
        if (window.open & window.used)[slot:].any():
            return f"load_{self._waiting(window, slot)}"
        return "load_short" if window.missing_kwh > _LITTLE_KWH else "load_done"

    def _waiting(self, window: Window, slot: int) -> str:
        """Return why what comes later does not come now: a dearer kWh, a peak that would rise, or neither of them alone."""
        following = self._next_used(window, slot)
        price = self.view.marginal
        if price[following] < price[slot] - _SAME_PRICE:
            return "waits"
        return "waits_peak" if window.least_kwh[slot] > self.view.room_kwh[slot] + _NOTHING_KWH else "later"

    def _next_used(self, window: Window, slot: int) -> int:
        return slot + int((window.open & window.used)[slot:].argmax())

    def _tell_runs(self, reasons: Reasons, window: Window, code: Callable[[int], str], **more: float) -> None:
        """Give every open slot its reason; slots of one run share code and figures."""
        places = np.flatnonzero(window.open).tolist()
        codes = [code(slot) for slot in places]
        opposite, rank = self._price_opposite(window), _rank(self.outlook.import_price, window.open)
        for run in _runs(codes):
            slots = places[run[0] : run[1]]
            figures = self._figures(window, slots, codes[run[0]]) | more
            for slot in slots:
                reasons[slot] = Reason(codes[run[0]], None, opposite[slot], (), figures, price_rank=rank[slot], price_count=len(places))

    def _figures(self, window: Window, slots: list[int], code: str) -> dict[str, Figure]:
        used = window.open & window.used
        kwh = window.used_kwh[used]
        figures: dict[str, Figure] = {
            "start": self.starts[slots[0]],
            "buy": float(self.view.marginal[slots].mean()),
            "kwh": float(kwh.sum()),
            "total": int(window.open.sum()),
        }
        if self.may_sell[slots].any():
            figures["sell"] = float(self.outlook.export_price[slots].mean())
        if used.sum() > 1:
            figures["count"] = int(used.sum())
        if kwh.size:
            figures["price"] = float(self.outlook.import_price[used] @ kwh / kwh.sum())
        if code in {"ev_late", "load_short"}:
            figures["kwh"] = window.missing_kwh
        if window.used[slots[0]] or code in {"load_done", "load_short"}:
            return figures | {"time": window.until}
        return figures | self._waiting_figures(window, slots[0])

    def _waiting_figures(self, window: Window, first: int) -> dict[str, Figure]:
        """Return the figures of a run that does nothing: what it waits for, and what the peak would rise by."""
        figures: dict[str, Figure] = {}
        if (window.open & window.used)[first:].any():
            following = self._next_used(window, first)
            figures = {"time": self.starts[following], "price": float(self.view.marginal[following])}
        beyond = window.least_kwh[first] - self.view.room_kwh[first]
        if beyond > _NOTHING_KWH:
            rise = float(beyond / max(self.outlook.timeline.hours[first], self.view.interval_hours))
            figures |= {"kw": rise, "cost": rise * float(self.view.peak_price[first])}
        return figures

    def _price_opposite(self, window: Window) -> list[float | None]:
        """Return what the opposite of each slot costs, to first order: moving its energy to the best slot left, or the dearest slot's energy here.

        None where nothing can be moved, or a peak would rise.
        """
        price, used = self.view.marginal, window.used
        costs: list[float | None] = [None] * price.size
        if window.whole:
            return costs
        free = window.open & ~used & (self.view.room_kwh >= window.least_kwh - _NOTHING_KWH)
        taken = window.open & used
        best = float(price[free].min(initial=np.inf))
        dearest = int(np.where(taken, price, -np.inf).argmax()) if taken.any() else -1
        for slot in np.flatnonzero(taken).tolist() if np.isfinite(best) else []:
            costs[slot] = max((best - float(price[slot])) * float(window.used_kwh[slot]), 0.0)
        for slot in np.flatnonzero(free).tolist() if dearest >= 0 else []:
            costs[slot] = max(float(price[slot] - price[dearest]) * float(window.used_kwh[dearest]), 0.0)
        return costs


def _rank(price: FloatArray, here: BoolArray) -> list[int]:
    ordered = np.sort(price[here])
    return [int(rank) + 1 for rank in np.searchsorted(ordered, price - 1e-9)]


def _runs(codes: list[str]) -> Iterable[tuple[int, int]]:
    edges = [0, *(place for place in range(1, len(codes)) if codes[place] != codes[place - 1]), len(codes)]
    return pairwise(edges) if codes else ()


def _off_hours(used_kwh: FloatArray, hours: FloatArray, before: float) -> FloatArray:
    """Return for how long an appliance has been off when each slot begins."""
    off, found = before, []
    for used, length in zip(used_kwh.tolist(), hours.tolist(), strict=True):
        found.append(off)
        off = 0.0 if used > _NOTHING_KWH else off + length
    return np.array(found)
