"""View of the page Home: headline, next steps and key figures, from the timeline and the current
state of the house.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from luna.contracts.device_runs import PlannedRun
from luna.energy.devices.kind import DeviceUseKind
from luna.energy.proposed_runs import LITTLE_KWH, ProposedRun
from luna.energy.timeline import SLOT
from luna.platform.house_by_battery import split_by_battery
from luna.platform.house_now import DEEDS, BatteryRun, HouseFigure, HouseNow, basis_until, say_run
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
    """

    def __init__(
        self,
        window: Window,
        document: Mapping[str, Any],
        words: PageWords,
        house: HouseNow,
        *,
        battery: str | None = None,
    ) -> None:
        self.window = window
        self.document = document
        self.words = words
        self.numbers = window.numbers
        self.house = house
        self.battery = battery

    @cached_property
    def batteries(self) -> list["HomeView"]:
        """The view of each battery alone; this one where there are no several."""
        houses = split_by_battery(self.house)
        if len(houses) == 1:
            return [self]
        return [
            HomeView(
                self.window, self.document, self.words, house, battery=house.site.batteries[0].name
            )
            for house in houses
        ]

    @property
    def battery_name(self) -> str:
        """What the battery is called, in a list."""
        return (
            self.words("flow_battery")
            if self.battery is None
            else say_device(self.battery, language=self.numbers.language)
        )

    @property
    def battery_subject(self) -> str:
        """What the battery is called at the start of a sentence."""
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
        return max(
            0, min((instant - self.window.timeline.start) // SLOT, self.window.timeline.count - 1)
        )

    def run_at(self, slot: int) -> ProposedRun | None:
        """Return the run of equal decisions around a slot, None without a decision.

        A run ends at the current instant.
        """
        count = self.window.timeline.count
        past = self.window.past
        if not 0 <= slot < count or self._decided(slot)[0] is None:
            return None
        mode, by_owner = self._decided(slot)
        low, high = (0, past) if slot < past else (past, count)
        first = next(
            (i + 1 for i in range(slot - 1, low - 1, -1) if self._decided(i) != (mode, by_owner)),
            low,
        )
        end = next((i for i in range(slot + 1, high) if self._decided(i) != (mode, by_owner)), high)
        return ProposedRun(mode, first, end, by_owner)

    def _decided(self, slot: int) -> tuple[Any, bool]:
        decided = self.document["decisions"]
        return decided["mode"][slot], decided["decided_by"][slot] == "owner"

    @property
    def selected(self) -> int:
        """The slot selected by default: the one of the next run with the highest cost of the
        opposite, else the current one.
        """
        following = self.house.next_run
        if following is None:
            return self.window.past
        costly = max(following.slots, key=lambda slot: slot.reason.cost_of_opposite or 0.0)
        return self.slot_of(costly.start)

    @property
    def headlines(self) -> list[str]:
        """A sentence for each battery on what it does and when that changes.

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
        return [lead for lead in dict.fromkeys(view.lead for view in self.batteries) if lead]

    @property
    def headline(self) -> str:
        """The sentence on what the battery does and when that changes."""
        if not self.runs or not self.window.site.batteries:
            return self.words("without_battery")
        deviation = self.house.battery_deviation
        if deviation is not None:
            name = (
                ", ".join(view.battery_name for view in self.batteries)
                if len(self.batteries) > 1
                else self.battery_subject
            )
            return self.words(deviation.code.replace("device", "now"), name=name)
        following = self.house.next_run
        now = self.words("now_" + self.state_now, name=self.battery_subject)
        return (
            now
            if following is None
            else " ".join(
                [now, self.words("next_" + following.mode, t=self.say_instant(following.start))]
            )
        )

    @property
    def lead(self) -> str:
        """The reason of the headline's current action."""
        deviation = self.house.battery_deviation
        if deviation is not None:
            return self.words("lead_kept" if deviation.code == "device_kept" else "lead_left_alone")
        return (
            say_run(self.runs[0], self.numbers, now=self.window.now)
            if self.runs
            else self.say_run(self.window.past)
        )

    def say_run(self, slot: int) -> str:
        """Return the reason of a slot, in one sentence for all slots of its run with the same
        reason.
        """
        decided = self.document["decisions"]
        run = self.run_at(slot)
        code: str | None = decided["code"][slot]
        if run is None or code is None:
            return decided["text"][slot] or ""
        places = [place for place in range(run.first, run.end) if decided["code"][place] == code]
        alike = [{"start": self.instant(place), **decided["figures"][place]} for place in places]
        reason = {
            "code": code,
            "text": decided["text"][slot] or "",
            "figures": decided["figures"][slot],
        }
        return retell_run(reason, alike, self.window.now, self.numbers)

    @property
    def state_now(self) -> str:
        """The state in the headline: the current mode, or the level that ended it ("full",
        "reserve").
        """
        mode = self.runs[0].mode
        soc = self.soc_now
        if self.house.level_reached is not None and not self.runs[0].by_owner:
            return self.house.level_reached
        if mode in ("save", "hold") and soc is not None and not self.soc_assumed:
            reserve = (
                float(self.document["reserve_soc"][self.window.past])
                if self.battery is None
                else self.house.site.batteries[0].min_soc
            )
            return "full" if soc >= FULL else "reserve" if soc <= reserve + 1 - FULL else mode
        return mode

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
        """Return a slot's clock time, with its day where that is not today."""
        return self.say_instant(self.instant(slot))

    def say_instant(self, instant: datetime) -> str:
        """Return a clock time, with its day where that is not today."""
        return say_when(instant, now=self.window.now, numbers=self.numbers)

    def say_span(self, first: int, end: int) -> str:
        """Return the span of slots in words, with the day where it is not today."""
        return say_span(
            self.instant(first), self.instant(end), now=self.window.now, numbers=self.numbers
        )

    def steps(self) -> list[Step]:
        """List the current run and the next actions, filled up to ``MOST_STEPS`` a battery with
        runs that need none, by start.
        """
        soon = self.window.running + SOON
        runs = [(view, run) for view in self.batteries for run in view.runs[:1]]
        following = [
            (view, run) for view in self.batteries for run in view.runs[1:] if run.start < soon
        ]
        # The owner decides for all batteries at once.
        decided = [run for _, run in runs if run.by_owner]
        first_steps = [
            view.tell_run(run) for view, run in runs if not run.by_owner or run is decided[0]
        ]
        deeds = [view.tell_run(run) for view, run in following if run.mode in DEEDS]
        uses = []
        for use in self.house.planned.uses:
            # Who uses how much next, at which cost, and when it is done.
            run = use.run
            figures = {
                "kwh": self.numbers.energy(run.energy_kwh),
                "price": self.numbers.price(run.price),
                "cost": self.numbers.money(run.cost),
            }
            text = self.words(
                f"step_{use.kind}",
                name=say_device(use.name, language=self.numbers.language),
                t=self.say_instant(run.end),
                **figures,
            )
            uses.append(self._step(colour_of(use.kind), run, text))
        most = MOST_STEPS * len(self.batteries)
        chosen = [*first_steps, *sorted([*deeds, *uses], key=lambda step: step.slot)][:most]
        others = [view.tell_run(run) for view, run in following if run.mode not in DEEDS]
        return sorted([*chosen, *others[: most - len(chosen)]], key=lambda step: step.slot)

    def tell_run(self, run: BatteryRun) -> Step:
        """Return the step of a battery's run."""
        if run.by_owner:
            return self._step(
                "you",
                run,
                self.words("step_owner", mode=mode(run.mode, language=self.numbers.language).full),
            )
        name = "save_selling" if run.mode == "save" and run.sold_kwh > LITTLE_KWH else run.mode
        text = self.words(
            "step_" + name,
            name=self.battery_name,
            kwh=self.numbers.energy(run.energy_kwh),
            price=self.numbers.price(run.import_price),
        )
        gain = (
            self.numbers.money(run.earned, signed=True)
            if run.mode == "export" and run.earned > 0
            else ""
        )
        return self._step(COLOURS[run.mode], run, text, gain)

    def _step(self, colour: str, run: BatteryRun | PlannedRun, text: str, gain: str = "") -> Step:
        span = say_span(run.start, run.end, now=self.window.now, numbers=self.numbers)
        return Step(
            colour,
            self.slot_of(run.start),
            self.slot_of(run.end - SLOT) + 1,
            span[:1].upper() + span[1:],
            text,
            gain,
        )

    def facts(self) -> list[Fact]:
        """List the known key figures: cost of the next day, savings, PV yield, stored energy, the
        car's state of charge at departure.
        """
        words = self.words
        numbers = self.numbers
        planned = self.house.planned
        facts: list[Fact] = []
        if (day := self.document["ghosts"]["without_luna"]["next_day"]) is not None:
            cost = HouseFigure(
                day["cost"], basis_until(planned.plan, self.window.running + timedelta(days=1))
            )
            facts.append(
                self._fact(
                    words("fact_cost"),
                    cost,
                    numbers.money(cost.value),
                    words("fact_cost_note", x=numbers.money(day["cost_without_luna"])),
                )
            )
        if (paid := planned.paid_today) is not None:
            notes = [
                (planned.cost_today, "fact_paid_note"),
                (planned.paid_yesterday, "fact_paid_note_yesterday"),
            ]
            said = [
                words(code, x=numbers.money(figure.value))
                for figure, code in notes
                if figure is not None
            ]
            facts.append(
                self._fact(words("fact_paid"), paid, numbers.money(paid.value), " · ".join(said))
            )
        if (today := planned.saved_today) is not None:
            yesterday = planned.saved_yesterday
            note = (
                ""
                if yesterday is None
                else words("fact_saved_note", x=numbers.money(yesterday.value, signed=True))
            )
            facts.append(
                self._fact(
                    words("fact_saved" if self.house.armed else "fact_would_save"),
                    today,
                    numbers.money(today.value, signed=True),
                    note,
                )
            )
        if (
            self.window.site.pv
            and (solar := planned.pv_today) is not None
            and planned.pv_to_come is not None
        ):
            note = words("fact_solar_note", x=numbers.energy(planned.pv_to_come))
            facts.append(self._fact(words("fact_solar"), solar, numbers.energy(solar.value), note))
        for view in self.batteries:
            facts += view.list_stored()
        if planned.stays:
            stay = planned.stays[0]
            arrives = words("fact_car_note", x=numbers.share(stay.arrives_soc.value))
            basis = say_basis(stay.arrives_soc.basis, language=numbers.language)
            label = words("fact_car", t=self.say_instant(stay.end))
            facts.append(
                self._fact(
                    label,
                    stay.leaves_soc,
                    numbers.share(stay.leaves_soc.value),
                    f"{arrives} ({basis})",
                )
            )
        return facts

    def list_stored(self) -> list[Fact]:
        """List the energy that is stored, none where nobody knows."""
        soc = self.house.planned.soc
        numbers = self.numbers
        capacity = sum(battery.capacity_kwh for battery in self.house.site.batteries)
        if not capacity or soc is None:
            return []
        value = None if self.house.slot is None else self.house.slot.reason.energy_value
        note = (
            ""
            if value is None
            else self.words("fact_stored_note", x=numbers.money(soc.value * capacity * value))
        )
        label = (
            self.words("fact_stored")
            if self.battery is None
            else self.words("fact_stored_each", name=self.battery_name)
        )
        return [self._fact(label, soc, numbers.energy(soc.value * capacity), note)]

    def _fact(self, label: str, figure: HouseFigure, value: str, note: str = "") -> Fact:
        basis = say_basis(figure.basis, language=self.numbers.language)
        return Fact(
            label,
            value,
            basis if figure.at is None else f"{basis} {self.say_instant(figure.at)}",
            note,
        )
