"""View of the page Planning: the owner's blocks, charging sessions and overrides.

It also warns before directly controlled devices are armed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from pydantic import ValidationError

from luna.contracts.charge_points import LIMIT_LASTS_S
from luna.contracts.charging_sessions import (
    WEEKDAYS,
    StoredSession,
    find_charging_run,
    lay_out_sessions,
)
from luna.contracts.control import ControlState
from luna.contracts.owner import ManualBlock, StoredBlock
from luna.contracts.owner_constraints import find_actions
from luna.contracts.plan import PlanReply
from luna.contracts.price_sentences import format_price_spans
from luna.drivers.profile import pick_text
from luna.drivers.profiles import load_profile
from luna.energy.devices.battery import BATTERIES
from luna.energy.errors import InvalidInputError
from luna.energy.refusals import refuse
from luna.energy.site import Site, invalid_input
from luna.energy.timeline import SLOT, FloatArray, floor_to, local_instant
from luna.house.control_sentences import format_standing
from luna.words import Language, Numbers, say_mode
from luna.words.charts.axes import ChartFrame, ClockAxis, choose_step, draw_ruler, fit_axis
from luna.words.charts.marks import trace_stairs
from luna.words.charts.svg import join, number, path, rectangle, text
from luna.words.devices import say_device
from luna.words.notes import say_note
from luna.words.numbers import HALF_CENT, read_number
from luna.words.pages import PageWords
from luna.words.phrases import read_texts
from luna.words.standing import STANDING
from luna.words.times import say_span, say_when
from services.api.pages.block_cost import Trial

# Of the price strip, in units of its view box.
WIDE = {"width": 976.0, "left": 34.0, "right": 8.0, "height": 90.0}
NARROW = {"width": 358.0, "left": 28.0, "right": 4.0, "height": 80.0}
TOP = 24.0
ROW = 24.0
BAR = 18.0
FOOT = 22.0
STEPS = (0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 10.0, 20.0, 50.0, 100.0)
AHEAD = timedelta(hours=48)
STALE_AFTER = timedelta(minutes=30)
# Codes of the notes on a plan that a longer search found.
SEARCHED_FURTHER = ("plan_improved", "plan_found")


@dataclass(frozen=True, slots=True)
class BlockForm:
    """The values in the form of a block."""

    device: str
    action: str
    first: datetime
    end: datetime
    power_kw: float | None = None

    def block(self) -> ManualBlock:
        """Return the block that the form describes.

        Raises:
            InvalidInputError: it ends before it begins, or its power is out of bounds.
        """
        document = {
            "device": self.device,
            "action": self.action,
            "from": self.first,
            "to": self.end,
            "power_kw": self.power_kw,
        }
        try:
            return ManualBlock.model_validate(document)
        except ValidationError as exc:
            raise invalid_input(exc, field="") from exc


@dataclass(frozen=True, slots=True)
class FixedState:
    """The stored state that the page shows, as of ``now``."""

    site: Site
    now: datetime
    plan: PlanReply | None
    blocks: Sequence[StoredBlock]
    removed_block: StoredBlock | None
    sessions: Sequence[StoredSession]
    removed_session: StoredSession | None
    states: Sequence[ControlState]
    on_vacation: bool


def read_power(text: str, field: str = "power_kw") -> float | None:
    """Parse a power in kW, or an energy in kWh, with a decimal comma or point; None if empty.

    Raises:
        InvalidInputError: it is no number.
    """
    if not text.strip():
        return None
    number = read_number(text)
    if number is None:
        raise refuse("expected-number", field=field, value=text)
    return number


def say_cost(trial: Trial | None, numbers: Numbers, words: PageWords) -> str:
    """Return a block's cost in words, "" without a trial."""
    if trial is None:
        return ""
    if abs(trial.cost) < HALF_CENT:
        return words("cost_same")
    key = "cost_more" if trial.cost > 0 else "cost_less"
    return words(key, amount=numbers.money(abs(trial.cost)))


@dataclass(frozen=True, slots=True)
class FixedSpan:
    """A fixed span: the slots ``[first, end)`` of the strip, and its label."""

    first: int
    end: int
    words: str


@dataclass(frozen=True)
class PlanningView:
    """The stored state in the reader's words and drawings."""

    stored: FixedState
    form: BlockForm
    numbers: Numbers
    words: PageWords

    @property
    def headline(self) -> str:
        """The first sentence of the page."""
        count = len(self.stored.blocks) + len(self.overrides)
        return self.words("headline_fixed", count=count) if count else self.words("headline_free")

    @property
    def plan_age_minutes(self) -> int | None:
        """The age of a stale plan; None if it is fresh or missing."""
        plan = self.stored.plan
        age = self.stored.now - plan.issued_at if plan else timedelta(0)
        return int(age / timedelta(minutes=1)) if age > STALE_AFTER else None

    @property
    def devices(self) -> Mapping[str, Sequence[str]]:
        """The possible actions by device."""
        return find_actions(self.stored.site)

    @property
    def actions(self) -> list[str]:
        """The actions of all devices."""
        return list(dict.fromkeys(chain.from_iterable(self.devices.values())))

    @property
    def heaters(self) -> list[str]:
        """Loads and heat pumps that can be switched on."""
        return [name for name, choices in self.devices.items() if "on" in choices]

    @property
    def overrides(self) -> list[ControlState]:
        """The devices with an override in force."""
        overridden = []
        for state in self.stored.states:
            if state.override is not None and state.override.until > self.stored.now:
                overridden.append(state)
        return overridden

    @property
    def edges(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The next quarter-hours by local day, as (instant, clock time).

        Times in the repeated hour of a daylight-saving change carry their zone.
        """
        first = floor_to(self.stored.now, SLOT)
        instants = {self.form.first, self.form.end, self.next_morning}
        instants |= {first + place * SLOT for place in range(AHEAD // SLOT + 1)}
        days: dict[str, list[tuple[str, str]]] = {}
        for instant in sorted(instants):
            choice = (self.write(instant), self.numbers.clock(instant))
            days.setdefault(self.numbers.day(instant), []).append(choice)
        return list(days.items())

    def write(self, instant: datetime) -> str:
        """Return an instant as a form's value."""
        return instant.astimezone(self.numbers.zone).isoformat()

    def say_device(self, name: str) -> str:
        """Return a device's name for the reader."""
        if name == BATTERIES:
            return self.words("override_batteries")
        return say_device(name, language=self.numbers.language)

    def say_block(self, block: ManualBlock) -> str:
        """Return a block in words: device, action, power."""
        power = "" if block.power_kw is None else f" {self.numbers.power(block.power_kw)}"
        return f"{self.say_device(block.device)}: {self.words('action_' + block.action)}{power}"

    @property
    def next_slot(self) -> datetime:
        """The start of the current slot."""
        return floor_to(self.stored.now, SLOT)

    @property
    def next_morning(self) -> datetime:
        """The site's next 07:00."""
        zone = self.numbers.zone
        today = self.stored.now.astimezone(zone).date()
        morning = local_instant(today, "07:00", zone)
        if morning > self.stored.now:
            return morning
        return local_instant(today + timedelta(days=1), "07:00", zone)

    def say_session(self, session: StoredSession) -> str:
        """Return a charging session in words: target and departure."""
        if not session.days:
            leaves = self.say_instant(session.to)
        else:
            weekdays = self.numbers.weekdays([WEEKDAYS.index(day) for day in session.days])
            leaves = f"{weekdays} {self.numbers.clock(session.to)}"
        device = self.say_device(session.device)
        if session.target_soc is None:
            return self.words("session_said_surplus", device=device, to=leaves)
        target = self.numbers.share(session.target_soc)
        return self.words("session_said", device=device, target=target, to=leaves)

    def say_charging(self, session: StoredSession) -> str:
        """Return the plan's charging in a session, "" where the plan does not cover it.

        Of a weekly session it is that of the next occurrence.
        """
        plan = self.stored.plan
        times = [time for time in self._lay_out_sessions() if time.session_id == session.session_id]
        if plan is None or not times:
            return ""
        first = max(times[0].from_, self.stored.now)
        run = find_charging_run(plan, session.device, first, times[0].to)
        if run is None:
            return ""
        return self.words(
            "session_charging",
            t=self.say_instant(run.end),
            kwh=self.numbers.energy(run.energy_kwh),
            cost=self.numbers.money(run.cost),
            price=self.numbers.price(run.price),
        )

    def _lay_out_sessions(self) -> Sequence[StoredSession]:
        now = self.stored.now
        return lay_out_sessions(self.stored.sessions, self.numbers.zone, first=now, end=now + AHEAD)

    def list_charge_notes(self, session: StoredSession) -> list[str]:
        """Return the plan's notes on the charge of a session that has begun."""
        plan = self.stored.plan
        times = [time for time in self._lay_out_sessions() if time.session_id == session.session_id]
        has_begun = any(time.from_ <= self.stored.now for time in times)
        if plan is None or not has_begun:
            return []
        notes = [note for note in plan.notes if session.device in note.figures.values()]
        return [say_note(note.code, note.figures, self.numbers) for note in notes]

    @property
    def weekdays(self) -> list[tuple[str, str]]:
        """The weekdays, as (form value, name)."""
        return [(day, self.numbers.weekdays([place])) for place, day in enumerate(WEEKDAYS)]

    def say_session_span(self, session: StoredSession) -> str:
        """Return the span of a charging session in words; clock times alone for a weekly one."""
        if not session.days:
            return self.say_span(session)
        return self.words(
            "session_weekly",
            first=self.numbers.clock(session.from_),
            end=self.numbers.clock(session.to),
        )

    def say_span(self, block: ManualBlock | StoredSession) -> str:
        """Return the span of a block or charging session in words."""
        return say_span(block.from_, block.to, now=self.stored.now, numbers=self.numbers)

    def say_instant(self, instant: datetime) -> str:
        """Return a clock time, with its day unless it is today."""
        return say_when(instant, now=self.stored.now, numbers=self.numbers)

    def say_override(self, state: ControlState) -> str:
        """Return an override in words: mode, device, end."""
        override: Any = state.override
        mode = self._say_mode(state)
        device = self.say_device(state.device)
        return self.words(
            "override", mode=mode, device=device, until=self.say_instant(override.until)
        )

    def say_order(self, state: ControlState) -> str:
        """Return an override without its end in words: device, mode, power."""
        override: Any = state.override
        power = "" if override.power_kw is None else f" {self.numbers.power(override.power_kw)}"
        return f"{self.say_device(state.device)}: {self._say_mode(state)}{power}"

    def _say_mode(self, state: ControlState) -> str:
        override: Any = state.override
        of_battery = state.device == BATTERIES
        return say_mode(override.mode, language=self.numbers.language, of_battery=of_battery)

    def say_order_span(self, state: ControlState) -> str:
        """Return the span of an override in words."""
        override: Any = state.override
        return say_span(
            override.since or self.next_slot,
            override.until,
            now=self.stored.now,
            numbers=self.numbers,
        )

    @property
    def price_versions(self) -> list[str]:
        """The sentences on whose prices the plan uses until when."""
        plan = self.stored.plan
        if plan is None:
            return []
        return format_price_spans(plan.price_spans, self.numbers, format_at=self.say_instant)

    @property
    def plan_quality(self) -> list[str]:
        """The sentences on what a longer search gained, and what a better plan may still save."""
        plan = self.stored.plan
        if plan is None:
            return []
        sentences = [
            say_note(note.code, note.figures, self.numbers)
            for note in plan.notes
            if note.code in SEARCHED_FURTHER
        ]
        if plan.gap_cost is not None and plan.gap_cost >= HALF_CENT:
            words = read_texts("plan_command", self.numbers.language)
            cost = self.numbers.money(plan.gap_cost)
            sentences.append(words["gap_cost"].format(cost=cost))
        return sentences

    @property
    def standings(self) -> list[str]:
        """The sentences on the last read-back of commanded devices, and what happens next."""
        codes = {state.standing.code for state in self.stored.states if state.standing is not None}
        sentences = []
        if "unattended" in codes:
            sentences.append(STANDING.say("unattended", self.numbers.language))
        for state in self.stored.states:
            sentences += format_standing(state, self.numbers, self.say_instant)
        return sentences

    @property
    def contested(self) -> list[ControlState]:
        """The unpaused devices that another controller keeps changing."""
        contested = []
        for state in self.stored.states:
            has_conflict = state.standing is not None and state.standing.conflict
            if has_conflict and state.paused is None:
                contested.append(state)
        return contested

    @property
    def paused(self) -> list[ControlState]:
        """The devices that their owner paused."""
        return [state for state in self.stored.states if state.paused is not None]

    def draw_strips(self) -> list[Markup]:
        """Draw prices and blocks of the next hours, wide and narrow; nothing without a plan."""
        plan = self.stored.plan
        if plan is None:
            return []
        first = floor_to(self.stored.now, SLOT)
        slots = [slot for slot in plan.slots if slot.start >= first][: AHEAD // SLOT]
        if not slots:
            return []
        prices = np.array([slot.import_price for slot in slots])

        def place(instant: datetime) -> int:
            """Return the nearest edge of the strip's slots."""
            return min(max(round((instant - first) / SLOT), 0), len(slots))

        spans = []
        for state in self.overrides:
            override: Any = state.override
            spans.append(FixedSpan(0, place(override.until), self.say_order(state)))
        for block in self.stored.blocks:
            span = FixedSpan(place(block.from_), place(block.to), self.say_block(block))
            spans.append(span)
        chosen = None
        # A refused form is drawn as well.
        if self.form.first < self.form.end:
            chosen = (place(self.form.first), place(self.form.end))
        visible = [span for span in spans if span.end > span.first]
        heading = self.words("strip_price", unit=self.numbers.price_unit[1])
        view = StripView(
            start=slots[0].start,
            step=SLOT,
            buy_price=prices,
            fixed=visible,
            chosen=chosen,
            numbers=self.numbers,
            heading=heading,
        )
        return [draw_strip(view, narrow=False), draw_strip(view, narrow=True)]


def list_unattended(
    site: Site, data_folder: Path, *, words: PageWords, language: Language
) -> Iterator[str]:
    """Yield the warnings on each directly controlled device.

    Its behaviour without Luna, other masters that may command it, and the evidence for its profile.
    """
    vias = site.control.vias_by_key if site.control else {}
    for key, via in vias.items():
        device = key.rpartition(":")[2]
        try:
            profile = load_profile(via.profile, data_folder)
        except InvalidInputError:
            yield words("unattended_profile_missing", device=device, profile=via.profile)
            continue
        reverts = profile.reverts
        if profile.safe_current_a is not None:
            ampere = f"{profile.safe_current_a:g}"
            minutes = LIMIT_LASTS_S // 60
            yield words("unattended_safe_current", device=device, ampere=ampere, minutes=minutes)
        elif reverts is not None and reverts.after_s is None:
            yield words("unattended_keeps", device=device)
        elif reverts is not None:
            is_battery = profile.kind == "battery_inverter"
            phrase = "unattended_reverts" if is_battery else "unattended_falls_back"
            yield words(phrase, device=device, seconds=reverts.after_s)
            if reverts.stays_in:
                modes = [say_mode(mode, language=language) for mode in reverts.stays_in]
                yield words("unattended_stays", modes=", ".join(modes))
        if profile.exclusive:
            masters = "; ".join(pick_text(text, language) for text in profile.exclusive)
            yield words("unattended_exclusive", masters=masters)
        yield words(f"unattended_evidence_{profile.evidence_level}", profile=profile.title)


@dataclass(frozen=True, slots=True)
class StripView:
    """The data of a strip: import prices per kWh from ``start`` on, and the fixed spans."""

    start: datetime
    step: timedelta
    buy_price: FloatArray
    fixed: Sequence[FixedSpan]
    chosen: tuple[int, int] | None
    numbers: Numbers
    heading: str

    def instant(self, edge: int) -> datetime:
        """Return the instant of a slot's edge."""
        return self.start + edge * self.step


def draw_strip(view: StripView, *, narrow: bool) -> Markup:
    """Draw the strip.

    Attributes give a script the positions of slots, in units of the view box.
    """
    sizes = NARROW if narrow else WIDE
    frame = ChartFrame(
        width=sizes["width"],
        left=sizes["left"],
        right=sizes["right"],
        count=view.buy_price.size,
        narrow=narrow,
    )
    prices = view.buy_price * view.numbers.price_unit[0]
    step = choose_step(float(np.abs(prices).max()), STEPS, 4)
    axis = fit_axis(prices, (TOP + sizes["height"], TOP), step=step, least=(0.0, step))
    rows = _stack(view.fixed)
    bottom = axis.bottom + (ROW * (max(rows) + 1) + 6 if rows else 0)
    clock = ClockAxis(
        frame=frame,
        instant=view.instant,
        numbers=view.numbers,
        top=TOP,
        bottom=bottom,
        words_y=bottom + 17,
    )
    bars: list[Markup] = []
    for row, span in zip(rows, view.fixed, strict=True):
        bars += _draw_bar(span, frame, axis.bottom + 6 + row * ROW)
    first, end = view.chosen or (0, 0)
    chosen = (frame.x(first), axis.top, frame.x(end) - frame.x(first), bottom - axis.top)
    parts = [
        text((0, 12), view.heading, "title"),
        clock.draw(),
        draw_ruler(frame, axis, view.numbers),
        path(trace_stairs(frame, axis, prices), "line price-line"),
        *bars,
        rectangle(chosen, "chosen"),
    ]
    size = ("narrow" if narrow else "wide", number(frame.width), number(bottom + FOOT))
    places = (view.start.isoformat(), f"{frame.left:g}", f"{frame.slot_width:.5f}")
    opening = Markup(
        '<svg class="chart strip {}" viewBox="0 0 {} {}" data-start="{}" data-left="{}" '
        'data-slot="{}" aria-hidden="true">'
    ).format(*size, *places)
    return opening + join(parts) + Markup("</svg>")


def _draw_bar(span: FixedSpan, frame: ChartFrame, top: float) -> list[Markup]:
    x = frame.x(span.first)
    width = max(frame.x(span.end) - x, 2.0)
    # A label that would cross the right edge is aligned to it.
    if x < frame.width * 0.7:
        text_x, anchor = x + 5, "start"
    else:
        text_x, anchor = frame.end - 2, "end"
    return [
        rectangle((x, top, width, BAR), "fixed", rx="3"),
        text((text_x, top + BAR - 5), span.words, "fixed-words", anchor=anchor),
    ]


def _stack(spans: Sequence[FixedSpan]) -> list[int]:
    """Return the row of each span: the first without an overlap."""
    row_ends: list[int] = []
    rows = []
    for span in spans:
        row = 0
        while row < len(row_ends) and row_ends[row] > span.first:
            row += 1
        row_ends[row : row + 1] = [span.end]
        rows.append(row)
    return rows
