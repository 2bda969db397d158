"""Energy flow diagram: sources left, uses right, one bus between; line width is power.

It shows the live flows where grid, roof and batteries are read live, else the means of the last
measured quarter-hour: never a mix of both.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from luna.contracts.live_flow import LiveFlow
from luna.energy.devices.kind import DeviceUseKind
from luna.energy.site import SENSOR_ROLES, SUBMETERED, Site
from luna.energy.site.inventory import list_meters
from luna.energy.timeline import SLOT
from luna.words import Numbers
from luna.words.devices import say_device
from luna.words.house import say_basis
from luna.words.numbers import UNKNOWN
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

    @property
    def label(self) -> str:
        """The node's text alternative."""
        return " ".join(filter(None, [self.name, self.note, self.doubt]))


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
        return ", ".join(node.label for node in self.nodes)


@dataclass(frozen=True, slots=True)
class _Item:
    """A source or use; ``idle`` is shown in place of a power that is zero."""

    colour: str
    name: str
    power_kw: float
    idle: str = "0"
    beside: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class _Battery:
    """A battery's power, negative while it discharges.

    Several batteries with a common meter count as one.
    """

    name: str
    power_kw: float
    beside: str
    doubt: str = ""


def view_live_flow(live: LiveFlow, window: Window, words: PageWords) -> FlowView:
    """Return the flows at this moment."""
    numbers = window.numbers
    powers = {
        "pv_kw": live.pv_kw,
        "import_kw": live.import_kw,
        "export_kw": live.export_kw,
        "load_kw": live.load_kw,
    }
    batteries = _list_live_batteries(live, window.site, words, numbers)
    off = words("flow_off")
    submetered = {series: (power_kw, off) for series, power_kw in live.submetered_kw.items()}
    items = _list_items(powers, batteries, submetered, window=window, words=words)
    age_s = max(int((window.now - live.at) / timedelta(seconds=1)), 0)
    return FlowView(words("flow_ago", n=numbers.number(age_s)), _place_nodes(items, numbers), age_s)


def _list_live_batteries(
    live: LiveFlow, site: Site, words: PageWords, numbers: Numbers
) -> list[_Battery]:
    if not site.batteries:
        return []
    socs = {name: numbers.share(soc) for name, soc in live.battery_socs.items()}
    if live.batteries_kw:
        batteries = []
        for name, power_kw in live.batteries_kw.items():
            label = say_device(name, language=numbers.language)
            batteries.append(_Battery(label, power_kw, socs.get(name, "")))
        return batteries
    level = " / ".join(socs.values())
    if not level and live.soc is not None:
        level = numbers.share(live.soc)
    label = _name_batteries(site, words, numbers)
    return [_Battery(label, live.charge_kw - live.discharge_kw, level)]


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
    powers = {name: float(values[slot]) for name, values in measured.items()}
    meters = _list_submeters(view.window.site)
    submetered: dict[str, tuple[float, str]] = {}
    for series in SUBMETERED:
        if series in meters:
            idle = _say_idle_car(view) if meters[series] == "car" else view.words("flow_off")
            submetered[series] = (powers[power_column(series)], idle)
    charge_kw = float(np.nan_to_num(powers["charge_kw"]))
    discharge_kw = float(np.nan_to_num(powers["discharge_kw"]))
    batteries = _list_measured_batteries(view, charge_kw - discharge_kw)
    items = _list_items(powers, batteries, submetered, window=view.window, words=view.words)
    at = view.words("flow_since", t=view.say_instant(view.instant(slot) + SLOT))
    if view.document["estimated"][slot]:
        at = f"{at}, {view.words('estimated')}"
    return FlowView(at, _place_nodes(items, view.numbers))


def _list_submeters(site: Site) -> dict[str | None, DeviceUseKind]:
    """Return the use of each submetered series of a site."""
    return {SENSOR_ROLES[role].series: use for role, use in list_meters(site) if role}


def say_price_now(
    prices: tuple[float | None, float | None], words: PageWords, numbers: Numbers
) -> list[tuple[str, str, str]]:
    """Return colour, name and value of the current buy and sell price, as far as known."""
    bought, sold = prices
    lines = []
    if bought is not None:
        lines.append(("price", words("buy"), numbers.price_per_kwh(bought)))
    if sold is not None:
        lines.append(("sell-price", words("sell"), numbers.price_per_kwh(sold)))
    return lines


def _list_measured_batteries(view: HomeView, power_kw: float) -> list[_Battery]:
    """Return the batteries as one, since only the sum of a quarter-hour is measured."""
    if not view.window.site.batteries:
        return []
    levels = []
    for battery in view.batteries:
        soc = battery.house.planned.soc
        # An old state of charge is shown with its time among the key figures.
        if soc is not None and soc.at is None:
            levels.append(view.numbers.share(soc.value))
    name = _name_batteries(view.window.site, view.words, view.numbers)
    doubt = say_basis("assumed", language=view.numbers.language) if view.soc_assumed else ""
    return [_Battery(name, power_kw, " / ".join(levels), doubt)]


def _say_idle_car(view: HomeView) -> str:
    now = view.window.now
    coming = []
    for session in view.document["sessions"]:
        first = datetime.fromisoformat(session["from"])
        if first <= now < datetime.fromisoformat(session["to"]):
            return view.words("flow_stays")
        if first > now:
            coming.append(first)
    if coming:
        return view.words("flow_plugged", t=view.say_instant(coming[0]))
    return view.words("flow_off")


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
    sources = []
    if site.pv:
        sources.append(_read_item("pv", words("flow_solar"), powers["pv_kw"]))
    uses = [_read_item("load", words("flow_house"), powers["load_kw"])]
    for battery in batteries:
        item = _Item(
            colour="battery",
            name=battery.name,
            power_kw=abs(battery.power_kw),
            idle="",
            beside=battery.beside,
            doubt=battery.doubt,
        )
        side = uses if battery.power_kw > LEAST_KW else sources
        side.append(item)
    sources.append(_read_item("grid", words("flow_buying"), powers["import_kw"]))
    uses.append(_read_item("export", words("flow_selling"), powers["export_kw"]))
    meters = _list_submeters(site)
    for series in reversed(SUBMETERED):
        if series in submetered and series in meters:
            power_kw, idle = submetered[series]
            name = say_series(series, language=window.numbers.language)
            uses.append(_Item(colour_of(meters[series]), name, power_kw, idle))
    return sources, uses


def _read_item(colour: str, name: str, power_kw: float) -> _Item:
    """Return a source or use of which NaN says that it was not measured."""
    return _Item(colour, name, power_kw, idle=UNKNOWN if np.isnan(power_kw) else "0")


def _place_nodes(items: tuple[list[_Item], list[_Item]], numbers: Numbers) -> list[FlowNode]:
    sources, uses = items
    nodes: list[FlowNode] = []
    for place, item in enumerate(sources):
        nodes.append(_place(item, place, len(sources), numbers, left=True))
    for place, item in enumerate(uses):
        nodes.append(_place(item, place, len(uses), numbers, left=False))
    return nodes


def _place(item: _Item, place: int, count: int, numbers: Numbers, *, left: bool) -> FlowNode:
    y = round(TOP + place * HEIGHT / max(count - 1, 1), 1)
    flows = item.power_kw > LEAST_KW
    width = IDLE_PIXELS
    power = item.idle
    if flows:
        width = round(min(max(LEAST_PIXELS, item.power_kw * KW_PIXELS), MOST_PIXELS), 1)
        power = numbers.power(item.power_kw)
    if left:
        path = f"M{LEFT_X} {y} C{LEFT_X + 46} {y} 128 {BUS_Y} {BUS_X} {BUS_Y}"
    else:
        path = f"M{BUS_X} {BUS_Y} C200 {BUS_Y} {RIGHT_X - 46} {y} {RIGHT_X} {y}"
    return FlowNode(
        colour=item.colour if flows else "line-strong",
        name=item.name,
        note=" · ".join(filter(None, (power, item.beside))),
        x=LEFT_X if left else RIGHT_X,
        y=y,
        path=path,
        width=width,
        radius=max(6.0, width / 2 + 3),
        flows=flows,
        left=left,
        doubt=item.doubt,
    )
