"""Why vehicles and appliances run when they do, and all reasons in the form of the outward interface."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import PlanRequest
from luna.contracts.plan.columns import Columns, write_reason
from luna.physics import BoolArray
from luna.schedule import Figure, Reason
from luna.site import Site
from luna.timeline import FloatArray
from luna.wording import Language, Numbers, Sentences, limit
from services.planner.dp.plan import Plan
from services.planner.problem.demands import CycleDemand, CycleRun, LoadDemand
from services.planner.problem.vehicle_demand import ChargingSession, VehicleDemand
from services.planner.reply.prices import PriceView, view_prices
from services.planner.reply.reasons import OF_SLOT, ToldReasons

_NOTHING_KWH, _LITTLE_KWH = 1e-6, 1e-3
# What leaves the planner is exact to this many decimals.
DECIMALS = 6
# Prices this close would read the same.
_SAME_PRICE = 5e-4
Reasons = list[Reason | None]


@dataclass(frozen=True, slots=True)
class SlotWindow:
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


class DeviceReasons:
    """What is placed of a plan, and what each slot of it is for."""

    def __init__(self, plan: Plan) -> None:
        self.view: PriceView = view_prices(plan)
        self.outlook = plan.problem.paid.outlook
        self.starts = list(self.outlook.timeline)

    def tell_vehicle(self, demand: VehicleDemand, charge_kwh: FloatArray, give_kwh: FloatArray, missing_kwh: FloatArray) -> Reasons:
        """Return the reason of every slot at the charger; None where the vehicle is away."""
        reasons: Reasons = [None] * charge_kwh.size
        stored = demand.stored_after(charge_kwh, give_kwh)
        slots, vehicle = np.arange(charge_kwh.size), demand.vehicle
        least, most = (power_kw * demand.plugged_hours for power_kw in (vehicle.min_charge_kw, vehicle.most_charge_kw))
        bound = self._tell_bound(reasons, demand, charge_kwh)
        for stay, missing in zip(demand.stays, missing_kwh.tolist(), strict=True):
            here = (slots >= stay.first) & (slots < stay.end) & (demand.plugged_hours > 0) & ~bound
            window = SlotWindow(here, min(stay.until, self.outlook.timeline.end), charge_kwh, least, most, float(missing))
            ready = stored >= (stay.most_kwh if stay.surplus_only else stay.target_kwh) - _LITTLE_KWH
            self._tell_runs(reasons, window, partial(self._car, window, stay, (give_kwh > _NOTHING_KWH, ready)))
        return reasons

    def _tell_bound(self, reasons: Reasons, demand: VehicleDemand, charge_kwh: FloatArray) -> BoolArray:
        """Give the slots their reason in which the vehicle charges because it has to, and no more; return which these are."""
        least = demand.least_charge_kwh
        bound = (charge_kwh > _NOTHING_KWH) & (least > 0) & (charge_kwh <= least + _LITTLE_KWH)
        for slot in np.flatnonzero(bound).tolist():
            figures: dict[str, Figure] = {"start": self.starts[slot], "kw": float(least[slot] / demand.plugged_hours[slot])}
            reasons[slot] = Reason("ev_pinned" if demand.pinned[slot] else "ev_minimum", figures=figures)
        return bound

    def tell_load(self, demand: LoadDemand, used_kwh: FloatArray) -> Reasons:
        """Return the reason of every slot of an appliance, day by day."""
        reasons: Reasons = [None] * used_kwh.size
        slots, hours = np.arange(used_kwh.size), self.outlook.timeline.hours
        full = demand.load.power_kw * hours
        due = _off_hours(used_kwh, hours, demand.off_hours) >= demand.load.max_gap_hours - float(hours.max()) - _NOTHING_KWH
        for need, missing in zip(demand.needs, demand.missing_kwh(used_kwh).tolist(), strict=True):
            here = (slots >= need.first) & (slots < need.end) & (demand.allowed > 0)
            until = self.starts[need.end] if need.end < slots.size else self.outlook.timeline.end
            window = SlotWindow(here, until, used_kwh, full, full, missing, "load")
            self._tell_runs(reasons, window, partial(self._load, window, due), hours=demand.load.max_gap_hours)
        shut = Reason("load_not_now")
        return [shut if allowed <= 0 else reason for reason, allowed in zip(reasons, demand.allowed.tolist(), strict=True)]

    def tell_programme(self, demand: CycleDemand, use_kwh: FloatArray, missed: FloatArray) -> Reasons:
        """Return the reason of every slot until the last run that is asked for is to be done."""
        reasons: Reasons = [None] * use_kwh.size
        end = self.outlook.timeline.end
        until = min(max((run.by for run in demand.runs), default=end), end)
        here = np.array([start < until for start in self.starts])
        window = SlotWindow(here, until, use_kwh, demand.most_kwh, demand.most_kwh, float(missed.sum()) * demand.energy_kwh, "load", whole=True)
        self._tell_runs(reasons, window, lambda slot: "load_programme" if window.used[slot] else self._idle_load(window, slot))
        for slot in np.flatnonzero(window.used & here):
            reasons[slot] = Reason("load_programme")  # what runs at the start runs on, whatever is wanted
        for run, used in _match_runs(demand, use_kwh):
            self._tell_runs(reasons, SlotWindow(used > _NOTHING_KWH, run.by, used, used, used, kind="load", whole=True), lambda _: "load_programme")
        return reasons

    def _car(self, window: SlotWindow, stay: ChargingSession, now: tuple[BoolArray, BoolArray], slot: int) -> str:
        """Return the code of a slot; ``now`` says where the car gives and where it is as full as wanted."""
        gives, ready = now
        if gives[slot]:
            return "ev_gives"
        return self._charging(window, slot) if window.used[slot] else self._idle_car(window, slot, ready=bool(ready[slot]), surplus_only=stay.surplus_only)

    def _load(self, window: SlotWindow, due: BoolArray, slot: int) -> str:
        if not window.used[slot]:
            return self._idle_load(window, slot)
        told = self._charging(window, slot)
        return "load_gap" if told == "load_among" and due[slot] else told

    def _charging(self, window: SlotWindow, slot: int) -> str:
        used, open_ = window.used, window.open
        if self.view.surplus[slot]:
            return f"{window.kind}_surplus"
        if window.kind == "ev" and window.needs_all:
            return "ev_late" if window.missing_kwh > _LITTLE_KWH else "ev_every_slot"
        if used[open_].all():
            return f"{window.kind}_throughout"
        price = self.view.marginal
        cheapest = float(price[open_ & used].max()) <= float(price[open_ & ~used].min(initial=np.inf)) + _SAME_PRICE
        return f"{window.kind}_cheapest" if cheapest and self.view.priced[open_].all() else f"{window.kind}_among"

    def _idle_car(self, window: SlotWindow, slot: int, *, ready: bool, surplus_only: bool) -> str:
        later = (window.open & window.used)[slot:].any()
        if surplus_only:
            return "ev_ready" if ready and not later else "ev_waits_surplus"
        if not later and not ready and window.missing_kwh > _LITTLE_KWH:
            return "ev_short"
        if not later:
            return "ev_ready" if ready else "ev_later"
        return f"ev_{self._waiting(window, slot)}"

    def _idle_load(self, window: SlotWindow, slot: int) -> str:
        if (window.open & window.used)[slot:].any():
            return f"load_{self._waiting(window, slot)}"
        return "load_short" if window.missing_kwh > _LITTLE_KWH else "load_done"

    def _waiting(self, window: SlotWindow, slot: int) -> str:
        """Return why what comes later does not come now: a dearer kWh, a peak that would rise, or neither of them alone."""
        following = self._next_used(window, slot)
        price, priced = self.view.marginal, self.view.priced
        if price[following] < price[slot] - _SAME_PRICE and priced[following] and priced[slot]:
            return "waits"
        return "waits_peak" if window.least_kwh[slot] > self.view.room_kwh[slot] + _NOTHING_KWH else "later"

    def _next_used(self, window: SlotWindow, slot: int) -> int:
        return slot + int((window.open & window.used)[slot:].argmax())

    def _tell_runs(self, reasons: Reasons, window: SlotWindow, code: Callable[[int], str], **more: float) -> None:
        """Give every open slot its reason."""
        places = np.flatnonzero(window.open).tolist()
        opposite, rank, whole = self._price_opposite(window), _rank(self.outlook.import_price, window.open), self._whole_figures(window) | more
        for slot in places:
            told = code(slot)
            figures = round_figures(whole | self._figures(window, slot, told))
            reasons[slot] = Reason(told, None, round_cost(opposite[slot]), (), figures, price_rank=rank[slot], price_count=len(places))

    def _whole_figures(self, window: SlotWindow) -> dict[str, Figure]:
        """Return the figures of a whole window: what is used in how many slots, at which price on average where each has one."""
        used = window.open & window.used
        kwh = window.used_kwh[used]
        figures: dict[str, Figure] = {"kwh": float(kwh.sum()), "total": int(window.open.sum())}
        if used.sum() > 1:
            figures["count"] = int(used.sum())
        if kwh.size and self.view.priced[used].all():
            price = self.view.marginal[used]
            figures["price"], dearest = float(price @ kwh / kwh.sum()), float(price.max())
            figures |= {"dearest": dearest} if dearest > price.min() + _SAME_PRICE else {}
        return figures

    def _figures(self, window: SlotWindow, slot: int, code: str) -> dict[str, Figure]:
        """Return the figures of a slot."""
        figures: dict[str, Figure] = {"start": self.starts[slot]}
        if self.view.priced[slot]:
            figures["buy"] = float(self.view.marginal[slot])
        if code == "ev_gives":
            figures["buy"] = float(self.outlook.import_price[slot])
        known = {"sell": self.view.sale[slot], "fee": self.view.fee[slot], "held": self.view.held_kwh[slot]}
        figures |= {name: float(value) for name, value in known.items() if np.isfinite(value)}
        if code in {"ev_late", "ev_short", "load_short"}:
            figures["kwh"] = window.missing_kwh
        if window.used[slot] or code in {"load_done", "load_short", "ev_short"}:
            return figures | {"time": window.until}
        return figures | self._waiting_figures(window, slot)

    def _waiting_figures(self, window: SlotWindow, slot: int) -> dict[str, Figure]:
        """Return the figures of a slot that does nothing: what it waits for, and what the peak would rise by."""
        figures: dict[str, Figure] = {}
        if (window.open & window.used)[slot:].any():
            following = self._next_used(window, slot)
            figures = {"time": self.starts[following], "price": float(self.view.marginal[following])}
        beyond = window.least_kwh[slot] - self.view.room_kwh[slot]
        if beyond > _NOTHING_KWH:
            rise = float(beyond / max(self.outlook.timeline.hours[slot], self.view.interval_hours))
            figures |= {"kw": rise, "cost": rise * float(self.view.peak_price[slot])}
        return figures

    def _price_opposite(self, window: SlotWindow) -> list[float | None]:
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


def _match_runs(demand: CycleDemand, use_kwh: FloatArray) -> Iterable[tuple[CycleRun, FloatArray]]:
    """Yield each run that is placed, with what it uses: the next energy of a run that one of its starts would use just so."""
    done = np.cumsum(np.maximum(use_kwh - demand.running_kwh, 0.0))
    open_runs = sorted(demand.runs, key=lambda run: run.by)
    for number in range(round(float(done[-1]) / demand.energy_kwh) if demand.energy_kwh > 0 else 0):
        through = np.clip(done, number * demand.energy_kwh, (number + 1) * demand.energy_kwh)
        used = np.diff(through, prepend=number * demand.energy_kwh)
        fitting = [run for run in open_runs if run.use_kwh.size and np.abs(run.use_kwh - used).max(axis=1).min() < _LITTLE_KWH]
        if fitting:
            open_runs.remove(fitting[0])
            yield fitting[0], used


def _rank(price: FloatArray, here: BoolArray) -> list[int]:
    ordered = np.sort(price[here])
    return [int(rank) + 1 for rank in np.searchsorted(ordered, price - 1e-9)]


def round_figures(figures: dict[str, Figure]) -> dict[str, Figure]:
    """Return figures as they leave the planner."""
    return {name: round(figure, DECIMALS) + 0.0 if isinstance(figure, float) else figure for name, figure in figures.items()}


def round_cost(cost: float | None) -> float | None:
    return None if cost is None else round(cost, DECIMALS) + 0.0


def _off_hours(used_kwh: FloatArray, hours: FloatArray, before: float) -> FloatArray:
    """Return for how long an appliance has been off when each slot begins."""
    off, found = before, []
    for used, length in zip(used_kwh.tolist(), hours.tolist(), strict=True):
        found.append(off)
        off = 0.0 if used > _NOTHING_KWH else off + length
    return np.array(found)


Fields = dict[str, Any]


def say_reasons(reasons: Iterable[Reason | None], site: Site, language: Language) -> list[Fields | None]:
    """Return reasons with their sentences."""
    spoken = Sentences(Numbers(language, ZoneInfo(site.timezone), site.currency))
    return [None if reason is None else _say(reason, spoken) for reason in reasons]


def _say(reason: Reason, spoken: Sentences) -> Fields:
    figures = {name: figure.isoformat() if isinstance(figure, datetime) else figure for name, figure in reason.figures.items()}
    own = {name: getattr(reason, name) for name in OF_SLOT}
    binding = [limit(code, language=spoken.numbers.language) for code in reason.binding]
    return {**write_reason({"code": reason.code, "figures": figures}, spoken), **own, "binding": binding, "device": None}


def add_placed_reasons(slots: list[Fields], plan: Plan, request: PlanRequest) -> None:
    """Give every vehicle at its charger and every appliance its reason in each slot."""
    placement = plan.placement
    if placement is None or not placement.demands.any():
        return
    story = DeviceReasons(plan)
    flows = zip(placement.demands.vehicles, placement.vehicle_kwh, placement.vehicle_give_kwh, placement.vehicle_missing_kwh, strict=True)
    told = [("vehicles", demand.vehicle.name, story.tell_vehicle(demand, charge, give, missing)) for demand, charge, give, missing in flows]
    told += [("loads", demand.load.name, story.tell_load(demand, used)) for demand, used in zip(placement.demands.loads, placement.load_kwh, strict=True)]
    programmes = zip(placement.demands.programmes, placement.programmes.use_kwh, placement.programmes.missed, strict=True)
    told += [("loads", demand.load.name, story.tell_programme(demand, use, missed)) for demand, use, missed in programmes]
    for kind, name, reasons in told:
        _add(slots, kind, name, reasons=say_reasons(reasons, plan.problem.site, request.options.language))


def _add(slots: list[Fields], kind: str, name: str, *, reasons: list[Fields | None]) -> None:
    for slot, reason in zip(slots, reasons, strict=True):
        slot[kind][name]["reason"] = reason


def tell_reasons(told: ToldReasons, devices: Sequence[str] | None = None) -> Columns:
    """Return reasons as columns of ``luna.contracts.plan.columns``; ``devices`` names of each whose it is, where that is to be said."""
    columns: Columns = {name: getattr(told, name) for name in OF_SLOT}
    said = [{"code": code, "figures": figures} for code, figures in told.said]
    beside = {} if devices is None else {"device": list(devices)}
    return columns | {"told": told.told.tolist(), "binding": told.binding.tolist(), "said": said, "limits": told.limits} | beside
