"""View of the page Home: headline, next steps and key figures of a house."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from luna.contracts.device_runs import PlannedRun
from luna.contracts.plan import SlotReply
from luna.energy.devices.kind import DeviceUseKind
from luna.energy.proposed_runs import LITTLE_KWH, ProposedRun
from luna.energy.timeline import SLOT
from luna.house.by_battery import split_by_battery
from luna.house.now import (
    DEEDS,
    BatteryRun,
    DeviceUse,
    HouseFigure,
    HouseNow,
    basis_until,
    format_run,
)
from luna.words import mode
from luna.words.devices import say_device
from luna.words.house import say_basis
from luna.words.pages import PageWords
from luna.words.retold_reasons import retell_run
from luna.words.times import say_span, say_when
from services.api.timeline.window import Window

# Colour tokens of the style sheet, by mode.
COLOURS = {
    "self_consumption": "load",
    "save": "pv",
    "supply": "battery",
    "hold": "line-strong",
    "charge": "price",
    "export": "export",
}
GLYPHS = {
    "self_consumption": "⌂",
    "save": "▲",
    "supply": "▼",
    "hold": "■",
    "charge": "+",
    "export": "↗",
}
MOST_STEPS = 4
FULL = 0.985
SOON = timedelta(hours=36)
DAY = timedelta(days=1)


def colour_of(use: DeviceUseKind) -> str:
    """Return the colour of a device other than batteries."""
    return "ev" if use == "car" else "heater"


@dataclass(frozen=True, slots=True)
class Step:
    """One of the next steps: time, action and gain.

    It links to the slots ``slot`` to ``end`` of the chart.
    """

    colour: str
    slot: int
    end: int
    time: str
    text: str
    gain: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A key figure with its label, basis (measured, planned, assumed) and note."""

    label: str
    value: str
    basis: str
    note: str


class HomeView:
    """A site's timeline and the current state of its house, in the words of one reader.

    ``battery`` names the one battery of which ``house`` is the state, where the site has several.
    ``departure_count``: learnt departures that wait for an answer.
    """

    def __init__(
        self,
        window: Window,
        document: Mapping[str, Any],
        words: PageWords,
        house: HouseNow,
        *,
        battery: str | None = None,
        departure_count: int = 0,
    ) -> None:
        self.window = window
        self.document = document
        self.words = words
        self.numbers = window.numbers
        self.house = house
        self.battery = battery
        self.departure_count = departure_count

    @cached_property
    def batteries(self) -> list["HomeView"]:
        """The view of each battery alone; this one where there are no several."""
        houses = split_by_battery(self.house)
        if len(houses) == 1:
            return [self]
        views = []
        for house in houses:
            battery = house.site.batteries[0].name
            views.append(HomeView(self.window, self.document, self.words, house, battery=battery))
        return views

    @property
    def battery_name(self) -> str:
        """The battery's name in a list."""
        if self.battery is None:
            return self.words("flow_battery")
        return say_device(self.battery, language=self.numbers.language)

    @property
    def battery_subject(self) -> str:
        """The battery's name at the start of a sentence."""
        return self.words("battery_subject") if self.battery is None else self.battery_name

    @property
    def has_plan(self) -> bool:
        """Whether a plan covers the current slot."""
        return self.house.slot is not None

    def instant(self, slot: int) -> datetime:
        """Return the start of a slot."""
        return self.window.timeline.start + slot * SLOT

    @property
    def runs(self) -> tuple[BatteryRun, ...]:
        """The batteries' runs of one mode from now on, planned or proposed."""
        return self.house.runs

    def slot_of(self, instant: datetime) -> int:
        """Return the index of the slot that contains an instant, clamped to the timeline."""
        timeline = self.window.timeline
        slot = (instant - timeline.start) // SLOT
        return max(0, min(slot, timeline.count - 1))

    def run_at(self, slot: int) -> ProposedRun | None:
        """Return the run of equal decisions around a slot, None without a decision.

        A run ends at the current instant.
        """
        count = self.window.timeline.count
        past = self.window.past
        if not 0 <= slot < count:
            return None
        decision = self._decided(slot)
        mode, by_owner = decision
        if mode is None:
            return None
        low, high = (0, past) if slot < past else (past, count)
        first = slot
        while first > low and self._decided(first - 1) == decision:
            first -= 1
        end = slot + 1
        while end < high and self._decided(end) == decision:
            end += 1
        return ProposedRun(mode, first, end, by_owner)

    def _decided(self, slot: int) -> tuple[Any, bool]:
        decided = self.document["decisions"]
        return decided["mode"][slot], decided["decided_by"][slot] == "owner"

    @property
    def selected(self) -> int:
        """The slot selected by default: the current one without a next run.

        Else that of the next run with the highest cost of the opposite.
        """
        following = self.house.next_run
        if following is None:
            return self.window.past
        costly = max(following.slots, key=_opposite_cost)
        return self.slot_of(costly.start)

    @property
    def headlines(self) -> list[str]:
        """A sentence for each battery on its action and the next change.

        One for all of them where they deviate from the plan together.
        """
        if self.house.battery_deviation is not None:
            return [self.headline]
        return [view.headline for view in self.batteries]

    @property
    def leads(self) -> list[str]:
        """The reasons of the headlines' current actions, each once."""
        if self.house.battery_deviation is not None:
            return [self.lead]
        leads = dict.fromkeys(view.lead for view in self.batteries)
        return [lead for lead in leads if lead]

    @property
    def headline(self) -> str:
        """The sentence on the battery's current action and its end."""
        if not self.runs or not self.window.site.batteries:
            return self._say_house()
        deviation = self.house.battery_deviation
        if deviation is not None:
            name = self.battery_subject
            if len(self.batteries) > 1:
                name = ", ".join(view.battery_name for view in self.batteries)
            return self.words(deviation.code.replace("device", "now"), name=name)
        following = self._next_run
        until = ""
        if following is not None:
            until = f" {self.words('until_time', t=self.say_instant(following.start))}"
        if self.only_proposed:
            return self._say_proposal(until, following)
        now = self.words("now_" + self.state_now, name=self.battery_subject, until=until)
        if following is None:
            return f"{now}."
        return self.words("headline_then", now=now, next=self.words("next_" + following.mode))

    @property
    def _next_run(self) -> BatteryRun | None:
        """The run that ends the current one within a day."""
        if self.runs[0].by_level:
            # The level goes on to decide where the plan has passive modes.
            return self.house.next_run
        following = next(iter(self.runs[1:]), None)
        if following is None or following.start >= self.window.running + DAY:
            return None
        return following

    @property
    def only_proposed(self) -> bool:
        """Whether the headline tells what Luna would do, as nobody carries it out."""
        if self.house.armed or self.house.only_advised:
            return False
        return self.house.battery_deviation is None

    def _say_proposal(self, until: str, following: BatteryRun | None) -> str:
        """Return what Luna would do now with a battery, and next."""
        text = self.words("would_" + self.runs[0].mode, until=until)
        if following is not None:
            then = self.words("would_" + following.mode, until="")
            text = self.words("would_then", now=text, next=then)
        else:
            text = f"{text}."
        if self.battery is not None:
            return f"{self.battery_name}: {text}"
        return text[:1].upper() + text[1:]

    def _say_house(self) -> str:
        """Return the sentence on a house without a battery."""
        if self.document["decisions"]["code"][self.window.past] == "solar_limited":
            return self.words("without_battery_limited")
        return self.words("without_battery_solar" if self.window.site.pv else "without_battery")

    @property
    def lead(self) -> str:
        """The reason of the headline's current action."""
        deviation = self.house.battery_deviation
        if deviation is not None:
            return self.words("lead_kept" if deviation.code == "device_kept" else "lead_left_alone")
        if self.runs:
            return format_run(self.runs[0], self.numbers, now=self.window.now)
        return self.say_run(self.window.past)

    def say_run(self, slot: int) -> str:
        """Return the reason of a slot, told for all slots of its run with the same reason."""
        decisions = self.document["decisions"]
        text = decisions["text"][slot] or ""
        run = self.run_at(slot)
        code: str | None = decisions["code"][slot]
        if run is None or code is None:
            return text
        alike = []
        for other in range(run.first, run.end):
            if decisions["code"][other] == code:
                alike.append({"start": self.instant(other), **decisions["figures"][other]})
        reason = {"code": code, "text": text, "figures": decisions["figures"][slot]}
        return retell_run(reason, alike, self.window.now, self.numbers)

    @property
    def state_now(self) -> str:
        """The headline's state: the current mode, or the level that ended it (full, reserve)."""
        mode = self.runs[0].mode
        soc = self.soc_now
        if self.house.level_reached is not None and not self.runs[0].by_owner:
            return self.house.level_reached
        if mode not in {"save", "hold"} or soc is None or self.soc_assumed:
            return mode
        if soc >= FULL:
            return "full"
        if self.battery is None:
            reserve = float(self.document["reserve_soc"][self.window.past])
        else:
            reserve = self.house.site.batteries[0].min_soc
        return "reserve" if soc <= reserve + 1 - FULL else mode

    @property
    def soc_now(self) -> float | None:
        """The last state of charge of the batteries, None if unknown."""
        return None if self.house.planned.soc is None else self.house.planned.soc.value

    @property
    def soc_assumed(self) -> bool:
        """Whether the current state of charge is assumed, without a recent measurement."""
        return self.house.planned.soc is not None and self.house.planned.soc.basis == "assumed"

    @property
    def soc_ahead_assumed(self) -> bool:
        """Whether the plan starts from an assumed state of charge."""
        return self.document["plan"] is not None and self.document["plan"]["soc_assumed"]

    def say_time(self, slot: int) -> str:
        """Return a slot's clock time, with its day unless it is today."""
        return self.say_instant(self.instant(slot))

    def say_instant(self, instant: datetime) -> str:
        """Return a clock time, with its day unless it is today."""
        return say_when(instant, now=self.window.now, numbers=self.numbers)

    def say_span(self, first: int, end: int) -> str:
        """Return the span of slots in words, with the day where it is not today."""
        return say_span(
            self.instant(first), self.instant(end), now=self.window.now, numbers=self.numbers
        )

    def steps(self) -> list[Step]:
        """List the current run and the next actions by start.

        They are filled up to ``MOST_STEPS`` a battery with runs that need no action.
        """
        soon = self.window.running + SOON
        current: list[Step] = []
        actions: list[Step] = []
        others: list[Step] = []
        has_owner_step = False
        for view in self.batteries:
            for run in view.runs[:1]:
                # The owner decides for all batteries at once.
                if not (run.by_owner and has_owner_step):
                    current.append(view.tell_run(run))
                has_owner_step = has_owner_step or run.by_owner
            for run in view.runs[1:]:
                if run.start < soon:
                    steps = actions if run.mode in DEEDS else others
                    steps.append(view.tell_run(run))
        actions += [self._tell_use(use) for use in self.house.planned.uses]
        most = MOST_STEPS * len(self.batteries)
        chosen = [*current, *sorted(actions, key=_step_slot)][:most]
        return sorted([*chosen, *others[: most - len(chosen)]], key=_step_slot)

    def _tell_use(self, use: DeviceUse) -> Step:
        """Return the step of a device's next run: its energy, price, cost and end."""
        run = use.run
        text = self.words(
            f"step_{use.kind}",
            name=say_device(use.name, language=self.numbers.language),
            t=self.say_instant(run.end),
            kwh=self.numbers.energy(run.energy_kwh),
            price=self.numbers.price(run.price),
            cost=self.numbers.money(run.cost),
        )
        return self._step(colour_of(use.kind), run, text)

    def tell_run(self, run: BatteryRun) -> Step:
        """Return the step of a battery's run."""
        if run.by_owner:
            full_name = mode(run.mode, language=self.numbers.language).full
            return self._step("you", run, self.words("step_owner", mode=full_name))
        name = "save_selling" if run.mode == "save" and run.sold_kwh > LITTLE_KWH else run.mode
        text = self.words(
            "step_" + name,
            name=self.battery_name,
            kwh=self.numbers.energy(run.energy_kwh),
            price=self.numbers.price(run.import_price),
        )
        gain = ""
        if run.mode == "export" and run.earned > 0:
            gain = self.numbers.money(run.earned, signed=True)
        return self._step(COLOURS[run.mode], run, text, gain)

    def _step(self, colour: str, run: BatteryRun | PlannedRun, text: str, gain: str = "") -> Step:
        span = say_span(run.start, run.end, now=self.window.now, numbers=self.numbers)
        return Step(
            colour=colour,
            slot=self.slot_of(run.start),
            end=self.slot_of(run.end - SLOT) + 1,
            time=span[:1].upper() + span[1:],
            text=text,
            gain=gain,
        )

    def facts(self) -> list[Fact]:
        """List the known key figures.

        Cost of the next day, savings, PV yield, stored energy, the car's state of charge at
        departure.
        """
        facts = [
            self._fact_of_next_day(),
            self._fact_of_paid(),
            self._fact_of_saved(),
            self._fact_of_solar(),
        ]
        for view in self.batteries:
            facts += view.list_stored()
        facts.append(self._fact_of_car())
        return [fact for fact in facts if fact is not None]

    def _fact_of_next_day(self) -> Fact | None:
        day = self.document["ghosts"]["without_luna"]["next_day"]
        if day is None:
            return None
        basis = basis_until(self.house.planned.plan, self.window.running + timedelta(days=1))
        cost = HouseFigure(day["cost"], basis)
        without_luna = self.numbers.money(day["cost_without_luna"])
        note = self.words("fact_cost_note", x=without_luna)
        return self._fact(self.words("fact_cost"), cost, self.numbers.money(cost.value), note)

    def _fact_of_paid(self) -> Fact | None:
        planned = self.house.planned
        paid = planned.paid_today
        if paid is None:
            return None
        notes = []
        if planned.cost_today is not None:
            cost = self.numbers.money(planned.cost_today.value)
            notes.append(self.words("fact_paid_note", x=cost))
        if planned.paid_yesterday is not None:
            cost = self.numbers.money(planned.paid_yesterday.value)
            notes.append(self.words("fact_paid_note_yesterday", x=cost))
        value = self.numbers.money(paid.value)
        return self._fact(self.words("fact_paid"), paid, value, " · ".join(notes))

    def _fact_of_saved(self) -> Fact | None:
        saved = self.house.planned.saved_today
        if saved is None:
            return None
        note = ""
        yesterday = self.house.planned.saved_yesterday
        if yesterday is not None:
            money = self.numbers.money(yesterday.value, signed=True)
            note = self.words("fact_saved_note", x=money)
        label = self.words("fact_saved" if self.house.armed else "fact_would_save")
        return self._fact(label, saved, self.numbers.money(saved.value, signed=True), note)

    def _fact_of_solar(self) -> Fact | None:
        planned = self.house.planned
        solar = planned.pv_today
        if not self.window.site.pv or solar is None or planned.pv_to_come is None:
            return None
        note = self.words("fact_solar_note", x=self.numbers.energy(planned.pv_to_come))
        return self._fact(self.words("fact_solar"), solar, self.numbers.energy(solar.value), note)

    def _fact_of_car(self) -> Fact | None:
        if not self.house.planned.sessions:
            return None
        session = self.house.planned.sessions[0]
        arrives = self.words("fact_car_note", x=self.numbers.share(session.arrives_soc.value))
        basis = say_basis(session.arrives_soc.basis, language=self.numbers.language)
        label = self.words("fact_car", t=self.say_instant(session.end))
        leaves = self.numbers.share(session.leaves_soc.value)
        return self._fact(label, session.leaves_soc, leaves, f"{arrives} ({basis})")

    def list_stored(self) -> list[Fact]:
        """List the stored energy; empty if it is unknown."""
        soc = self.house.planned.soc
        capacity_kwh = sum(battery.capacity_kwh for battery in self.house.site.batteries)
        if not capacity_kwh or soc is None:
            return []
        note = ""
        if self.house.slot is not None:
            value = self.house.slot.reason.energy_value
            if value is not None:
                worth = self.numbers.money(soc.value * capacity_kwh * value)
                note = self.words("fact_stored_note", x=worth)
        if self.battery is None:
            label = self.words("fact_stored")
        else:
            label = self.words("fact_stored_each", name=self.battery_name)
        return [self._fact(label, soc, self.numbers.energy(soc.value * capacity_kwh), note)]

    def _fact(self, label: str, figure: HouseFigure, value: str, note: str = "") -> Fact:
        basis = say_basis(figure.basis, language=self.numbers.language)
        if figure.at is not None:
            basis = f"{basis} {self.say_instant(figure.at)}"
        return Fact(label, value, basis, note)


def _step_slot(step: Step) -> int:
    return step.slot


def _opposite_cost(slot: SlotReply) -> float:
    return slot.reason.cost_of_opposite or 0.0
