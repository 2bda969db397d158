"""Check the statements of the page Home and of the answer to "What is happening now?" against the
home's true state.

Statements come from the functions that the gateway calls: the page's view, notices and diagram, and
the answer's statements. Figures may be off by the meters' errors; powers change from minute to
minute, so only a difference that no fluctuation explains is a contradiction.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection

from bench.fortnight.ways import SlotLedger
from luna.contracts.control import BatterySetpoint
from luna.drivers.simulated_battery import Command
from luna.drivers.write_limits import RESERVED_WRITES, WRITES_PER_DAY
from luna.energy.car_draw import TRIED_EVERY, CarDraw
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.house.now import OLD_VALUES
from luna.house.now_reader import read_house, read_planned
from luna.house.statements import HouseStatement, state_house
from luna.platform.database import sites
from luna.platform.database.device_writes import WINDOW
from luna.simulated_home.car import CAR_MODEL
from luna.simulated_home.house import BATTERY_MODEL, HomeState
from luna.simulated_home.site import CAR, SITE_NAME, ZONE
from luna.words import Language
from luna.words.messages import TITLES, say_message
from luna.words.pages import page_words
from services.api.pages.home_notices import Notice, list_notices
from services.api.pages.home_view import HomeView
from services.api.timeline.build import build_timeline
from services.api.timeline.memory import PlanMemory
from services.api.timeline.window import open_window

# Tolerances: of a state of charge and its limits; of a flow, relative and by a counter's
# resolution; of powers, by what a kettle draws beside the mean.
SOC_TOLERANCE = 0.015
LIMIT_TOLERANCE = 0.03
SHARE_TOLERANCE = 0.02
LEAST_KW = 0.06
IDLE_KW = 0.1
MUCH_KW = 0.4
FULL = 0.95
EMPTY = BATTERY_MODEL.min_soc + 0.03
# A device that answers again gets its command and counts as well within a slot.
SILENT_AFTER = timedelta(minutes=3)
BACK_WITHIN = SLOT + timedelta(minutes=3)
MINUTE = timedelta(minutes=1)
# Home reports old values; a frozen meter shows in the quarter-hour in which it has not changed for
# ten minutes.
FROZEN_TOLD_AFTER = OLD_VALUES + 2 * SLOT
# The shortest search that may end without proof, of a plan's ten seconds.
LEAST_SOUGHT_S = 1.5
DRAWN = ("load", "pv", "import", "export", "charge", "discharge")
# A decision holds until its slot ends.
WORN_WITHIN = WINDOW + SLOT
LANGUAGE: Language = "en"
TIME_WAS_UP, MODE_KEPT, SPARED, MISSES_TARGET = (
    f"{TITLES.say(name, LANGUAGE)}."
    for name in ("plan_unproven", "device_kept", "device_spared", "plan_compromised")
)


@dataclass(frozen=True, slots=True)
class FalseSentence:
    """A statement that contradicts the truth, with its time."""

    at: datetime
    said: str
    truth: str

    def __str__(self) -> str:
        return f"{self.at.astimezone(ZONE):%d %b %H:%M}: said {self.said}; true {self.truth}"


@dataclass(frozen=True, slots=True)
class HomeTruth:
    """The home's true state at an instant, and its past quarter-hours.

    Attributes:
        state: of the house now.
        timeline: of the simulated quarter-hours.
        ledger: the energies of the past ones.
        socs: recent states of charge of the battery by instant, in order.
        luna_since: begin of Luna's current run.
        frozen_since: begin of the grid meter's last freeze; None without one.
        frozen_until: its end; None while it lasts.
        prices_missing: whether prices are missing that should be published.
        deaf_since: begin of the inverter's last fault in which it received nothing; None without
            one.
        deaf_until: its end; None while it lasts.
        commanded_since: begin of the current command of a directly controlled inverter.
        fault_since: begin of the last fault of a directly controlled product; None without one.
        fault_until: its end; None while it lasts.
        asleep_since: since when the car last slept, drawing nothing; None: it never did.
        asleep_until: when it woke; None while it sleeps.
        most_worn: recent writes of the inverter's most written point with a write budget.
    """

    state: HomeState
    timeline: Timeline
    ledger: SlotLedger
    socs: Mapping[datetime, float]
    luna_since: datetime
    frozen_since: datetime | None = None
    frozen_until: datetime | None = None
    prices_missing: bool = False
    deaf_since: datetime | None = None
    deaf_until: datetime | None = None
    commanded_since: datetime | None = None
    most_worn: int | None = None
    fault_since: datetime | None = None
    fault_until: datetime | None = None
    asleep_since: datetime | None = None
    asleep_until: datetime | None = None

    def is_disturbed(self, now: datetime) -> bool:
        """Return whether a product's fault, or what it left behind, explains a notice."""
        if self.fault_since is None:
            return False
        return self.fault_since <= now <= (self.fault_until or now) + BACK_WITHIN

    @property
    def soc(self) -> float:
        """The battery's true state of charge."""
        return self.state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh


@dataclass
class SentenceJudge:
    """Collects and checks statements.

    ``asked`` counts sentences and figures, ``false`` holds those that contradict the truth.

    ``estimated`` counts the figures of diagrams marked as estimated, which are not checked.
    """

    plan_max_age: timedelta
    asked: int = 0
    estimated: int = 0
    false: list[FalseSentence] = field(default_factory=list)
    memory: PlanMemory = field(default_factory=PlanMemory)

    def ask(
        self, connection: Connection, truth: HomeTruth, now: datetime
    ) -> list[FalseSentence | None]:
        """Check all statements about ``now``; return per statement its contradiction, or None."""
        found = [*self._compare(self._open(connection, now), truth, now)]
        self.asked += len(found)
        self.false += [each for each in found if each is not None]
        return found

    def count_false(self) -> str:
        """Return the number of false sentences so far, in words."""
        return (
            f"{len(self.false)} of {self.asked} sentences false, {self.estimated} figures said "
            "to be estimated"
        )

    def _open(self, connection: Connection, now: datetime) -> HomeView:
        site = sites.load(connection, SITE_NAME)
        window = open_window(site, now=now, language=LANGUAGE)
        house = read_house(
            connection,
            site,
            read_planned(connection, site, now=now),
            plan_max_age=self.plan_max_age,
            now=now,
        )
        return HomeView(
            window,
            build_timeline(connection, window, self.memory),
            page_words("home", LANGUAGE),
            house,
        )

    def _compare(
        self, view: HomeView, truth: HomeTruth, now: datetime
    ) -> Iterator[FalseSentence | None]:
        statements = {each.code: each for each in state_house(view.house, view.numbers)}
        yield from _compare_stored(statements, truth, now)
        yield from self._flow(view, truth, now)
        notices = list_notices(view, self.plan_max_age)
        yield _compare_silence(notices, statements, truth, now)
        yield from _compare_notices(view, notices, truth, now)
        if view.has_plan and view.house.battery_deviation is None:
            yield self._deed(view, truth, now)
        following = view.house.next_run
        if following is not None:
            yield _contradiction(
                following.start <= now,
                now,
                f"next step {following.mode} at {following.start:%H:%M}",
                "this has passed",
            )

    def _flow(
        self, view: HomeView, truth: HomeTruth, now: datetime
    ) -> Iterator[FalseSentence | None]:
        """Check the flow diagram of the last measured quarter-hour, unless it is old or
        estimated.
        """
        measured = view.document["measured"]
        known = np.flatnonzero(np.isfinite(measured["load_kw"]))
        if not known.size:
            return
        start = view.instant(int(known[-1])).astimezone(ZONE)
        if start < truth.timeline.start or now - start - SLOT > OLD_VALUES:
            return
        slot = truth.timeline.index_of(start)
        if view.document["estimated"][int(known[-1])]:
            self.estimated += len(DRAWN)
            return
        for name in DRAWN:
            said = float(measured[f"{name}_kw"][known[-1]])
            true = truth.ledger.slots[f"{name}_kwh"][slot] * (timedelta(hours=1) / SLOT)
            wrong = abs(said - true) > max(LEAST_KW, SHARE_TOLERANCE * true)
            yield _contradiction(
                wrong,
                now,
                f"{name} {said:.2f} kW in the quarter-hour from {start:%H:%M}",
                f"{true:.2f} kW",
            )

    def _deed(self, view: HomeView, truth: HomeTruth, now: datetime) -> FalseSentence | None:
        """Check the stated action of the battery."""
        mode = view.state_now
        state = truth.state
        if (
            view.house.slot is not None
            and now - max(view.house.slot.start, view.house.runs[0].start) < SILENT_AFTER
        ):
            return None
        # A change by somebody else is found by the reading back of each minute.
        if truth.fault_since is not None and now - truth.fault_since < SILENT_AFTER:
            return None
        power = state.battery.power_kw
        surplus = state.pv_kw - state.used_kw
        soc = truth.soc
        wrong = {
            "charge": power < IDLE_KW and soc < FULL,
            "export": power > -IDLE_KW and soc > EMPTY,
            "hold": abs(power) > IDLE_KW,
            "full": power < -IDLE_KW or soc < FULL,
            "reserve": power < -IDLE_KW or soc > EMPTY + SOC_TOLERANCE,
            # A directly controlled inverter has no limits in its command.
            "filled": not (
                abs(soc - _limit_of(state.command, rising=True)) <= LIMIT_TOLERANCE
                or _is_at_limit(view, soc)
            ),
            "drained": not (
                abs(soc - _limit_of(state.command, rising=False)) <= LIMIT_TOLERANCE
                or _is_at_limit(view, soc)
            ),
            "save": power < -IDLE_KW,
            "supply": power > IDLE_KW or (surplus < -MUCH_KW and soc > EMPTY and power > -IDLE_KW),
            "self_consumption": (surplus > MUCH_KW and soc < FULL and power < IDLE_KW)
            or (surplus < -MUCH_KW and soc > EMPTY and power > -IDLE_KW),
        }[mode]
        truly = (
            f"{power:+.2f} kW into it, {surplus:+.2f} kW left over, {soc:.0%} full, inverter "
            f"{state.command.mode}"
        )
        return _contradiction(wrong, now, f"{view.headline} ({mode})", truly)


def _limit_of(command: Command, *, rising: bool) -> float:
    """Return the state of charge up to which the inverter charges, or down to which it discharges.

    NaN without a limit.
    """
    forced = "force_charge" if rising else "force_discharge"
    limit = (
        command.target_soc
        if command.mode == forced
        else command.ceiling_soc
        if rising
        else command.floor_soc
    )
    return float("nan") if limit is None else limit


def _compare_stored(
    statements: Mapping[str, HouseStatement], truth: HomeTruth, now: datetime
) -> Iterator[FalseSentence | None]:
    """Check the stated state of charge, now or at the stated instant."""
    said = statements.get("house_stored") or statements.get("house_stored_at")
    if said is None:
        return
    soc = float(str(said.figures["soc"].value))
    at = said.figures["at"].value if "at" in said.figures else None
    true: float | None = truth.soc
    words = f"the battery is at {soc:.1%} ({said.figures['basis'].value})"
    if isinstance(at, datetime):
        words = f"{words} at {at.astimezone(ZONE):%H:%M:%S}"
        true = truth.socs.get(at.replace(microsecond=0))
    # Older than the kept true values: too old to be stated.
    yield _contradiction(
        true is None or abs(soc - true) > SOC_TOLERANCE,
        now,
        words,
        "long ago" if true is None else f"{true:.1%}",
    )


def _compare_silence(
    notices: Sequence[Notice],
    statements: Mapping[str, HouseStatement],
    truth: HomeTruth,
    now: datetime,
) -> FalseSentence | None:
    """Check that answer and Home agree on whether the battery responds, and are right."""
    said = "house_silent" in statements
    if said != any("does not answer" in notice.title for notice in notices):
        return FalseSentence(
            now,
            f"answer: silent {said}; Home: {[notice.title for notice in notices]}",
            "both tell of the same battery",
        )
    since = truth.deaf_since
    until = truth.deaf_until
    was_deaf = since is not None and since <= now <= (until or now) + BACK_WITHIN
    was_deaf = was_deaf or truth.is_disturbed(now)
    return _contradiction(said and not was_deaf, now, "the battery does not answer", "it does")


def _compare_notices(
    view: HomeView, notices: Sequence[Notice], truth: HomeTruth, now: datetime
) -> Iterator[FalseSentence | None]:
    """Check the other notices: prices, meters, a search that ended early.

    Any further notice is right only just after a start of Luna.
    """
    of_prices = {view.words(name) for name in ("notice_prices", "notice_prices_today")}
    said = [notice.title for notice in notices if notice.title in of_prices]
    yield _contradiction(
        bool(said) != truth.prices_missing,
        now,
        f"of prices: {said or 'nothing'}",
        "some are missing" if truth.prices_missing else "all are there",
    )
    draws = _list_draws(view)
    missed = _list_missed(view)
    of_meters = tuple(view.words(name, t="")[:-1] for name in ("notice_unknown", "notice_stale"))
    yield _compare_meters(
        view, [notice.title for notice in notices if notice.title.startswith(of_meters)], truth, now
    )
    for notice in notices:
        if notice.title == TIME_WAS_UP:
            plan = view.house.planned.plan
            sought_s = 0.0 if plan is None else plan.timing_ms["solve"] / 1e3
            yield _contradiction(
                sought_s < LEAST_SOUGHT_S,
                now,
                f"{notice.title} {notice.more}",
                f"it was sought for {sought_s:.1f} s",
            )
        elif notice.title == MODE_KEPT:
            since = truth.commanded_since
            has_changed = since is None or (
                since > floor_to(now, SLOT) and not _is_at_limit(view, truth.soc)
            )
            yield _contradiction(
                has_changed,
                now,
                f"{notice.title} {notice.more}",
                f"it follows what it does since {since}",
            )
        elif missed and notice.title == MISSES_TARGET:
            yield _contradiction(
                not all(misses_departure(each, truth, now) for each in missed),
                now,
                f"{notice.title} {notice.more}",
                _tell_car(truth),
            )
        elif notice.title in draws:
            yield _compare_draw(draws[notice.title], notice, truth, now)
        elif notice.title == SPARED:
            is_worn = (
                truth.most_worn is not None and truth.most_worn >= WRITES_PER_DAY - RESERVED_WRITES
            )
            yield _contradiction(
                not is_worn,
                now,
                f"{notice.title} {notice.more}",
                f"of late no point was written more than {truth.most_worn} times",
            )
        elif (
            notice.title not in of_prices
            and "does not answer" not in notice.title
            and not notice.title.startswith(of_meters)
        ):
            yield _contradiction(
                now - truth.luna_since > BACK_WITHIN and not truth.is_disturbed(now),
                now,
                f"{notice.title} {notice.more}",
                "nothing of the kind",
            )


def _list_draws(view: HomeView) -> dict[str, CarDraw]:
    """Return what the notices on cars are of, by their titles."""
    draws: dict[str, CarDraw] = {}
    for finding in view.house.findings:
        if "draw" in finding.figures:
            message = say_message(finding.code, finding.figures, site="", numbers=view.numbers)
            draws[f"{message.title}."] = finding.figures["draw"]
    return draws


def _list_missed(view: HomeView) -> list[dict[str, Any]]:
    """Return what a plan misses of its targets, as a notice tells it."""
    found = [each for each in view.house.findings if each.code == "plan_compromised"]
    return [shortfall for each in found for shortfall in each.figures["missed"]]


def misses_departure(shortfall: Mapping[str, Any], truth: HomeTruth, now: datetime) -> bool:
    """Return whether the home's car truly misses what a plan says it misses.

    It does where full power from now on is too little. One that slept is tried again each hour, and
    until then nobody knows that it draws.
    """
    car = truth.state.car
    figures = shortfall["figures"]
    if shortfall["code"] != "vehicle" or figures["name"] != CAR or car is None:
        return False
    slept = (
        truth.asleep_since is not None
        and now <= (truth.asleep_until or now) + TRIED_EVERY + BACK_WITHIN
    )
    soc = car.soc
    minutes = (datetime.fromisoformat(figures["by"]) - now) // MINUTE if car.is_home else 0
    for _ in range(minutes):
        stored_kw = CAR_MODEL.stored_kw(CAR_MODEL.charge_limit_kw(soc))
        soc += stored_kw * (MINUTE / timedelta(hours=1)) / CAR_MODEL.capacity_kwh
    return slept or soc < figures["wanted"] - SOC_TOLERANCE


def _tell_car(truth: HomeTruth) -> str:
    car = truth.state.car
    if car is None:
        return "there is no such car"
    return f"{car.soc:.0%} full, home {car.is_home}, slept {truth.asleep_since}"


def _compare_draw(
    draw: CarDraw, notice: Notice, truth: HomeTruth, now: datetime
) -> FalseSentence | None:
    """Check what is said of a car that does not draw what it is offered."""
    car = truth.state.car
    if car is None or draw.since is None:
        return FalseSentence(now, notice.title, "there is no such car")
    slept = (
        truth.asleep_since is not None
        and truth.asleep_since <= draw.since <= (truth.asleep_until or now) + BACK_WITHIN
    )
    explained = {
        "full": car.soc > CAR_MODEL.most_soc - SOC_TOLERANCE or not car.is_home,
        "draws_less": car.soc > CAR_MODEL.taper_soc - SOC_TOLERANCE,
        "not_plugged_in": not car.is_home,
    }.get(draw.verdict, False)
    said = f"{notice.title} ({draw.verdict} since {draw.since})"
    return _contradiction(not (slept or explained), now, said, _tell_car(truth))


def _is_at_limit(view: HomeView, soc: float) -> bool:
    """Return whether the battery is at a limit of its last command, where its behaviour changes
    without a change of mode.
    """
    decision = view.house.states[0].decision
    setpoints = (
        []
        if decision is None
        else [each for each in decision.requested.values() if isinstance(each, BatterySetpoint)]
    )
    limits = [
        limit
        for each in setpoints
        for limit in (each.floor_soc, each.ceiling_soc, each.target_soc)
        if limit is not None
    ]
    return any(abs(soc - limit) <= LIMIT_TOLERANCE for limit in limits)


def _compare_meters(
    view: HomeView, said: Sequence[str], truth: HomeTruth, now: datetime
) -> FalseSentence | None:
    """Check that answer and Home agree on since when the load is unknown, and that a frozen meter
    or a stop of Luna explains it.
    """
    answered = view.house.unknown_since
    if bool(said) != (answered is not None) or (
        answered is not None and not any(view.say_instant(answered) in title for title in said)
    ):
        return FalseSentence(
            now, f"answer: not known since {answered}; Home: {said}", "both tell of the same meters"
        )
    since = truth.frozen_since
    until = truth.frozen_until
    is_frozen = since is not None and now <= (until or now) + BACK_WITHIN
    # A quarter-hour with at most a third missing is still known.
    at = [] if since is None else [floor_to(since, SLOT) + late for late in (timedelta(0), SLOT)]
    if (
        since is not None
        and until is None
        and now - since > FROZEN_TOLD_AFTER
        and answered not in at
    ):
        return FalseSentence(
            now,
            f"of meters: {said or 'nothing'}",
            f"one has been frozen since {since.astimezone(ZONE):%H:%M}",
        )
    explained = now - truth.luna_since <= BACK_WITHIN or (is_frozen and answered in at)
    return _contradiction(bool(said) and not explained, now, f"of meters: {said}", "all are heard")


def _contradiction(wrong: bool, now: datetime, said: str, truth: str) -> FalseSentence | None:
    return FalseSentence(now, said, truth) if wrong else None
