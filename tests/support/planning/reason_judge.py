"""What has to hold where a plan gives a reason: judged by the reply and the request as documents, by rules of their own.

Nothing of what makes the sentences is used here. A rule names each claim of a sentence and says whether it holds; prices that are set against each other
are compared as they are printed.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from luna.energy.devices import SWITCHED_KINDS

Document = dict[str, Any]
Claims = dict[str, bool]
# Energies of a reply are rounded to a millionth: sums of them are this exact.
EPS = 2e-5
ZONE = ZoneInfo("Europe/Berlin")


class Scene:
    """A reply beside its request: what the site as a whole does in each slot."""

    def __init__(self, request: Document, reply: Document) -> None:
        self.request, self.reply, self.slots = request, reply, reply["slots"]
        self.site, self.outlook = request["site"], request["outlook"]
        self.batteries: list[Document] = self.site.get("batteries", [])
        self.starts = [datetime.fromisoformat(slot["start"]) for slot in self.slots]
        step = timedelta(minutes=request["slot_minutes"])
        self.ends = [start + step for start in self.starts]
        first = request.get("first_slot_minutes", request["slot_minutes"]) / 60
        self.hours = [first] + [step / timedelta(hours=1)] * (len(self.slots) - 1)

    def at(self, instant: str) -> int:
        """Return the slot that begins at an instant."""
        return self.starts.index(datetime.fromisoformat(instant))

    def limit_kw(self, side: str, slot: int) -> float:
        """Return what the connection carries one way."""
        dims = (self.outlook.get(f"{side}_limit_kw") or [None] * len(self.slots))[slot]
        return min(self.site.get("grid", {}).get(f"{side}_limit_kw", 10_000.0), math.inf if dims is None else dims)

    def feeds_nothing_in(self, slot: int) -> bool:
        """Whether a limit or a block lets nothing out."""
        return self.limit_kw("export", slot) == 0 or any(block["action"] == "no_export" for block in self.blocks(slot))

    def blocks(self, slot: int) -> list[Document]:
        """Return the owner's blocks that hold in a slot."""
        begin, end = self.ends[slot] - timedelta(hours=self.hours[slot]), self.ends[slot]
        return [each for each in self.request.get("manual", []) if datetime.fromisoformat(each["from"]) < end and datetime.fromisoformat(each["to"]) > begin]


@dataclass(frozen=True)
class Told:
    """A reason in a slot, of one battery or, for sites without one, of the site."""

    scene: Scene
    slot: int
    reason: Document
    index: int = 0

    @property
    def here(self) -> Document:
        found: Document = self.scene.slots[self.slot]
        return found

    @property
    def figures(self) -> Document:
        found: Document = self.reason["figures"]
        return found

    @property
    def battery(self) -> Document:
        defaults = {"min_soc": 0.0, "max_soc": 1.0, "wear_price": 0.0, "min_charge_kw": 0.0, "taper_from_soc": 1.0, "taper_to_share": 1.0}
        return defaults | self.scene.batteries[self.index]

    @property
    def hours(self) -> float:
        return self.scene.hours[self.slot]

    # --- the battery ---

    def flow(self, slot: int | None = None) -> Document:
        found: Document = self.scene.slots[self.slot if slot is None else slot]["batteries"][self.battery["name"]]
        return found

    @property
    def charge(self) -> float:
        return float(self.flow()["charge_kwh"])

    @property
    def discharge(self) -> float:
        return float(self.flow()["discharge_kwh"])

    @property
    def rests(self) -> bool:
        return self.charge + self.discharge <= EPS

    @property
    def soc_end(self) -> float:
        return float(self.flow()["soc_end"])

    @property
    def soc_start(self) -> float:
        return float(self.flow(self.slot - 1)["soc_end"] if self.slot else self.scene.request["state"]["batteries"][self.battery["name"]]["soc"])

    @property
    def little_soc(self) -> float:
        return 2e-5 / float(self.battery["capacity_kwh"]) + 1e-8

    @property
    def is_full(self) -> bool:
        return self.soc_start >= self.battery["max_soc"] - self.little_soc

    @property
    def floor(self) -> float:
        """What it may not go below at the end of the slot: its lowest state of charge, or a reserve."""
        end = self.scene.ends[self.slot]
        wanted = [
            min(each["soc"], self.battery["max_soc"])
            for each in self.scene.request.get("reserves", [])
            if datetime.fromisoformat(each["from"]) <= end <= datetime.fromisoformat(each["to"])
        ]
        return max([self.battery["min_soc"], *wanted])

    @property
    def is_at_floor(self) -> bool:
        return self.soc_end <= self.floor + self.little_soc

    @property
    def return_share(self) -> float:
        return float(self.battery["charge_efficiency"] * self.battery["discharge_efficiency"])

    def moves(self, slot: int) -> bool:
        return float(self.flow(slot)["charge_kwh"] + self.flow(slot)["discharge_kwh"]) > 0

    def next_charge(self) -> int | None:
        return next((slot for slot in range(self.slot + 1, len(self.scene.slots)) if self.flow(slot)["charge_kwh"] > 0), None)

    # --- the site ---

    def seen(self, slot: int | None = None) -> "Seen":
        return Seen(self.scene, self.slot if slot is None else slot)

    @cached_property
    def site(self) -> "Seen":
        return self.seen()


@dataclass(frozen=True)
class Seen:
    """The site in one slot: who needs what, and who brings it."""

    scene: Scene
    slot: int

    @property
    def here(self) -> Document:
        found: Document = self.scene.slots[self.slot]
        return found

    @property
    def load(self) -> float:
        """What house, cars and appliances use, less what cars give."""
        here = self.here
        cars = sum(each["charge_kwh"] - each["discharge_kwh"] for each in here["vehicles"].values())
        placed = sum(each["energy_kwh"] for kind in SWITCHED_KINDS for each in here[kind.section].values())
        return float(here["load_kwh"] + cars + placed)

    @property
    def direct(self) -> list[float]:
        """What of the sun each battery takes that its inverter does not carry."""
        carries = {name: each for each in self.scene.site.get("inverters", []) for name in each["batteries"]}
        beyond = [
            self.own_sun(battery["name"]) - carries[battery["name"]]["ac_limit_kw"] * self.hours if battery["name"] in carries else 0.0
            for battery in self.scene.batteries
        ]
        used = self.here["pv_kwh"] - self.here["curtailed_kwh"]
        return [
            min(max(each, 0.0), float(self.here["batteries"][battery["name"]]["charge_kwh"]), used)
            for each, battery in zip(beyond, self.scene.batteries, strict=True)
        ]

    def own_sun(self, battery: str) -> float:
        """What the arrays behind a battery's inverter could give."""
        arrays = self.scene.site["pv"]
        named = [name for each in self.scene.site.get("inverters", []) if battery in each["batteries"] for name in each["pv"]]
        share = sum(array["peak_kw"] for array in arrays if array["name"] in named) / sum(array["peak_kw"] for array in arrays)
        return float(self.here["pv_kwh"] * share)

    @property
    def hours(self) -> float:
        return self.scene.hours[self.slot]

    @property
    def sun(self) -> float:
        """What sun reaches the house."""
        return float(self.here["pv_kwh"] - self.here["curtailed_kwh"]) - sum(self.direct)

    @property
    def need(self) -> float:
        return max(self.load - self.sun, 0.0)

    @property
    def given(self) -> float:
        return sum(each["discharge_kwh"] for each in self.here["batteries"].values())

    @property
    def taken(self) -> float:
        return sum(each["charge_kwh"] for each in self.here["batteries"].values()) - sum(self.direct)

    @property
    def served(self) -> float:
        return min(self.need, self.given)

    @property
    def short(self) -> float:
        """What the house draws on the grid."""
        return min(self.here["import_kwh"], self.need - self.served)

    @property
    def bought(self) -> float:
        """What batteries draw on the grid."""
        return min(max(self.here["import_kwh"] - self.short, 0.0), self.taken)

    @property
    def sold(self) -> float:
        """What batteries feed in."""
        return min(self.here["export_kwh"], self.given - self.served)

    @property
    def sun_sold(self) -> float:
        return max(self.here["export_kwh"] - self.sold, 0.0)

    @property
    def could_use(self) -> float:
        """What sun inverters let through in all."""
        lost = sum(max(self.shared_sun(each) - each["ac_limit_kw"] * self.hours, 0.0) for each in self.scene.site.get("inverters", []))
        return float(self.here["pv_kwh"]) - lost

    def shared_sun(self, inverter: Document) -> float:
        arrays = self.scene.site["pv"]
        return float(
            self.here["pv_kwh"] * sum(array["peak_kw"] for array in arrays if array["name"] in inverter["pv"]) / sum(array["peak_kw"] for array in arrays)
        )

    @property
    def held(self) -> float:
        """What of the surplus is held back, without what inverters cannot pass on."""
        surplus = max(self.could_use - self.load, 0.0) if self.need <= EPS else 0.0
        return min(max(self.could_use - self.sun, 0.0), max(surplus - self.sun_sold, 0.0))

    @property
    def passed(self) -> float:
        return max(self.given - self.served - self.sold, 0.0)

    @property
    def from_sun(self) -> float:
        return max(self.taken - self.bought - self.passed, 0.0) + sum(self.direct)


# --- claims that several sentences make ---------------------------------------------------------------------------------------------------------


def figures_are_of_the_slot(told: Told) -> Claims:
    """Prices and instants of a sentence, each beside what the reply says of its slot."""
    figures, here = told.figures, told.here
    claims = {
        "buy": figures.get("buy", here["import_price"]) == here["import_price"],
        "sell": figures.get("sell", here["export_price"]) == here["export_price"],
        "value": figures.get("value", told.reason["energy_value"]) == told.reason["energy_value"],
        "start": local_day(figures.get("start", here["start"])) == local_day(here["start"]),
    }
    return claims | {f"{name} is known": figure is not None for name, figure in figures.items()}


def local_day(instant: str) -> date:
    """Return the day of an instant by the site's clock."""
    return datetime.fromisoformat(instant).astimezone(ZONE).date()


def _later(told: Told) -> int:
    return told.scene.at(told.figures["time"])


def _is_used_then(told: Told) -> Claims:
    """A kWh brings ``price`` in the slot of ``time``: the battery gives then, and has not run empty before."""
    slot = _later(told)
    then, flow = told.seen(slot), told.flow(slot)
    served = then.served >= then.sold and abs(then.here["import_price"] - told.figures["price"]) < 1e-6
    sold = then.sold >= then.served and abs(then.here["export_price"] - told.figures["price"]) < 1e-6
    kept = min(told.flow(each)["soc_end"] for each in range(told.slot, slot))
    return {
        "later": slot > told.slot,
        "gives then": flow["discharge_kwh"] > 0,
        "brings that": served or sold,
        "is kept until then": kept > told.battery["min_soc"] + 1e-8,
    }


def _refills_then(told: Told) -> Claims:
    """The battery is next charged at ``time``: bought at ``refill``, or with sun that sells for ``sun``."""
    slot = _later(told)
    then = told.seen(slot)
    bought = "refill" not in told.figures or (then.bought > 0 and then.here["import_price"] == told.figures["refill"])
    sun = "sun" not in told.figures or (then.from_sun > 0 and then.bought <= EPS and then.here["export_price"] == told.figures["sun"])
    return {"next charged then": slot == told.next_charge(), "refills at that": bought, "refills with such sun": sun}


def _worth_after_losses(told: Told) -> float:
    """What storing a kWh now is worth."""
    return float(told.reason["energy_value"] * told.battery["charge_efficiency"] - told.battery["wear_price"])


def _saves_now(told: Told, price: float) -> float:
    """What using a stored kWh now brings."""
    return float((price - told.battery["wear_price"]) * told.battery["discharge_efficiency"])


def _costs_later(told: Told, price: float) -> float:
    """What a kWh given later costs that is charged at a price."""
    return price / told.return_share + told.battery["wear_price"] * (1 / told.return_share + 1)


def _buys(told: Told) -> Claims:
    share = told.figures["kwh"]
    return {"charges": told.charge > 0, "buys that": 0 < share <= min(told.charge, told.site.bought) + EPS}


def _stores_sun(told: Told) -> Claims:
    return {"charges": told.charge > 0, "from the sun": told.site.from_sun > 0, "buys nothing": told.site.bought <= EPS}


def _serves(told: Told) -> Claims:
    claims = {"gives": told.discharge > 0, "the house needs it": told.site.need > 0}
    share = told.figures.get("kwh", 0.0)
    return claims | {"serves that": share <= min(told.discharge, told.site.need) + EPS}


def _sells(told: Told) -> Claims:
    return {"gives": told.discharge > 0, "sells that": 0 < told.figures["kwh"] <= min(told.discharge, told.here["export_kwh"]) + EPS}


def _spares(told: Told) -> Claims:
    usable = (told.soc_end - told.battery["min_soc"]) * told.battery["capacity_kwh"]
    return {"rests": told.rests, "the house draws": told.site.short > 0, "holds that": abs(told.figures.get("kwh", usable) - usable) < EPS and usable > 0}


def _leaves_sun(told: Told) -> Claims:
    return {"rests": told.rests, "has room": not told.is_full, "sun is left": told.site.sun_sold + told.site.held > 0}


def _has_fee(told: Told) -> Claims:
    return {"feeding in costs that": abs(told.figures.get("fee", 0.0) + told.here["export_price"] * ("fee" in told.figures)) < 1e-6}


def _grid_pays(told: Told) -> Claims:
    return {"the grid pays that": abs(told.figures["fee"] + told.here["import_price"]) < 1e-6 and told.figures["fee"] > 0}


# --- a rule per code ----------------------------------------------------------------------------------------------------------------------------


def _idle_no_battery(told: Told) -> Claims:
    wasted = told.here["pv_kwh"] - told.here["curtailed_kwh"] < min(told.seen().could_use, told.site.load) - EPS
    return {"no battery": not told.scene.batteries, "sun first": not wasted}


def _idle_held_back(told: Told) -> Claims:
    nobody = "fee" in told.figures or told.here["export_kwh"] >= told.scene.limit_kw("export", told.slot) * told.hours - EPS or told.here["export_price"] <= 0
    return {"no battery": not told.scene.batteries, "holds back": told.here["curtailed_kwh"] > 0, "nobody takes it": nobody, **_has_fee(told)}


def _idle_pv_off(told: Told) -> Claims:
    return {"no battery": not told.scene.batteries, "holds back": told.here["curtailed_kwh"] > 0, **_grid_pays(told)}


def _manual(told: Told) -> Claims:
    obeyed = {
        "charge": told.charge > 0 or told.is_full,
        "discharge": told.discharge > 0 or told.is_at_floor,
        "hold": told.rests,
        "no_charge": told.charge <= EPS,
        "no_discharge": told.discharge <= EPS,
        "no_import": told.here["import_kwh"] <= EPS,
        "no_export": told.here["export_kwh"] <= EPS,
    }
    until = datetime.fromisoformat(told.figures["time"])
    mine = [each for each in told.scene.blocks(told.slot) if each["device"] in (told.battery["name"], "grid") and datetime.fromisoformat(each["to"]) == until]
    return {"set by the owner": bool(mine), "obeyed": any(obeyed[each["action"]] for each in mine)}


def _brought_back(told: Told) -> Claims:
    low, figures = "least" in told.figures, told.figures
    outside = told.soc_start < told.battery["min_soc"] if low else told.soc_start > told.battery["max_soc"]
    moved = told.charge if low else told.discharge
    return {"outside": outside, "comes back": moved > 0 and abs(moved - figures["kwh"]) < EPS, **_states_soc(told)}


def _outside_limits(told: Told) -> Claims:
    low = "least" in told.figures
    outside = told.soc_start < told.battery["min_soc"] if low else told.soc_start > told.battery["max_soc"]
    charged = "time" not in told.figures or _later(told) == told.next_charge()
    return {"outside": outside, "rests": told.rests, "charged again then": charged, **_states_soc(told)}


def _states_soc(told: Told) -> Claims:
    bounds = {"least": told.battery["min_soc"], "most": told.battery["max_soc"]}
    right = all(abs(told.figures[name] - bound) < 1e-6 for name, bound in bounds.items() if name in told.figures)
    return {"at that charge": abs(told.figures["soc"] - told.soc_start) < 2e-6, "that limit": right}


def _full(told: Told) -> Claims:
    sells, holds = "sell" in told.figures, "held" in told.figures
    return {
        "is full": told.is_full,
        "rests": told.rests,
        "sun is left": told.site.sun_sold + told.site.held > 0,
        "sells": not sells or (told.site.sun_sold > 0 and told.here["export_price"] >= 0),
        "holds that back": not holds or abs(told.figures["held"] - told.site.held) < EPS,
        "holds all back": sells or holds or "fee" in told.figures or told.here["export_kwh"] <= EPS,
        "has to be fed in": holds or "fee" not in told.figures or told.here["export_kwh"] > 0,
        **_has_fee(told),
    }


def _full_while_paid(told: Told) -> Claims:
    return {"is full": told.is_full, "rests": told.rests, **_grid_pays(told)}


def _empty(told: Told) -> Claims:
    charged = "time" not in told.figures or _later(told) == told.next_charge()
    return {"is empty": told.is_at_floor and told.floor < 0.001, "rests": told.rests, "the house draws": told.site.short > 0, "charged again then": charged}


def _reserve_kept(told: Told) -> Claims:
    quiet = "time" not in told.figures or not any(told.moves(slot) for slot in range(told.slot, _later(told)))
    at = told.is_at_floor and abs(told.figures["reserve"] - told.floor) < 1e-6
    return {"is at its reserve": at, "rests": told.rests, "the house draws": told.site.short > 0, "stays until then": quiet}


def _peak_kept(told: Told) -> Claims:
    drawn = told.here["import_kwh"] / told.hours
    peaks = told.scene.site["tariff"]["peak"]
    price = peaks["price_per_kw_month"] / peaks.get("highest", 1)
    return {"gives": told.discharge > 0, "draws that": abs(drawn - told.figures["kw"]) < 1e-3, "costs that": abs(told.figures["cost"] - price) < 1e-5}


def _charge_waits(told: Told) -> Claims:
    worth = told.here["import_price"] < _worth_after_losses(told)
    return {"rests": told.rests, "would gain": worth, "has room": not told.is_full, "may": told.battery.get("charge_from_grid", True)}


def _charge_waits_limit(told: Told) -> Claims:
    return _charge_waits(told) | {"nothing more passes": told.here["import_kwh"] >= told.scene.limit_kw("import", told.slot) * told.hours - EPS}


def _charge_waits_peak(told: Told) -> Claims:
    return _charge_waits(told) | {"a peak counts": "peak" in told.scene.site.get("tariff", {})}


def _connection_limit(told: Told) -> Claims:
    limit = told.scene.limit_kw("import", told.slot)
    filled = told.here["import_kwh"] >= limit * told.hours - EPS
    return {**_serves(told), "is filled": filled, "carries that": abs(told.figures["kw"] - limit) < 1e-5}


def _feed_in_limit(told: Told) -> Claims:
    limit = told.scene.limit_kw("export", told.slot)
    filled = told.here["export_kwh"] >= limit * told.hours - EPS
    return {**_stores_sun(told), "is filled": filled, "carries that": abs(told.figures["kw"] - limit) < 1e-5}


def _inverter_limit(told: Told) -> Claims:
    carried = _inverter(told)["ac_limit_kw"]
    beyond = told.site.own_sun(told.battery["name"]) > carried * told.hours
    return {"charges": told.charge > 0, "sun beyond it": beyond, "carries that": abs(told.figures["kw"] - carried) < 1e-6}


def _inverter_full(told: Told) -> Claims:
    carried = _inverter(told)["ac_limit_kw"]
    filled = told.site.own_sun(told.battery["name"]) >= carried * told.hours - EPS
    return {"rests": told.rests, "the house draws": told.site.short > 0, "filled": filled, "carries that": abs(told.figures["kw"] - carried) < 1e-6}


def _inverter(told: Told) -> Document:
    return next(each for each in told.scene.site["inverters"] if told.battery["name"] in each["batteries"])


def _not_for_car(told: Told) -> Claims:
    spared = [each["name"] for each in told.scene.site["vehicles"] if each["from_battery"] == "never"]
    charging = any(told.here["vehicles"][name]["charge_kwh"] > 0 for name in spared)
    return {"such a car charges": charging, "from the grid": told.site.short > 0, "charges nothing itself": told.charge <= EPS}


def _learned(told: Told) -> Claims:
    """What the planner would do, no document says; that it is something else than what is done, and no two things, it does."""
    takes, gives = (told.figures.get(name, 0.0) for name in ("takes", "gives"))
    return {
        "an agent's plan": told.scene.reply["followed"]["policy"] == "learned",
        "the planner does one thing": not (takes and gives),
        "it costs or gains": not ({"cost", "gain"} <= told.figures.keys()),
        "something else is done": abs(takes - told.charge) > EPS / 2 or abs(gives - told.discharge) > EPS / 2,
    }


def _power_limit(told: Told) -> Claims:
    carries = [each["ac_limit_kw"] for each in told.scene.site.get("inverters", []) if told.battery["name"] in each["batteries"]]
    room = [limit - min(told.site.own_sun(told.battery["name"]) / told.hours, limit) for limit in carries]
    most = min([told.battery["discharge_limit_kw"], *room])
    given = told.discharge / told.hours
    able = most > EPS
    return {
        **(_serves(told) if able else {}),
        "gives all": given >= most - EPS / told.hours,
        "gives that": abs(told.figures["kw"] - given) < 1e-4,
        "grid does the rest": told.site.short > 0,
    }


def _charge_limit(told: Told) -> Claims:
    battery = told.battery
    above = max(told.soc_start - battery["taper_from_soc"], 0.0) / max(1.0 - battery["taper_from_soc"], 1e-9)
    most = battery["charge_limit_kw"] * (1 - min(above, 1.0) * (1 - battery["taper_to_share"]))
    taken = told.charge / told.hours
    sells = "sell" in told.figures
    return {
        **(_stores_sun(told) if most > EPS else {}),
        "takes all": taken >= most - 1e-3,
        "takes that": abs(told.figures["kw"] - taken) < 1e-4,
        "does not get full": told.soc_end < battery["max_soc"],
        "the rest sells": not sells or (told.site.sun_sold > 0 and told.site.held <= EPS),
        "the rest is held back": sells or (told.site.held > 0 and told.site.sun_sold <= EPS),
    }


def _least_power(told: Told) -> Claims:
    surplus = (told.site.sun_sold + told.site.held) / told.hours
    return {**_leaves_sun(told), "too little": surplus < told.battery["min_charge_kw"], "that power": told.figures["kw"] == told.battery["min_charge_kw"]}


def _cycles(told: Told) -> Claims:
    """A battery that is not empty rests while the house buys, because the day's discharge comes to its full cycles."""
    battery, zone = told.battery, ZoneInfo(told.scene.site["timezone"])
    dates = [start.astimezone(zone).date() for start in told.scene.starts]
    given = sum(told.flow(slot)["discharge_kwh"] for slot, day in enumerate(dates) if day == dates[told.slot])
    before = told.scene.request["state"]["batteries"][battery["name"]].get("discharged_today_kwh", 0.0) if dates[told.slot] == dates[0] else 0.0
    room = max(battery["max_cycles_per_day"] * (battery["max_soc"] - battery["min_soc"]) * battery["capacity_kwh"] - before, 0.0)
    return {"rests": told.rests, "the house buys": told.site.short > EPS, "is not empty": told.soc_start > battery["min_soc"], "used up": given >= room - EPS}


def _charge_negative(told: Told) -> Claims:
    held = "held" not in told.figures or abs(told.figures["held"] - told.here["curtailed_kwh"]) < EPS
    takes = abs(told.figures["kwh"] - told.charge) < EPS
    return {"charges": told.charge > 0, "takes that": takes, "buys": told.site.bought > 0, "holds that back": held, **_grid_pays(told)}


def _other_battery(told: Told) -> Claims:
    others = told.site.given + told.site.taken + sum(told.site.direct) > 0
    return {
        "rests": told.rests,
        "others move": others,
        "the house draws nothing": told.site.short <= EPS,
        "no sun is left": told.site.sun_sold + told.site.held <= EPS,
    }


def _nothing_to_do(told: Told) -> Claims:
    slots = range(told.slot, _later(told)) if "time" in told.figures else [told.slot]
    idle = all(told.seen(slot).short <= EPS and told.seen(slot).sun_sold + told.seen(slot).held <= EPS and not told.moves(slot) for slot in slots)
    return {"nothing to do": idle, "does something then": "time" not in told.figures or told.moves(_later(told))}


def _charge_cheap(told: Told) -> Claims:
    if "value" in told.figures:
        return {**_buys(told), "gains after losses": _worth_after_losses(told) >= told.here["import_price"] - 1e-5}
    loaded = told.figures.get("loaded", told.here["import_price"])
    right = "loaded" not in told.figures or abs(loaded - told.here["import_price"] / told.return_share) < 2e-6
    return {**_buys(told), **_is_used_then(told), "with losses": right, "gains": _costs_later(told, told.here["import_price"]) < told.figures["price"]}


def _charge_for_target(told: Told) -> Claims:
    wanted = told.scene.request["options"]["terminal"]["kind"] in ("minimum_soc", "equal_soc") or bool(told.scene.request.get("reserves"))
    later = any(told.flow(slot)["discharge_kwh"] > EPS for slot in range(told.slot + 1, len(told.scene.slots)))
    return {**_buys(told), "is wanted at the end": wanted, "stays until then": not later}


def _charge_for_limit(told: Told) -> Claims:
    return {**_buys(told), **_fills_then(told)}


def _hold_for_limit(told: Told) -> Claims:
    return {**_spares(told), **_fills_then(told)}


def _fills_then(told: Told) -> Claims:
    """In the slot of ``time`` the battery gives, and the grid brings as much as it may."""
    then = told.seen(_later(told))
    drawn, limit = then.here["import_kwh"] / then.hours, told.scene.limit_kw("import", then.slot)
    peak = "peak" in told.scene.site.get("tariff", {})
    filled = drawn >= told.figures["kw"] - 1e-3 and (peak or abs(told.figures["kw"] - limit) < 1e-5)
    return {"later": then.slot > told.slot, "gives then": told.flow(then.slot)["discharge_kwh"] > 0, "is filled then": filled}


def _charge_for_reserve(told: Told) -> Claims:
    return {"charges": told.charge > 0 and abs(told.charge - told.figures["kwh"]) < EPS, **_has_reserve(told)}


def _has_reserve(told: Told) -> Claims:
    """A reserve of that charge is wanted: by ``time``, or else now."""
    step = timedelta(minutes=told.scene.request["slot_minutes"])
    by = datetime.fromisoformat(told.figures["time"]) if "time" in told.figures else told.scene.ends[told.slot]
    level = told.figures["reserve"]
    wanted = [each for each in told.scene.request["reserves"] if abs(min(each["soc"], told.battery["max_soc"]) - level) < 1e-6]
    return {"such a reserve": any(by - step < datetime.fromisoformat(each["from"]) <= by or "time" not in told.figures for each in wanted)}


def _store_surplus(told: Told) -> Claims:
    figures = told.figures
    if "price" in figures:
        return {**_stores_sun(told), **_is_used_then(told), "gains": _costs_later(told, told.here["export_price"]) < figures["price"]}
    if "value" in figures:
        return {**_stores_sun(told), "gains after losses": _worth_after_losses(told) >= told.here["export_price"] - 1e-5}
    return {**_stores_sun(told), "may not be fed in": "fee" in figures or told.scene.feeds_nothing_in(told.slot), **_has_fee(told)}


def _plain_charge(told: Told) -> Claims:
    return {"charges": told.charge > 0, "from the sun": told.site.from_sun > 0, "that": abs(told.figures["kwh"] - told.charge) < EPS}


def _takes_over(told: Told) -> Claims:
    return {"charges": told.charge > 0, "another gives": told.site.given > 0, "that": 0 < told.figures["kwh"] <= min(told.charge, told.site.given) + EPS}


def _passes_on(told: Told) -> Claims:
    return {"gives": told.discharge > 0, "another takes": told.site.taken > 0}


def _sell_high(told: Told) -> Claims:
    claims = _sells(told)
    if "value" in told.figures:
        claims |= {"gains after losses": _saves_now(told, told.here["export_price"]) >= told.reason["energy_value"] - 1e-5}
    if "time" in told.figures:
        refill = told.figures.get("refill", told.figures.get("sun"))
        claims |= _refills_then(told) | {"refills for less": _costs_later(told, max(refill, 0.0)) < told.here["export_price"]}
    return claims


def _serve_peak(told: Told) -> Claims:
    claims = _serves(told)
    if "value" in told.figures:
        saved = _saves_now(told, told.here["import_price"])
        right = abs(told.figures.get("save", saved) - saved) < 2e-6
        return claims | {"gains after losses": saved >= told.reason["energy_value"] - 1e-5, "saves that": right}
    if "time" not in told.figures:
        return claims | {"is worth no more": told.reason["energy_value"] <= told.here["import_price"] + 1e-5}
    refill = told.figures.get("refill", told.figures.get("sun"))
    return claims | _refills_then(told) | {"refills for less": _costs_later(told, max(refill, 0.0)) < told.here["import_price"]}


def _serve_alone(told: Told) -> Claims:
    return _serve_peak(told) | {"the house draws nothing": told.site.short <= EPS, "alone": told.discharge >= told.site.need - EPS}


def _hold_for_peak(told: Told) -> Claims:
    claims, figures = _spares(told), told.figures
    if "price" in figures:
        return claims | _is_used_then(told)
    saved = figures.get("save", _saves_now(told, told.here["import_price"]))
    right = abs(saved - _saves_now(told, told.here["import_price"])) < 2e-6
    return claims | {"saves that": right, "gains after losses": saved < told.reason["energy_value"] + 1e-6}


def _hold_for_target(told: Told) -> Claims:
    wanted = told.scene.request["options"]["terminal"]["kind"] in ("minimum_soc", "equal_soc") or bool(told.scene.request.get("reserves"))
    later = any(told.flow(slot)["discharge_kwh"] > EPS for slot in range(told.slot + 1, len(told.scene.slots)))
    return {**_spares(told), "is wanted at the end": wanted, "stays until then": not later}


def _hold_for_reserve(told: Told) -> Claims:
    return _spares(told) | _has_reserve(told)


def _hold_equal(told: Told) -> Claims:
    return _spares(told) | {"saves no more": _saves_now(told, told.here["import_price"]) <= told.reason["energy_value"] + 2e-4}


def _keep_room(told: Told) -> Claims:
    claims, figures = _leaves_sun(told), told.figures
    if "held" in figures:
        sells = (told.site.sun_sold > EPS) == ("sell" in figures) or told.here["export_price"] < 0
        return claims | {"holds that back": abs(figures["held"] - told.site.held) < EPS, "sells": sells, "is worth nothing": _worth_after_losses(told) <= 1e-5}
    claims |= {"sells": told.site.sun_sold > 0, "holds nothing back": told.site.held <= EPS}
    if "time" in figures:
        return claims | _refills_then(told)
    stored = figures.get("keep", _worth_after_losses(told))
    return claims | {"brings that": abs(stored - _worth_after_losses(told)) < 2e-6, "gains": stored <= told.here["export_price"] + 1e-5}


def _weighed(told: Told) -> Claims:
    return {"more than money counts": bool(told.scene.site.get("objective")), "that value": told.figures["value"] == told.reason["energy_value"]}


def _moves_that(told: Told) -> Claims:
    return {"moves that": 0 < told.figures["kwh"] <= max(told.charge, told.discharge) + EPS}


def _rest_plain(told: Told) -> Claims:
    return {"rests": told.rests}


RULES: dict[str, Callable[[Told], Claims]] = {
    "idle_no_battery": _idle_no_battery,
    "idle_held_back": _idle_held_back,
    "idle_pv_off": _idle_pv_off,
    "manual": _manual,
    "brought_back": _brought_back,
    "outside_limits": _outside_limits,
    "full": _full,
    "full_while_paid": _full_while_paid,
    "empty": _empty,
    "reserve_kept": _reserve_kept,
    "peak_kept": _peak_kept,
    "charge_waits_limit": _charge_waits_limit,
    "charge_waits_peak": _charge_waits_peak,
    "connection_limit": _connection_limit,
    "feed_in_limit": _feed_in_limit,
    "inverter_limit": _inverter_limit,
    "inverter_full": _inverter_full,
    "not_for_car": _not_for_car,
    "learned": _learned,
    "power_limit": _power_limit,
    "charge_limit": _charge_limit,
    "least_power": _least_power,
    "cycles": _cycles,
    "charge_negative": _charge_negative,
    "other_battery": _other_battery,
    "nothing_to_do": _nothing_to_do,
    "charge_cheap": _charge_cheap,
    "charge_for_limit": _charge_for_limit,
    "hold_for_limit": _hold_for_limit,
    "charge_for_target": _charge_for_target,
    "charge_for_reserve": _charge_for_reserve,
    "charge_plain": _buys,
    "store_surplus": _store_surplus,
    "follow_house": _store_surplus,
    "store_plain": _plain_charge,
    "takes_over": _takes_over,
    "passes_on": _passes_on,
    "sell_high": _sell_high,
    "sell_plain": _sells,
    "serve_peak": _serve_alone,
    "serve_part": _serve_peak,
    "serve_plain": _serves,
    "hold_for_peak": _hold_for_peak,
    "hold_for_target": _hold_for_target,
    "hold_for_reserve": _hold_for_reserve,
    "hold_equal": _hold_equal,
    "keep_room": _keep_room,
    "weighed": _weighed,
    "rest_plain": _rest_plain,
}
# What a sentence sets against each other, the lower first: as printed, one has to be lower than the other.
COMPARED: dict[str, tuple[tuple[str, str], ...]] = {
    "charge_cheap": (("buy", "price"), ("loaded", "price"), ("buy", "value")),
    "store_surplus": (("sell", "price"), ("sell", "value")),
    "follow_house": (("sell", "value"), ("value", "buy")),
    "sell_high": (("value", "sell"), ("refill", "sell"), ("sun", "sell")),
    "serve_peak": (("value", "buy"), ("value", "save"), ("refill", "buy"), ("sun", "buy")),
    "serve_part": (("value", "buy"), ("value", "save"), ("refill", "buy"), ("sun", "buy")),
    "hold_for_peak": (("buy", "price"), ("buy", "value"), ("save", "value")),
    "keep_room": (("refill", "sell"), ("sun", "sell"), ("value", "sell"), ("keep", "sell")),
    "brought_back": (("soc", "least"), ("most", "soc")),
    "outside_limits": (("soc", "least"), ("most", "soc")),
    "ev_waits": (("price", "buy"),),
    "load_waits": (("price", "buy"),),
    "ev_throughout": (("price", "dearest"),),
    "load_throughout": (("price", "dearest"),),
}


def judge(request: Document, reply: Document) -> Iterator[tuple[int, str, str, str]]:
    """Yield slot, code, sentence and what of it does not hold, for every reason of a battery or of a site without one."""
    scene = Scene(request, reply)
    for told in list_told(scene):
        claims = {"has a rule": told.reason["code"] in RULES}
        claims |= RULES.get(told.reason["code"], lambda _: {})(told) | figures_are_of_the_slot(told)
        claims |= judge_words(told.reason, request["options"].get("language", "en"))
        wrong = [claim for claim, holds in claims.items() if not holds]
        if wrong:
            yield told.slot, told.reason["code"], told.reason["text"], ", ".join(wrong)


def list_told(scene: Scene) -> Iterator[Told]:
    """Yield the reason of every slot, and those of each of several batteries."""
    names = [battery["name"] for battery in scene.batteries]
    for slot, here in enumerate(scene.slots):
        device = here["reason"]["device"]
        yield Told(scene, slot, here["reason"], names.index(device) if device else 0)
        for index, name in enumerate(names if len(names) > 1 else []):
            yield Told(scene, slot, here["batteries"][name]["reason"], index)


# --- the printed sentence -----------------------------------------------------------------------------------------------------------------------

# By language: what stands between thousands, before decimals and before a per-cent sign, and what is said of less than a watt-hour.
MARKS = {"en": (",", ".", "", "under"), "de": (".", ",", " ", "unter"), "nl": (".", ",", "", "onder")}
UNITS = {"price": " ct", "kwh": " kWh", "kw": " kW"}


def judge_words(reason: Document, language: str) -> Claims:
    """What is printed: figures as they are, those set against each other seen to differ, nothing unfilled, nothing too long."""
    figures, text, short = reason["figures"], reason["text"].replace("\u00a0", " "), reason["short"].replace("\u00a0", " ")
    return {
        "is a sentence": text.endswith(".") and "{" not in text + short and "nan" not in text + short,
        "is short": 0 < len(reason["short"]) <= 60 and not short.endswith("."),
        "prints its prices": prints_prices(text, figures, language) and prints_prices(short, figures, language),
        "prints its energies": prints_energies(text, figures, language),
        "prints its times": prints_times(text, figures) and prints_times(short, figures),
        "what is compared differs": all(differs(text, figures, pair, language) for pair in COMPARED.get(reason["code"], ())),
    }


PRICES = ("buy", "sell", "price", "value", "refill", "sun", "fee", "loaded", "save", "keep", "counted", "dearest")


def prints_prices(text: str, figures: Document, language: str) -> bool:
    """Whether every printed price is a figure, rounded."""
    known = [figures[name] * 100 for name in PRICES if name in figures]
    return all(any(abs(printed - each) <= unit / 2 + 1e-6 for each in known) for printed, unit in read_numbers(text, " ct", language))


def prints_energies(text: str, figures: Document, language: str) -> bool:
    """Whether every printed energy is a figure, rounded."""
    known = [figures[name] for name in ("kwh", "held", "takes", "gives") if name in figures]
    text = text.replace(f"{MARKS[language][3]} 1 Wh", "")
    whole = all(any(abs(printed - each) <= unit / 2 + 1e-6 for each in known) for printed, unit in read_numbers(text, " kWh", language))
    return whole and all(any(abs(printed - each * 1000) <= 0.5 + 1e-3 for each in known) for printed, _ in read_numbers(text, " Wh", language))


def prints_times(text: str, figures: Document) -> bool:
    """Whether every printed clock time is that of the figure."""
    clocks = re.findall(r"\d\d:\d\d", text)
    return not clocks or set(clocks) == {f"{datetime.fromisoformat(figures['time']).astimezone(ZONE):%H:%M}"}


def differs(text: str, figures: Document, pair: tuple[str, str], language: str) -> bool:
    """Whether the lower of two figures is printed lower, where both are printed."""
    low, high = pair
    if low not in figures or high not in figures or "held" in figures:
        return True
    share = low in ("soc", "most", "least")
    printed = read_numbers(text, f"{MARKS[language][2]}%" if share else " ct", language)
    lows, highs = ([value for value, unit in printed if abs(value - figures[name] * 100) <= unit / 2 + 1e-6] for name in pair)
    return not lows or not highs or min(lows) < max(highs)


def read_numbers(text: str, unit: str, language: str) -> list[tuple[float, float]]:
    """Return the numbers before a unit, each with what its last digit counts."""
    thousands, decimal, *_ = MARKS[language]
    found = re.findall(rf"(−?\d[\d{thousands}]*(?:{re.escape(decimal)}\d+)?){re.escape(unit)}(?!\w)", text)
    plain = [each.replace(thousands, "").replace(decimal, ".").replace("−", "-") for each in found]
    return [(float(each), 10.0 ** -len(each.partition(".")[2])) for each in plain]


def find_dust(document: Any, path: str = "") -> Iterator[str]:
    """Yield where a document holds a number that is nothing but a rounding error, or a zero with a minus."""
    if isinstance(document, dict):
        for name, part in document.items():
            yield from find_dust(part, f"{path}.{name}")
    elif isinstance(document, list):
        for place, part in enumerate(document):
            yield from find_dust(part, f"{path}[{place}]")
    elif isinstance(document, float) and (0 < abs(document) < 1e-9 or (document == 0 and math.copysign(1, document) < 0)):
        yield path


def count_changes(modes: list[str]) -> int:
    """Return how often one mode follows another."""
    return sum(one != other for one, other in pairwise(modes))
