"""Energy flow diagram of the last measured slot: sources left, uses right, one bus between them; line width is power."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from luna.energy.site import SENSOR_ROLES, SUBMETERED
from luna.energy.site.inventory import list_meters
from luna.energy.timeline import SLOT
from luna.words.house import say_basis
from luna.words.quality import say_series
from services.api.pages.home_view import HomeView, colour_of
from services.api.timeline.measured import power_column

LEFT_X, RIGHT_X, BUS_X, BUS_Y = 92, 236, 164, 112
TOP, HEIGHT = 28, 168
LEAST_KW = 0.04
KW_PIXELS, LEAST_PIXELS, IDLE_PIXELS, MOST_PIXELS = 4.0, 2.5, 1.5, 30.0


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
    """The flows of the last measured slot; ``at`` is its end in words."""

    at: str
    nodes: list[FlowNode]

    @property
    def label(self) -> str:
        """The diagram's text alternative."""
        return ", ".join(" ".join(filter(None, [node.name, node.note, node.doubt])) for node in self.nodes)


@dataclass(frozen=True, slots=True)
class _Item:
    colour: str
    name: str
    power_kw: float
    idle: str


def view_flow(view: HomeView) -> FlowView | None:
    """Return the flows of the last measured slot, None where nothing was measured."""
    measured = view.document["measured"]
    measured_slots = np.flatnonzero(np.isfinite(measured["load_kw"]))
    if not measured_slots.size:
        return None
    slot = int(measured_slots[-1])
    now = {name: float(np.nan_to_num(values[slot])) for name, values in measured.items()}
    words, site, is_charging = view.words, view.window.site, now["charge_kw"] > LEAST_KW
    battery = [_Item("battery", words("flow_battery"), now["charge_kw" if is_charging else "discharge_kw"], "")] if site.batteries else []
    solar = [_Item("pv", words("flow_solar"), now["pv_kw"], "0")] if site.pv else []
    sources = [*solar, *(() if is_charging else battery), _Item("grid", words("flow_grid"), now["import_kw"], "0")]
    uses = [
        _Item("load", words("flow_house"), now["load_kw"], "0"),
        *(battery if is_charging else ()),
        _Item("grid", words("flow_grid"), now["export_kw"], "0"),
    ]
    metered = {SENSOR_ROLES[role].series: use for role, use in list_meters(site) if role}
    for series in (series for series in reversed(SUBMETERED) if series in metered):
        idle = words("flow_off")
        if metered[series] == "car":
            stays = [(datetime.fromisoformat(stay["from"]), datetime.fromisoformat(stay["to"])) for stay in view.document["stays"]]
            coming = [first for first, _ in stays if first > view.window.now]
            if any(first <= view.window.now < end for first, end in stays):
                idle = words("flow_stays")
            elif coming:
                idle = words("flow_plugged", t=view.say_instant(coming[0]))
        uses.append(_Item(colour_of(metered[series]), say_series(series, language=view.numbers.language), now[power_column(series)], idle))
    sides = (True, sources), (False, uses)
    nodes = [_place(item, place, len(side), view, left=left) for left, side in sides for place, item in enumerate(side)]
    at = view.say_instant(view.instant(slot) + SLOT)
    return FlowView(f"{at}, {view.words('estimated')}" if view.document["estimated"][slot] else at, nodes)


def _place(item: _Item, place: int, count: int, view: HomeView, *, left: bool) -> FlowNode:
    y = round(TOP + place * HEIGHT / max(count - 1, 1), 1)
    flows = item.power_kw > LEAST_KW
    width = round(min(max(LEAST_PIXELS, item.power_kw * KW_PIXELS), MOST_PIXELS), 1) if flows else IDLE_PIXELS
    path = f"M{LEFT_X} {y} C{LEFT_X + 46} {y} 128 {BUS_Y} {BUS_X} {BUS_Y}" if left else f"M{BUS_X} {BUS_Y} C200 {BUS_Y} {RIGHT_X - 46} {y} {RIGHT_X} {y}"
    power = view.numbers.power(item.power_kw) if flows else item.idle
    beside = ""
    if item.colour == "battery":
        soc = view.house.planned.soc
        # A state of charge that needs its time is among the key figures.
        beside = "" if soc is not None and soc.at is not None else view.numbers.share(view.soc_now)
    elif item.colour == "grid" and flows:
        beside = view.words("flow_buying") if left else view.words("flow_selling")
    return FlowNode(
        item.colour if flows else "line-strong",
        item.name,
        " · ".join(part for part in (power, beside) if part),
        LEFT_X if left else RIGHT_X,
        y,
        path,
        width,
        max(6.0, width / 2 + 3),
        flows,
        left,
        say_basis("assumed", language=view.numbers.language) if item.colour == "battery" and view.soc_assumed else "",
    )
