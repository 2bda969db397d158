"""Energy flow diagram: sources left, uses right, one bus between them; line width is power.

It shows what flows at this moment where grid, roof and batteries are read live, else the means of
the last measured quarter-hour: never a mix of both.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from luna.contracts.live_flow import LiveFlow
from luna.energy.site import SENSOR_ROLES, SUBMETERED, Site
from luna.energy.site.inventory import list_meters
from luna.energy.timeline import SLOT
from luna.words import Numbers
from luna.words.devices import say_device
from luna.words.house import say_basis
from luna.words.pages import PageWords
from luna.words.quality import say_series
from services.api.pages.home_view import HomeView, colour_of
from services.api.timeline.measured import power_column
from services.api.timeline.window import Window

LEFT_X = 92
RIGHT_X = 236
BUS_X = 164
BUS_Y = 112
TOP = 28
HEIGHT = 168
LEAST_KW = 0.04
KW_PIXELS = 4.0
LEAST_PIXELS = 2.5
IDLE_PIXELS = 1.5
MOST_PIXELS = 30.0


@dataclass(frozen=True, slots=True)
class FlowNode:
    """A source or use in the diagram: position, line to the bus, texts."""

    colour: str
    name: str
    note: str
    x: int
    y: float
    path: str
    width: float
    radius: float
    flows: bool
    left: bool
    doubt: str = ""

    @property
    def text_x(self) -> int:
        """The label's anchor: its end on the left side, its start on the right."""
        return self.x - 16 if self.left else self.x + 16


@dataclass(frozen=True, slots=True)
class FlowView:
    """The flows and their time in words.

    ``age_s`` is the age of live ones, None for those of a quarter-hour.
    """

    at: str
    nodes: list[FlowNode]
    age_s: int | None = None

    @property
    def label(self) -> str:
        """The diagram's text alternative."""
        return ", ".join(
            " ".join(filter(None, [node.name, node.note, node.doubt])) for node in self.nodes
        )


@dataclass(frozen=True, slots=True)
class _Item:
    """A source or use: what stands beside its power, and in the place of a power that is none."""

    colour: str
    name: str
    power_kw: float
    idle: str = "0"
    beside: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class _Battery:
    """What a battery takes, negative while it gives; or several that only have a meter together."""

    name: str
    power_kw: float
    beside: str
    doubt: str = ""


def view_live_flow(live: LiveFlow, window: Window, words: PageWords) -> FlowView:
    """Return what flows at this moment."""
    numbers = window.numbers
    powers = {name: getattr(live, name) for name in ("pv_kw", "import_kw", "export_kw", "load_kw")}
    submetered = {
        series: (power_kw, words("flow_off")) for series, power_kw in live.submetered_kw.items()
    }
    items = _list_items(
        powers,
        _list_live_batteries(live, window.site, words, numbers),
        submetered,
        window=window,
        words=words,
    )
    age_s = max(int((window.now - live.at) / timedelta(seconds=1)), 0)
    return FlowView(words("flow_ago", n=numbers.number(age_s)), _lay_out(items, numbers), age_s)


def _list_live_batteries(
    live: LiveFlow, site: Site, words: PageWords, numbers: Numbers
) -> list[_Battery]:
    if not site.batteries:
        return []
    if live.batteries_kw:
        return [
            _Battery(
                say_device(name, language=numbers.language),
                power_kw,
                numbers.share(live.battery_socs[name]) if name in live.battery_socs else "",
            )
            for name, power_kw in live.batteries_kw.items()
        ]
    level = " / ".join(numbers.share(soc) for soc in live.battery_socs.values()) or (
        "" if live.soc is None else numbers.share(live.soc)
    )
    return [
        _Battery(_name_batteries(site, words, numbers), live.charge_kw - live.discharge_kw, level)
    ]


def _name_batteries(site: Site, words: PageWords, numbers: Numbers) -> str:
    if len(site.batteries) == 1:
        return words("flow_battery")
    return ", ".join(
        say_device(battery.name, language=numbers.language) for battery in site.batteries
    )


def view_flow(view: HomeView) -> FlowView | None:
    """Return the flows of the last measured slot, None where nothing was measured."""
    measured = view.document["measured"]
    measured_slots = np.flatnonzero(np.isfinite(measured["load_kw"]))
    if not measured_slots.size:
        return None
    slot = int(measured_slots[-1])
    now = {name: float(np.nan_to_num(values[slot])) for name, values in measured.items()}
    site = view.window.site
    metered = {SENSOR_ROLES[role].series: use for role, use in list_meters(site) if role}
    submetered: dict[str, tuple[float, str]] = {}
    for series in SUBMETERED:
        if series in metered:
            submetered[series] = (
                now[power_column(series)],
                _say_idle_car(view) if metered[series] == "car" else view.words("flow_off"),
            )
    items = _list_items(
        now,
        _list_measured_batteries(view, now["charge_kw"] - now["discharge_kw"]),
        submetered,
        window=view.window,
        words=view.words,
    )
    since = view.words("flow_since", t=view.say_instant(view.instant(slot) + SLOT))
    at = f"{since}, {view.words('estimated')}" if view.document["estimated"][slot] else since
    return FlowView(at, _lay_out(items, view.numbers))


def say_price_now(
    prices: tuple[float | None, float | None], words: PageWords, numbers: Numbers
) -> list[tuple[str, str, str]]:
    """Return what buying and selling cost now: colour, name and price.

    Without those that are unknown.
    """
    bought, sold = prices
    now = (("price", words("buy"), bought), ("sell-price", words("sell"), sold))
    return [
        (colour, name, numbers.price_per_kwh(price))
        for colour, name, price in now
        if price is not None
    ]


def _list_measured_batteries(view: HomeView, power_kw: float) -> list[_Battery]:
    """Return the batteries, of which a quarter-hour knows the sum alone."""
    if not view.window.site.batteries:
        return []
    # A state of charge that needs its time is among the key figures.
    levels = [
        view.numbers.share(each.soc_now)
        for each in view.batteries
        if (soc := each.house.planned.soc) is not None and soc.at is None
    ]
    doubt = say_basis("assumed", language=view.numbers.language) if view.soc_assumed else ""
    return [
        _Battery(
            _name_batteries(view.window.site, view.words, view.numbers),
            power_kw,
            " / ".join(levels),
            doubt,
        )
    ]


def _say_idle_car(view: HomeView) -> str:
    stays = [
        (datetime.fromisoformat(stay["from"]), datetime.fromisoformat(stay["to"]))
        for stay in view.document["stays"]
    ]
    coming = [first for first, _ in stays if first > view.window.now]
    if any(first <= view.window.now < end for first, end in stays):
        return view.words("flow_stays")
    return (
        view.words("flow_plugged", t=view.say_instant(coming[0]))
        if coming
        else view.words("flow_off")
    )


def _list_items(
    powers: dict[str, float],
    batteries: list[_Battery],
    submetered: dict[str, tuple[float, str]],
    *,
    window: Window,
    words: PageWords,
) -> tuple[list[_Item], list[_Item]]:
    """Return sources and uses; ``submetered`` has power and idle text by series."""
    site = window.site
    charging = [each for each in batteries if each.power_kw > LEAST_KW]
    giving = [each for each in batteries if each.power_kw <= LEAST_KW]

    def say_grid(name: str, phrase: str) -> _Item:
        return _Item(
            "export" if name == "export_kw" else "grid",
            words("flow_grid"),
            powers[name],
            beside=words(phrase) if powers[name] > LEAST_KW else "",
        )

    def say_battery(each: _Battery) -> _Item:
        return _Item("battery", each.name, abs(each.power_kw), "", each.beside, each.doubt)

    solar = [_Item("pv", words("flow_solar"), powers["pv_kw"])] if site.pv else []
    sources = [*solar, *map(say_battery, giving), say_grid("import_kw", "flow_buying")]
    uses = [
        _Item("load", words("flow_house"), powers["load_kw"]),
        *map(say_battery, charging),
        say_grid("export_kw", "flow_selling"),
    ]
    kinds = {SENSOR_ROLES[role].series: use for role, use in list_meters(site) if role}
    for series in (
        series for series in reversed(SUBMETERED) if series in submetered and series in kinds
    ):
        power_kw, idle = submetered[series]
        uses.append(
            _Item(
                colour_of(kinds[series]),
                say_series(series, language=window.numbers.language),
                power_kw,
                idle,
            )
        )
    return sources, uses


def _lay_out(items: tuple[list[_Item], list[_Item]], numbers: Numbers) -> list[FlowNode]:
    nodes: list[FlowNode] = []
    for left, side in zip((True, False), items, strict=True):
        nodes += [
            _place(item, place, len(side), numbers, left=left) for place, item in enumerate(side)
        ]
    return nodes


def _place(item: _Item, place: int, count: int, numbers: Numbers, *, left: bool) -> FlowNode:
    y = round(TOP + place * HEIGHT / max(count - 1, 1), 1)
    flows = item.power_kw > LEAST_KW
    width = (
        round(min(max(LEAST_PIXELS, item.power_kw * KW_PIXELS), MOST_PIXELS), 1)
        if flows
        else IDLE_PIXELS
    )
    path = (
        f"M{LEFT_X} {y} C{LEFT_X + 46} {y} 128 {BUS_Y} {BUS_X} {BUS_Y}"
        if left
        else f"M{BUS_X} {BUS_Y} C200 {BUS_Y} {RIGHT_X - 46} {y} {RIGHT_X} {y}"
    )
    power = numbers.power(item.power_kw) if flows else item.idle
    return FlowNode(
        item.colour if flows else "line-strong",
        item.name,
        " · ".join(part for part in (power, item.beside) if part),
        LEFT_X if left else RIGHT_X,
        y,
        path,
        width,
        max(6.0, width / 2 + 3),
        flows,
        left,
        item.doubt,
    )
