"""What Home and the answer to "What is happening now?" say of the home, held against its truth.

The page's own view, notices and drawing and the answer's own statements are asked for, through the functions that the gateway calls. Numbers may be wrong by
what meters are; what is said of powers counts for a house that moves from minute to minute, so only what no flicker explains contradicts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from bench.fortnight.ways import SlotLedger
from luna.database import sites
from luna.house_now import read_house, read_planned
from luna.house_statements import HouseStatement, state_house
from luna.simulated_home import BATTERY_MODEL, SITE_NAME, HomeState
from luna.timeline import SLOT, Timeline
from luna.wording import Language
from luna.wording.pages import page_words
from services.api.pages.home_notices import OLD_VALUES, list_notices
from services.api.pages.home_view import HomeView
from services.api.timeline import build_timeline
from services.api.timeline.memory import PlanMemory
from services.api.timeline.window import open_window

# Of a share of the battery; a per cent of what flows and what a counter's last digits are; what a kettle draws beside the mean.
SOC_TOLERANCE, SHARE_TOLERANCE, LEAST_KW = 0.015, 0.02, 0.06
IDLE_KW, MUCH_KW = 0.1, 0.4
FULL, EMPTY = 0.95, BATTERY_MODEL.min_soc + 0.03
# A device that has answered again is told anew within a slot, and believed then.
SILENT_AFTER, BACK_WITHIN = timedelta(minutes=3), SLOT + timedelta(minutes=3)
LANGUAGE: Language = "en"


@dataclass(frozen=True, slots=True)
class FalseSentence:
    """What was said, where, and what was true."""

    at: datetime
    said: str
    truth: str


@dataclass(frozen=True, slots=True)
class HomeTruth:
    """The home at an instant, and its quarter-hours before; ``deaf_since`` and ``deaf_until``: of the inverter's last fault, where it had one."""

    state: HomeState
    timeline: Timeline
    ledger: SlotLedger
    deaf_since: datetime | None = None
    deaf_until: datetime | None = None


@dataclass
class SentenceJudge:
    """Asks and compares; ``asked`` counts sentences and figures, ``false`` holds those that contradict the truth."""

    plan_max_age: timedelta
    asked: int = 0
    false: list[FalseSentence] = field(default_factory=list)
    memory: PlanMemory = field(default_factory=PlanMemory)

    def ask(self, connection: Connection, truth: HomeTruth, now: datetime) -> None:
        """Have everything said that is said of now, and compare it."""
        view = self._open(connection, now)
        for found in self._compare(view, truth, now):
            self.asked += 1
            if found is not None:
                self.false.append(found)

    def _open(self, connection: Connection, now: datetime) -> HomeView:
        site = sites.load(connection, SITE_NAME)
        window = open_window(site, now=now, language=LANGUAGE)
        house = read_house(connection, site, read_planned(connection, site, now=now), plan_max_age=self.plan_max_age, now=now)
        return HomeView(window, build_timeline(connection, window, self.memory), page_words("home", LANGUAGE), house)

    def _compare(self, view: HomeView, truth: HomeTruth, now: datetime) -> Iterator[FalseSentence | None]:
        statements = {each.code: each for each in state_house(view.house, view.numbers)}
        yield from self._stored(statements.get("house_stored"), truth, now)
        yield from self._flow(view, truth, now)
        yield self._silence(view, statements, truth, now)
        if view.has_plan and not view.house.batteries_silent:
            yield self._deed(view, truth, now)
        following = view.house.next_run
        if following is not None:
            yield _contradiction(following.start <= now, now, f"next step {following.mode} at {following.start:%H:%M}", "this has passed")

    def _stored(self, said: HouseStatement | None, truth: HomeTruth, now: datetime) -> Iterator[FalseSentence | None]:
        if said is not None:
            soc, true = float(str(said.figures["soc"].value)), truth.state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh
            words = f"the battery is at {soc:.1%} ({said.figures['basis'].value})"
            yield _contradiction(abs(soc - true) > SOC_TOLERANCE, now, words, f"{true:.1%}")

    def _flow(self, view: HomeView, truth: HomeTruth, now: datetime) -> Iterator[FalseSentence | None]:
        """Compare the drawing: the last measured quarter-hour, which is not said to be old."""
        measured = view.document["measured"]
        known = np.flatnonzero(np.isfinite(measured["load_kw"]))
        if not known.size:
            return
        start = view.instant(int(known[-1]))
        if start < truth.timeline.start or now - start - SLOT > OLD_VALUES:
            return
        slot = truth.timeline.index_of(start)
        for name in ("load", "pv", "import", "export", "charge", "discharge"):
            said, true = float(measured[f"{name}_kw"][known[-1]]), truth.ledger.slots[f"{name}_kwh"][slot] * (timedelta(hours=1) / SLOT)
            wrong = abs(said - true) > max(LEAST_KW, SHARE_TOLERANCE * true)
            yield _contradiction(wrong, now, f"{name} {said:.2f} kW in the quarter-hour from {start:%H:%M}", f"{true:.2f} kW")

    def _silence(self, view: HomeView, statements: Mapping[str, HouseStatement], truth: HomeTruth, now: datetime) -> FalseSentence | None:
        """Compare whether the battery is said to answer, in the answer and on Home alike."""
        titles = [notice.title for notice in list_notices(view, self.plan_max_age)]
        said = "house_silent" in statements
        if said != any("does not answer" in title for title in titles):
            return FalseSentence(now, f"answer: silent {said}; Home: {titles}", "both tell of the same battery")
        since, until = truth.deaf_since, truth.deaf_until
        was_deaf = since is not None and since <= now <= (until or now) + BACK_WITHIN
        return _contradiction(said and not was_deaf, now, "the battery does not answer", "it does")

    def _deed(self, view: HomeView, truth: HomeTruth, now: datetime) -> FalseSentence | None:
        """Compare what the battery is said to do with what it does."""
        mode, state = view.house.runs[0].mode, truth.state
        if view.house.slot is not None and now - max(view.house.slot.start, view.house.runs[0].start) < SILENT_AFTER:
            return None
        power, surplus, soc = state.battery.power_kw, state.pv_kw - state.used_kw, state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh
        wrong = {
            "charge": power < IDLE_KW and soc < FULL,
            "export": power > -IDLE_KW and soc > EMPTY,
            "hold": abs(power) > IDLE_KW,
            "save": power < -IDLE_KW,
            "supply": power > IDLE_KW or (surplus < -MUCH_KW and soc > EMPTY and power > -IDLE_KW),
            "self_consumption": (surplus > MUCH_KW and soc < FULL and power < IDLE_KW) or (surplus < -MUCH_KW and soc > EMPTY and power > -IDLE_KW),
        }[mode]
        truly = f"{power:+.2f} kW into it, {surplus:+.2f} kW left over, {soc:.0%} full, inverter {state.command.mode}"
        return _contradiction(wrong, now, f"{view.headline} ({mode})", truly)


def _contradiction(wrong: bool, now: datetime, said: str, truth: str) -> FalseSentence | None:
    return FalseSentence(now, said, truth) if wrong else None
