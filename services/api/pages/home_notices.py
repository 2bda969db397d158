"""Notices of the page Home, and the age of its data.

Notices are of limits by the grid operator, overrides, stale measurements, late prices, and missing
or expired plans.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from luna.energy.devices.battery import BATTERIES
from luna.energy.economics.prices import DAY_AHEAD_PUBLISHED
from luna.energy.limit_outcome import list_binding
from luna.energy.market_publication import usual_publication
from luna.energy.timeline import SLOT
from luna.house.now import OLD_VALUES
from luna.words import say_mode
from luna.words.devices import say_device
from luna.words.messages import say_message
from luna.words.notes import say_note
from luna.words.operator_limits import count_limited, format_binding, format_since
from luna.words.refusals import say_refusal
from services.api.pages.home_view import HomeView
from services.api.pages.layout import PAGES

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
    "prices_doubted": "warn",
    "car_draws_less": "warn",
    "car_draws_nothing": "warn",
    "car_departure_at_risk": "bad",
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
    ``plans``: offers to plan again. ``link``: where to answer, with its text.
    """

    tone: str
    title: str
    more: str = ""
    device: str | None = None
    mode: str = ""
    later: str = ""
    plans: bool = False
    link: tuple[str, str] | None = None


def list_notices(view: HomeView, plan_max_age: timedelta) -> list[Notice]:
    """List the notices, the most urgent first."""
    return [
        *_limits(view),
        *_overrides(view),
        *_missing_plan(view, plan_max_age),
        *_stale(view),
        *_assumed_charge(view),
        *list_doubts(view),
        *_late_prices(view),
        *_findings(view),
        *_departures(view),
    ]


def _departures(view: HomeView) -> Iterator[Notice]:
    """Yield one notice of learnt departures that wait for an answer."""
    if view.departure_count:
        title = view.words("departures_open", count=view.departure_count)
        address = f"{PAGES['planning'].address(view.window.site.name)}#departures"
        yield Notice("you", title, link=(address, view.words("departures_look")))


def _findings(view: HomeView) -> Iterator[Notice]:
    for finding in view.house.findings:
        if finding.code in TONES:
            # The page names the home.
            message = say_message(finding.code, finding.figures, site="", numbers=view.numbers)
            yield Notice(TONES[finding.code], f"{message.title}.", message.text)


def _limits(view: HomeView) -> Iterator[Notice]:
    """Yield a line for each flow that the grid operator limits."""
    now = view.window.now
    devices = count_limited(view.window.site)
    for binding in list_binding(view.house.limits, now):
        title = format_binding(binding, devices, now=now, numbers=view.numbers)
        more = [format_since(binding.limit, now=now, numbers=view.numbers)]
        if not view.house.armed:
            more.append(view.words("notice_limit_unkept"))
        yield Notice("warn", title, " ".join(more))


def _overrides(view: HomeView) -> Iterator[Notice]:
    language = view.numbers.language
    for override in view.document["overrides"]:
        until = datetime.fromisoformat(override["until"])
        device = override["device"]
        of_battery = device == BATTERIES
        mode = say_mode(override["mode"], language=language, of_battery=of_battery)
        sentence = view.words("notice_override", mode=mode, t=view.say_instant(until))
        more = []
        if device != BATTERIES:
            more.append(say_device(device, language=language))
        if not view.house.armed:
            # The override reaches no device.
            has_control = view.window.site.control is not None
            more.append(view.words(_NOT_SENT[view.house.only_advised, has_control]))
        later = (until + timedelta(hours=1)).isoformat()
        text = " ".join(filter(None, more))
        yield Notice(
            tone="you", title=sentence, more=text, device=device, mode=override["mode"], later=later
        )


def _missing_plan(view: HomeView, plan_max_age: timedelta) -> Iterator[Notice]:
    plan = view.document["plan"]
    age = view.document["ages_s"]["plan"]
    if plan is not None and plan["covers_now"] and age <= plan_max_age.total_seconds():
        return
    fault = view.house.fault
    if fault is None:
        why = [view.words("notice_planning")]
    else:
        why = [
            str(say_refusal(fault.error, view.numbers.language)),
            view.words("notice_tried", t=view.say_instant(fault.tried_at)),
        ]
    car = []
    departures = [datetime.fromisoformat(session["to"]) for session in view.document["sessions"]]
    coming = [departure for departure in departures if departure > view.window.now]
    if coming:
        car.append(view.words("notice_fallback_car", t=view.say_instant(coming[0])))
    if plan is None:
        # The headline reports the missing plan.
        sentences = [*why, *car]
    else:
        fallback = view.words("notice_fallback", age=say_age(view, age))
        sentences = [fallback, view.words("notice_fallback_more"), *car, *why]
    tone = "warn" if plan is None and fault is None else "bad"
    yield Notice(tone, sentences[0], " ".join(sentences[1:]), plans=True)


def _stale(view: HomeView) -> Iterator[Notice]:
    age = view.document["ages_s"]["measured"]
    if age is None or age <= OLD_VALUES.total_seconds():
        return
    since = view.window.now - timedelta(seconds=age)
    soc = view.house.planned.soc
    # With a fresh state of charge only part of the measurements is missing.
    has_fresh_soc = soc is not None and soc.basis == "measured"
    title = "notice_stale"
    more = "notice_stale_more"
    if has_fresh_soc:
        title = "notice_unknown"
        more = "notice_unknown_more"
    yield Notice("warn", view.words(title, t=view.say_instant(since)), view.words(more))


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
        # Sentences on other readings contain the remedy.
        more = view.words("notice_doubt_more") if "doubted_soc" in figures else ""
        yield Notice("warn", say_note(code, figures, view.numbers), more)


def _late_prices(view: HomeView) -> Iterator[Notice]:
    if not view.window.site.tariff.price_series:
        return
    known_slots = view.document["prices"]["known_slots"]
    known_until = view.instant(known_slots)
    zone = view.numbers.zone
    now = view.window.now.astimezone(zone)
    if known_until <= now and view.has_plan:
        more = view.words("notice_prices_today_more")
        yield Notice("warn", view.words("notice_prices_today"), more)
        return
    published = _all_published(view)
    if published is None:
        return
    due = datetime.combine(now.date(), published, zone) + LATE
    midnight = datetime.combine((now + timedelta(days=1)).date(), time(), zone)
    if known_slots and now > due and known_until <= midnight:
        more = view.words("notice_prices_more", t=view.say_instant(known_until))
        yield Notice("warn", view.words("notice_prices"), more)


def _all_published(view: HomeView) -> time | None:
    """Return when tomorrow's prices of all series are out; None where one never is in advance."""
    latest = DAY_AHEAD_PUBLISHED
    for series in view.window.site.tariff.price_series:
        published = usual_publication(series)
        if published is None:
            return None
        latest = max(latest, published)
    return latest


def say_age(view: HomeView, seconds: int) -> str:
    """Return an age in words: minutes, from two hours on hours, from two days on days."""
    numbers = view.numbers
    if seconds >= 2 * 86_400:
        return view.words("days", n=numbers.number(seconds // 86_400))
    if seconds >= 2 * 3_600:
        return view.words("hours", n=numbers.number(seconds // 3_600))
    return view.words("minutes", n=numbers.number(seconds // 60))


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
