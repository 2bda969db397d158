"""Home in words and figures: one sentence, the next steps, four figures, and what is the matter; all read off a timeline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from luna.database.plan_faults import PlanFault
from luna.device_runs import SlotSources, find_run
from luna.errors import InvalidInputError
from luna.findings import SiteFinding
from luna.proposed_runs import LITTLE_KWH, ProposedRun, ProposedSlot, find_proposed_runs, moved_kwh
from luna.site_day import BatterySavings
from luna.timeline import SLOT, FloatArray
from luna.wording import Sentences, mode
from luna.wording.devices import say_device
from luna.wording.modes import join_figures
from luna.wording.pages import PageWords
from luna.wording.times import say_span, say_when
from services.api.timeline.window import Window

# Tokens of the style sheet: a mode borrows the colour of the device that acts.
COLOURS = {"self_consumption": "load", "save": "pv", "supply": "battery", "hold": "line-strong", "charge": "price", "export": "grid"}
GLYPHS = {"self_consumption": "⌂", "save": "▲", "supply": "▼", "hold": "■", "charge": "+", "export": "↗"}
HOURS = SLOT / timedelta(hours=1)
MOST_STEPS = 4
# Runs that are a deed, told before those that go by themselves.
DEEDS = ("export", "charge")
FULL = 0.985
A_DAY = 96


@dataclass(frozen=True, slots=True)
class Step:
    """One of the next steps: when, what, and what it earns; it leads to a slot of the chart."""

    colour: str
    slot: int
    end: int
    time: str
    text: str
    gain: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure with its name and what stands below it."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class HomeContext:
    """What stands beside a timeline.

    ``armed``: whether anything is sent to devices, ``fault``: why there is no newer plan, ``savings``: what batteries save, ``doubts``: code and figures of
    the plan's notes on what was said and is not believed yet.
    """

    news: Sequence[SiteFinding] = ()
    armed: bool = True
    fault: PlanFault | None = None
    savings: BatterySavings | None = None
    doubts: Sequence[tuple[str, Mapping[str, Any]]] = ()


class HomeView:
    """A timeline as Home tells it to one reader."""

    def __init__(self, window: Window, document: Mapping[str, Any], words: PageWords, context: HomeContext = HomeContext()) -> None:
        self.window, self.document, self.words, self.numbers, self.context = window, document, words, window.numbers, context

    @property
    def has_plan(self) -> bool:
        """Whether a plan says what happens now."""
        return bool(self.document["plan"] and self.document["plan"]["covers_now"])

    def instant(self, slot: int) -> datetime:
        """Return when a slot begins."""
        return self.window.timeline.start + slot * SLOT

    @cached_property
    def runs(self) -> list[ProposedRun]:
        """The runs of modes from the slot that runs on, as they are proposed."""
        past, count = self.window.past, self.window.timeline.count
        runs = find_proposed_runs([self._propose(slot) for slot in range(past, count)])
        return [replace(run, first=run.first + past, end=run.end + past) for run in runs]

    def _propose(self, slot: int) -> ProposedSlot:
        done, by_owner = self._decided(slot)
        flows = {f"{name}_kwh": float(np.nan_to_num(self.document["planned"][f"{name}_kw"][slot])) * HOURS for name in ("charge", "discharge", "export")}
        return ProposedSlot(done, moved_kwh(done, **flows), by_owner)

    def run_at(self, slot: int) -> ProposedRun | None:
        """Return the run of modes that a slot is part of; what is over and what is to come are runs of their own."""
        count, past = self.window.timeline.count, self.window.past
        if not 0 <= slot < count or self._decided(slot)[0] is None:
            return None
        (mode, by_owner), (low, high) = self._decided(slot), (0, past) if slot < past else (past, count)
        first = next((i + 1 for i in range(slot - 1, low - 1, -1) if self._decided(i) != (mode, by_owner)), low)
        end = next((i for i in range(slot + 1, high) if self._decided(i) != (mode, by_owner)), high)
        return ProposedRun(mode, first, end, by_owner)

    def _decided(self, slot: int) -> tuple[Any, bool]:
        decided = self.document["decisions"]
        return decided["mode"][slot], decided["decided_by"][slot] == "owner"

    @property
    def selected(self) -> int:
        """The slot that is chosen first: the one of the next deed whose opposite would cost most, else the one that runs."""
        following = self._following
        if following is None:
            return self.window.past
        costs = self.document["decisions"]["cost_of_opposite"][following.first : following.end]
        return following.first + max(range(len(costs)), key=lambda place: costs[place] or 0.0)

    @property
    def headline(self) -> str:
        """What the battery does, and when that changes."""
        if not self.runs or not self.window.site.batteries:
            return self.words("without_battery")
        following = self._following
        now = self.words("now_" + self._state_now())
        return now if following is None else " ".join([now, self.words("next_" + following.mode, t=self.say_time(following.first))])

    @property
    def lead(self) -> str:
        """Why: the reason of what is done now, of which the headline speaks first."""
        if not self.runs:
            return self.say_run(self.window.past)
        now = self.runs[0]
        return self.say_run(next(slot for slot in range(now.first, now.end) if self._decided(slot)[0] == now.mode))

    def say_run(self, slot: int) -> str:
        """Return the reason of a slot; where its run has the same throughout, one sentence for all of the run."""
        decided, run = self.document["decisions"], self.run_at(slot)
        own: str = decided["text"][slot] or ""
        if run is None:
            return own
        places = [place for place in range(run.first, run.end) if decided["code"][place] == decided["code"][slot]]
        figures = [{"start": self.instant(place), **_read_instants(decided["figures"][place])} for place in places]
        try:
            joined = join_figures(decided["code"][slot], figures)
            return own if joined is None else Sentences(self.numbers).say(decided["code"][slot], joined)
        except (InvalidInputError, KeyError):
            # Words that this version does not know: the plan's own stand.
            return own

    @cached_property
    def _following(self) -> ProposedRun | None:
        soon = [run for run in self.runs[1:] if run.first < self.window.past + A_DAY]
        return next((run for run in soon if run.mode in DEEDS), next(iter(soon), None))

    def _state_now(self) -> str:
        mode, soc = self.runs[0].mode, self.soc_now
        if mode in ("save", "hold") and soc is not None:
            reserve = float(self.document["reserve_soc"][self.window.past])
            return "full" if soc >= FULL else "reserve" if soc <= reserve + 1 - FULL else mode
        return mode

    @cached_property
    def soc_now(self) -> float | None:
        """How full the batteries were last, None where it is not known."""
        past = self.window.past
        known = [float(values[slot]) for values, slot in ((self.document["measured"]["soc"], past - 1), (self.document["planned"]["soc"], past)) if slot >= 0]
        return next((value for value in known if np.isfinite(value)), None)

    def say_time(self, slot: int) -> str:
        """Return a slot's clock time, with its day where that is not today."""
        return self.say_instant(self.instant(slot))

    def say_instant(self, instant: datetime) -> str:
        """Return a clock time, with its day where that is not today."""
        return say_when(instant, now=self.window.now, numbers=self.numbers)

    def say_span(self, first: int, end: int) -> str:
        """Return from when until when slots are, the day named as soon as it is another one."""
        return say_span(self.instant(first), self.instant(end), now=self.window.now, numbers=self.numbers)

    def steps(self) -> list[Step]:
        """The slot that runs and the next deeds, then what goes by itself until there are four, in the order they begin."""
        runs = [run for run in self.runs if run.first < self.window.past + A_DAY + A_DAY // 2]
        deeds = [self._tell_run(run) for run in runs if run.mode in DEEDS and run != runs[0]]
        chosen = [*(self._tell_run(run) for run in runs[:1]), *sorted([*deeds, *self._tell_devices()], key=lambda step: step.slot)][:MOST_STEPS]
        others = [self._tell_run(run) for run in runs[1:] if run.mode not in DEEDS]
        return sorted([*chosen, *others[: MOST_STEPS - len(chosen)]], key=lambda step: step.slot)

    def _tell_run(self, run: ProposedRun) -> Step:
        if run.by_owner:
            text = self.words("step_owner", mode=mode(run.mode, language=self.numbers.language).full)
            return Step("you", run.first, run.end, self._span(run.first, run.end), text)
        span = slice(run.first, run.end)
        planned, prices = self.document["planned"], self.document["prices"]
        given, taken, sold = (planned[name][span] * HOURS for name in ("discharge_kw", "charge_kw", "export_kw"))
        own = np.minimum(given, sold)
        energy = {"charge": taken, "export": own}.get(run.mode, given)
        name = "save_selling" if run.mode == "save" and float(np.nansum(sold)) > LITTLE_KWH else run.mode
        price = _mean_price(prices["import"][span], taken)
        text = self.words("step_" + name, kwh=self.numbers.energy(float(np.nansum(energy))), price=self.numbers.price(price))
        gain = float(np.nansum(own * prices["export"][span])) if run.mode == "export" else 0.0
        return Step(COLOURS[run.mode], run.first, run.end, self._span(run.first, run.end), text, self.numbers.money(gain, signed=True) if gain > 0 else "")

    def _tell_devices(self) -> Iterator[Step]:
        """Tell what cars, appliances and stores of heat use next: who, how much, at which cost, and when it is done."""
        soon = min(self.window.past + A_DAY, self.window.timeline.count)
        spans = {each["name"]: (self.window.past, soon) for each in self.document["devices"] if each["kind"] in {"loads", "heat_pumps"}}
        for stay in reversed(self.document["stays"]):
            # The next stay of each.
            if (slots := self._stay_slots(stay))[1] > slots[0]:
                spans[stay["vehicle"]] = slots
        heating = {load.name for load in self.window.site.loads if load.kind == "water_heater"} | {pump.name for pump in self.window.site.heat_pumps}
        for device in self.document["devices"]:
            name, is_car = device["name"], device["kind"] == "vehicles"
            if device["kind"] == "batteries" or name not in spans:
                continue
            run = find_run(np.maximum(device["power_kw"], 0.0) * HOURS, self._sources, *spans[name], unbroken=not is_car)
            if run is not None and run.energy_kwh >= LITTLE_KWH:
                phrase = "step_car" if is_car else "step_heats" if name in heating else "step_runs"
                told = {
                    "name": say_device(name, language=self.numbers.language),
                    "kwh": self.numbers.energy(run.energy_kwh),
                    "price": self.numbers.price(run.price),
                }
                text = self.words(phrase, cost=self.numbers.money(run.cost), t=self.say_time(run.end), **told)
                yield Step("ev" if is_car else "heater", run.first, run.end, self._span(run.first, run.end), text)

    @cached_property
    def _sources(self) -> SlotSources:
        planned, prices = self.document["planned"], self.document["prices"]
        bought, given, curtailed = (np.nan_to_num(planned[name]) * HOURS for name in ("import_kw", "discharge_kw", "curtailed_kw"))
        value = np.array([np.nan if each is None else each for each in self.document["decisions"]["energy_value"]], dtype=np.float64)
        return SlotSources(bought, given, curtailed, np.asarray(prices["import"]), np.asarray(prices["export"]), value)

    def _stay_slots(self, stay: Mapping[str, Any]) -> tuple[int, int]:
        first, end = ((datetime.fromisoformat(stay[name]) - self.window.timeline.start) // SLOT for name in ("from", "to"))
        return max(first, self.window.past), min(end, self.window.timeline.count)

    def _span(self, first: int, end: int) -> str:
        said = self.say_span(first, end)
        return said[:1].upper() + said[1:]

    def facts(self) -> list[Fact]:
        """What the next day costs, what the battery saves, what the sun brings, what is stored, and how full the car leaves; what is not known is left out."""
        return [fact for fact in (self._fact_cost(), self._fact_saved(), self._fact_solar(), self._fact_stored(), self._fact_car()) if fact]

    def _fact_cost(self) -> Fact | None:
        day = self.document["ghosts"]["without_luna"]["next_day"]
        if day is None:
            return None
        note = self.words("fact_cost_note", x=self.numbers.money(day["cost_without_luna"]))
        return Fact(self.words("fact_cost"), self.numbers.money(day["cost"]), note)

    def _fact_saved(self) -> Fact | None:
        if self.context.savings is None or self.context.savings.today is None:
            return None
        yesterday = self.context.savings.yesterday
        note = "" if yesterday is None else self.words("fact_saved_note", x=self.numbers.money(yesterday, signed=True))
        return Fact(self.words("fact_saved"), self.numbers.money(self.context.savings.today, signed=True), note)

    def _fact_solar(self) -> Fact | None:
        if not self.window.site.pv:
            return None
        zone, today = self.numbers.zone, self.window.now.astimezone(self.numbers.zone).date()
        inside = np.array([start.astimezone(zone).date() == today for start in self.window.timeline])
        made, coming = (float(np.nansum(self.document[part]["pv_kw"][inside])) * HOURS for part in ("measured", "planned"))
        return Fact(self.words("fact_solar"), self.numbers.energy(made + coming), self.words("fact_solar_note", x=self.numbers.energy(coming)))

    def _fact_stored(self) -> Fact | None:
        capacity = sum(battery.capacity_kwh for battery in self.window.site.batteries)
        if self.soc_now is None or not capacity:
            return None
        value = self.document["decisions"]["energy_value"][self.window.past] if self.has_plan else None
        stored = self.soc_now * capacity
        note = "" if value is None else self.words("fact_stored_note", x=self.numbers.money(stored * value))
        return Fact(self.words("fact_stored"), self.numbers.energy(stored), note)

    def _fact_car(self) -> Fact | None:
        for stay in self.document["stays"]:
            first, end = self._stay_slots(stay)
            soc = self._car_soc(stay["vehicle"])
            if end > first and soc is not None and np.isfinite(soc[[first - 1, end - 1]]).all():
                leaves = self.words("fact_car", t=self.say_instant(datetime.fromisoformat(stay["to"])))
                return Fact(leaves, self.numbers.share(float(soc[end - 1])), self.words("fact_car_note", x=self.numbers.share(float(soc[first - 1]))))
        return None

    def _car_soc(self, vehicle: str) -> FloatArray | None:
        found: list[FloatArray] = [each["soc"] for each in self.document["devices"] if each["kind"] == "vehicles" and each["name"] == vehicle]
        return found[0] if found else None


def _read_instants(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: datetime.fromisoformat(value) if name in ("time", "start") and isinstance(value, str) else value for name, value in figures.items()}


def _mean_price(price: FloatArray, energy: FloatArray) -> float | None:
    weight = np.nan_to_num(energy)
    return float(np.nansum(price * weight) / weight.sum()) if weight.sum() > 0 else None
