"""Notices of the page Home: overrides, stale measurements, late prices, missing or expired plans.

And the age of the data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from luna.energy.devices.battery import BATTERIES
from luna.energy.economics.prices import DAY_AHEAD_PUBLISHED
from luna.energy.timeline import SLOT
from luna.platform.house_now import OLD_VALUES
from luna.words import say_mode
from luna.words.devices import say_device
from luna.words.messages import say_message
from luna.words.notes import say_note
from luna.words.refusals import say_refusal
from services.api.pages.home_view import HomeView

# Day-ahead prices come at 13:00; an hour later they are late.
LATE = timedelta(hours=1)
# Tones of the findings shown as they are; other findings have notices of their own, with an action.
TONES = {
    "device_silent": "bad",
    "device_disobeys": "bad",
    "device_spared": "warn",
    "device_kept": "good",
    "device_held": "bad",
    "device_left": "bad",
    "device_conflict": "bad",
    "plan_compromised": "warn",
    "plan_unproven": "warn",
    "agent_offered": "good",
    "agent_withdrawn": "warn",
    "sensor_silent": "warn",
    "sensor_unheard": "warn",
}


# Why an override is not sent, by (only advised, site has a section ``control``).
_NOT_SENT = {
    (True, True): "notice_by_hand",
    (False, True): "notice_not_sent",
    (False, False): "notice_cannot_send",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice: one sentence and its consequences.

    ``device``, ``mode``, ``later``: an override that can be ended, or extended until ``later``.
    ``plans``: offers to plan again.
    """

    tone: str
    title: str
    more: str = ""
    device: str | None = None
    mode: str = ""
    later: str = ""
    plans: bool = False


def list_notices(view: HomeView, plan_max_age: timedelta) -> list[Notice]:
    """List the notices, the most urgent first."""
    findings = [each for each in view.house.findings if each.code in TONES]
    messages = [
        (
            TONES[each.code],
            say_message(
                each.code, each.figures, site=view.window.site.called, numbers=view.numbers
            ),
        )
        for each in findings
    ]
    return [
        *_overrides(view),
        *_missing_plan(view, plan_max_age),
        *_stale(view),
        *_assumed_charge(view),
        *list_doubts(view),
        *_late_prices(view),
        *(Notice(tone, f"{message.title}.", message.text) for tone, message in messages),
    ]


def _overrides(view: HomeView) -> Iterator[Notice]:
    for each in view.document["overrides"]:
        until = datetime.fromisoformat(each["until"])
        sentence = view.words(
            "notice_override",
            mode=say_mode(each["mode"], language=view.numbers.language),
            t=view.say_instant(until),
        )
        name = (
            ""
            if each["device"] == BATTERIES
            else say_device(each["device"], language=view.numbers.language)
        )
        # Say it where an override reaches no device.
        sent = (
            ""
            if view.house.armed
            else view.words(
                _NOT_SENT[view.house.only_advised, view.window.site.control is not None]
            )
        )
        yield Notice(
            "you",
            sentence,
            " ".join(filter(None, [name, sent])),
            each["device"],
            each["mode"],
            (until + timedelta(hours=1)).isoformat(),
        )


def _missing_plan(view: HomeView, plan_max_age: timedelta) -> Iterator[Notice]:
    plan = view.document["plan"]
    age = view.document["ages_s"]["plan"]
    if plan is not None and plan["covers_now"] and age <= plan_max_age.total_seconds():
        return
    leaves = [
        datetime.fromisoformat(stay["to"])
        for stay in view.document["stays"]
        if datetime.fromisoformat(stay["to"]) > view.window.now
    ]
    car = [view.words("notice_fallback_car", t=view.say_instant(leaves[0]))] if leaves else []
    fault = view.house.fault
    why = [view.words("notice_planning")]
    if fault is not None:
        why = [
            str(say_refusal(fault.error, view.numbers.language)),
            view.words("notice_tried", t=view.say_instant(fault.tried_at)),
        ]
    if plan is None:
        # The headline reports the missing plan.
        title, *more = [*why, *car]
    else:
        title, *more = [
            view.words("notice_fallback", age=say_age(view, age)),
            view.words("notice_fallback_more"),
            *car,
            *why,
        ]
    yield Notice(
        "bad" if plan is not None or fault is not None else "warn",
        title,
        " ".join(more),
        plans=True,
    )


def _stale(view: HomeView) -> Iterator[Notice]:
    age = view.document["ages_s"]["measured"]
    if age is not None and age > OLD_VALUES.total_seconds():
        since = view.window.now - timedelta(seconds=age)
        soc = view.house.planned.soc
        # With a fresh state of charge only part of the measurements is missing.
        hears_of_battery = soc is not None and soc.basis == "measured"
        key, more_key = (
            ("notice_unknown", "notice_unknown_more")
            if hears_of_battery
            else ("notice_stale", "notice_stale_more")
        )
        yield Notice("warn", view.words(key, t=view.say_instant(since)), view.words(more_key))


def _assumed_charge(view: HomeView) -> Iterator[Notice]:
    soc = view.soc_now
    if soc is not None and view.soc_assumed:
        has_sensor = bool(view.window.site.sensor_roles.get("battery_soc"))
        more = view.words(
            "notice_soc_assumed_silent" if has_sensor else "notice_soc_assumed_unnamed"
        )
        yield Notice("warn", view.words("notice_soc_assumed", soc=view.numbers.share(soc)), more)


def list_doubts(view: HomeView) -> Iterator[Notice]:
    """Yield a notice for each implausible reading of a state of charge."""
    for code, figures in view.house.doubts:
        # The others say themselves what to do.
        is_fresh = "doubted_soc" in figures
        more = view.words("notice_doubt_more") if is_fresh else ""
        yield Notice("warn", say_note(code, figures, view.numbers), more)


def _late_prices(view: HomeView) -> Iterator[Notice]:
    published_until = view.instant(view.document["prices"]["known_slots"])
    zone = view.numbers.zone
    now = view.window.now.astimezone(zone)
    tomorrow = (view.window.now.astimezone(zone) + timedelta(days=1)).date()
    due = datetime.combine(now.date(), DAY_AHEAD_PUBLISHED, zone) + LATE
    if not view.window.site.tariff.price_series:
        return
    if published_until <= now and view.has_plan:
        yield Notice(
            "warn", view.words("notice_prices_today"), view.words("notice_prices_today_more")
        )
    elif (
        view.document["prices"]["known_slots"]
        and now > due
        and published_until <= datetime.combine(tomorrow, time(), zone)
    ):
        yield Notice(
            "warn",
            view.words("notice_prices"),
            view.words("notice_prices_more", t=view.say_instant(published_until)),
        )


def say_age(view: HomeView, seconds: int) -> str:
    """Return an age in words: minutes, from two hours on hours, from two days on days."""
    for name, length in (("days", 172_800), ("hours", 7_200)):
        if seconds >= length:
            return view.words(
                name, n=view.numbers.number(seconds // {"days": 86_400, "hours": 3_600}[name])
            )
    return view.words("minutes", n=view.numbers.number(seconds // 60))


@dataclass(frozen=True, slots=True)
class DataAge:
    """The header's indicator of fresh data, with its text.

    ``state`` is "live" within a minute, "paced" while quarter-hours come in time, else "old".
    """

    state: Literal["live", "paced", "old"]
    text: str


def tell_liveness(view: HomeView) -> DataAge:
    """Return the age of the newest measured quarter-hour."""
    age = view.document["ages_s"]["measured"]
    if age is None:
        return DataAge("old", view.words("live_none"))
    if age <= (OLD_VALUES - SLOT).total_seconds():
        since = view.window.now - timedelta(seconds=age)
        return DataAge("paced", view.words("live_since", t=view.say_instant(since)))
    return DataAge("old", view.words("live_old", age=say_age(view, age)))
