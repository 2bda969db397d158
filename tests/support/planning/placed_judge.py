"""What has to hold where a car or an appliance gives a reason; judged as in ``reason_judge``, by the documents alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.support.planning.reason_judge import EPS, Claims, Document, Scene, Seen, judge_words

# Prices this close read the same to the planner.
SAME_PRICE = 6e-4


@dataclass(frozen=True)
class Placed:
    """A reason of a car or an appliance in a slot."""

    scene: Scene
    kind: str
    name: str
    slot: int

    def flow(self, slot: int | None = None) -> Document:
        found: Document = self.scene.slots[self.slot if slot is None else slot][self.kind][self.name]
        return found

    @property
    def reason(self) -> Document:
        found: Document = self.flow()["reason"]
        return found

    @property
    def figures(self) -> Document:
        found: Document = self.reason["figures"]
        return found

    @property
    def here(self) -> Document:
        found: Document = self.scene.slots[self.slot]
        return found

    def energy(self, slot: int | None = None) -> float:
        flow = self.flow(slot)
        return float(flow.get("energy_kwh", flow.get("charge_kwh", 0.0)))

    @property
    def device(self) -> Document:
        found: Document = next(each for each in self.scene.site[self.kind] if each["name"] == self.name)
        return found

    @property
    def uses(self) -> bool:
        return self.energy() > 0

    @property
    def window(self) -> list[int]:
        """The slots among which it may be moved: as many as the sentence says, before its time."""
        until = datetime.fromisoformat(self.figures["time"])
        before = [slot for slot, start in enumerate(self.scene.starts) if start < until and self._may(slot)]
        return before[-self.reason["price_count"] :]

    def _may(self, slot: int) -> bool:
        reason = self.flow(slot)["reason"]
        return reason is not None and reason["code"] != "load_not_now"

    @property
    def next_use(self) -> int | None:
        return next((slot for slot in range(self.slot + 1, len(self.scene.slots)) if self.energy(slot) > 0), None)


def cost_range(scene: Scene, slot: int) -> tuple[float, float]:
    """Between which prices a kWh more costs in a slot: one price where the grid takes or gives it, or sun is held back."""
    here = scene.slots[slot]
    if here["import_kwh"] > 0:
        return here["import_price"], here["import_price"]
    if here["curtailed_kwh"] > 0:
        return 0.0, 0.0
    low = min(here["export_price"], here["import_price"])
    return (here["export_price"], here["export_price"]) if here["export_kwh"] > 0 else (low, here["import_price"])


def _costs_that(placed: Placed, slot: int, price: float) -> bool:
    low, high = cost_range(placed.scene, slot)
    return low - 1e-6 <= price <= high + 1e-6


def _uses(placed: Placed) -> Claims:
    exact = "buy" not in placed.figures or _costs_that(placed, placed.slot, placed.figures["buy"])
    return {"uses": placed.uses, "at that price": exact}


def _whole(placed: Placed) -> Claims:
    """Energy, number of slots and mean price of the whole window."""
    used = {slot: placed.energy(slot) for slot in placed.window if placed.energy(slot) > 0}
    kwh = sum(used.values())
    low, high = (sum(cost_range(placed.scene, slot)[side] * energy for slot, energy in used.items()) / max(kwh, 1e-9) for side in (0, 1))
    return {
        "that many": placed.figures.get("count", 1) == len(used),
        "of so many": placed.figures["total"] == len(placed.window),
        "that energy": abs(placed.figures["kwh"] - kwh) < EPS,
        "at that price": low - 1e-5 <= placed.figures.get("price", high) <= high + 1e-5,
    }


def _cheapest(placed: Placed) -> Claims:
    prices = {slot: cost_range(placed.scene, slot) for slot in placed.window}
    dearest = max(prices[slot][0] for slot in prices if placed.energy(slot) > 0)
    left = [high for slot, (_, high) in prices.items() if placed.energy(slot) <= 0]
    return {**_uses(placed), **_whole(placed), "are the cheapest": all(dearest <= high + SAME_PRICE for high in left)}


def _throughout(placed: Placed) -> Claims:
    every = all(placed.energy(slot) > 0 for slot in placed.window)
    dearest = max(cost_range(placed.scene, slot)[1] for slot in placed.window)
    return {**_uses(placed), **_whole(placed), "in every slot": every, "also at that": placed.figures.get("dearest", dearest) <= dearest + 1e-6}


def _surplus(placed: Placed) -> Claims:
    here, figures = placed.here, placed.figures
    site = Seen(placed.scene, placed.slot)
    filled = here["export_kwh"] >= placed.scene.limit_kw("export", placed.slot) * placed.scene.hours[placed.slot] - EPS
    return {
        **_uses(placed),
        "is all sun": here["import_kwh"] <= EPS and site.given <= EPS and site.load <= site.sun + EPS,
        "sells for that": figures.get("sell", here["export_price"]) == here["export_price"],
        "costs that": abs(figures.get("fee", 0.0) + here["export_price"] * ("fee" in figures)) < 1e-6,
        "more is held back": abs(figures.get("held", here["curtailed_kwh"]) - here["curtailed_kwh"]) < EPS,
        "may not be fed in": any(name in figures for name in ("sell", "fee", "held")) or filled or placed.scene.feeds_nothing_in(placed.slot),
    }


def _every_slot(placed: Placed) -> Claims:
    return {**_uses(placed), "in every slot": all(placed.energy(slot) > 0 for slot in placed.window)}


def _lacks(placed: Placed) -> Claims:
    until = datetime.fromisoformat(placed.figures["time"])
    sessions = placed.scene.request["state"]["vehicles"][placed.name]["sessions"]
    target = next(each["target_soc"] for each in sessions if datetime.fromisoformat(each["to"]) >= until)
    last = max(slot for slot, start in enumerate(placed.scene.starts) if start < until)
    missing = (target - placed.flow(last)["soc_end"]) * placed.device["capacity_kwh"]
    return {"that is missing": placed.figures["kwh"] <= missing + 1e-3 and placed.figures["kwh"] > 0}


def _late(placed: Placed) -> Claims:
    return _uses(placed) | _lacks(placed)


def _idle(placed: Placed) -> Claims:
    return {"uses nothing": not placed.uses}


def _short(placed: Placed) -> Claims:
    return _idle(placed) | _lacks(placed)


def _used_then(placed: Placed) -> Claims:
    """It next runs at ``time``, where there is one."""
    return {"uses it then": "time" not in placed.figures or placed.next_use == placed.scene.at(placed.figures["time"])}


def _waits(placed: Placed) -> Claims:
    figures, then = placed.figures, placed.scene.at(placed.figures["time"])
    costs = _costs_that(placed, placed.slot, figures["buy"]) and _costs_that(placed, then, figures["price"])
    return {**_idle(placed), **_used_then(placed), "costs that": costs, "is cheaper then": figures["price"] < figures["buy"]}


def _waits_peak(placed: Placed) -> Claims:
    peak = placed.scene.site["tariff"]["peak"]
    price = peak["price_per_kw_month"] / peak.get("highest", 1)
    return {**_idle(placed), "costs that": abs(placed.figures["cost"] - placed.figures["kw"] * price) < 1e-4, "rises": placed.figures["kw"] > 0}


def _waits_then(placed: Placed) -> Claims:
    return _idle(placed) | _used_then(placed)


def _ready(placed: Placed) -> Claims:
    sessions = placed.scene.request["state"]["vehicles"][placed.name]["sessions"]
    target = min(each.get("target_soc", 1.0) for each in sessions)
    # Its least power for one slot would fill it beyond its target.
    step = 1.4 * placed.scene.request["slot_minutes"] / 60 / placed.device["capacity_kwh"]
    return {**_idle(placed), "is full enough": placed.flow()["soc_end"] >= target - step - 1e-4}


def _gives(placed: Placed) -> Claims:
    return {"gives": placed.flow()["discharge_kwh"] > 0, "buying costs that": placed.figures["buy"] == placed.here["import_price"]}


def _gap(placed: Placed) -> Claims:
    step = placed.scene.request["slot_minutes"] / 60
    before = next((placed.slot - slot for slot in range(placed.slot - 1, -1, -1) if placed.energy(slot) > 0), placed.slot)
    return {"uses": placed.uses, "off for long": (before + 1) * step >= placed.figures["hours"] - step or placed.slot < before + 1}


def _programme(placed: Placed) -> Claims:
    runs = placed.scene.request["state"]["loads"][placed.name].get("runs", [])
    wanted = "time" not in placed.figures or placed.figures["time"] in [datetime.fromisoformat(each["by"]).isoformat() for each in runs]
    return {"uses": placed.uses, "wanted by then": wanted}


def _not_now(placed: Placed) -> Claims:
    return {**_idle(placed), "is forbidden": bool(placed.device.get("forbidden") or placed.device.get("allowed"))}


def _done(placed: Placed) -> Claims:
    later = placed.next_use
    return {**_idle(placed), "needs no more": later is None or placed.scene.starts[later] >= datetime.fromisoformat(placed.figures["time"])}


def _load_short(placed: Placed) -> Claims:
    return {**_done(placed), "something is missing": placed.figures["kwh"] > 0 and bool(placed.scene.reply["compromises"])}


RULES: dict[str, Callable[[Placed], Claims]] = {
    "ev_cheapest": _cheapest,
    "ev_throughout": _throughout,
    "ev_surplus": _surplus,
    "ev_every_slot": _every_slot,
    "ev_late": _late,
    "ev_short": _short,
    "ev_among": _uses,
    "ev_waits": _waits,
    "ev_waits_surplus": _waits_then,
    "ev_waits_peak": _waits_peak,
    "ev_later": _waits_then,
    "ev_ready": _ready,
    "ev_gives": _gives,
    "load_cheapest": _cheapest,
    "load_throughout": _throughout,
    "load_surplus": _surplus,
    "load_gap": _gap,
    "load_among": _uses,
    "load_waits": _waits,
    "load_waits_peak": _waits_peak,
    "load_later": _waits_then,
    "load_programme": _programme,
    "load_not_now": _not_now,
    "load_done": _done,
    "load_short": _load_short,
}


def judge_placed(request: Document, reply: Document) -> Iterator[tuple[int, str, str, str]]:
    """Yield slot, code, sentence and what of it does not hold, for every reason of a car or an appliance."""
    for placed in list_placed(Scene(request, reply)):
        code = placed.reason["code"]
        claims = {"has a rule": code in RULES} | RULES.get(code, lambda _: {})(placed)
        claims |= judge_words(placed.reason, request["options"].get("language", "en"))
        wrong = [claim for claim, holds in claims.items() if not holds]
        if wrong:
            yield placed.slot, code, placed.reason["text"], ", ".join(wrong)


def list_placed(scene: Scene) -> Iterator[Placed]:
    """Yield the reasons of cars and appliances."""
    for slot, here in enumerate(scene.slots):
        for kind in ("vehicles", "loads"):
            for name, flow in here[kind].items():
                if flow["reason"] is not None:
                    yield Placed(scene, kind, name, slot)


def count_reasons(reply: Any) -> int:
    """Return how many reasons a reply gives."""
    per_slot = [
        [here["reason"], *(each.get("reason") for kind in ("batteries", "vehicles", "loads") for each in here[kind].values())] for here in reply["slots"]
    ]
    return sum(reason is not None for reasons in per_slot for reason in reasons)
