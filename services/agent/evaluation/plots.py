"""A day as several policies lived it, side by side in one picture: price, net battery power and export, state of charge, on common axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.agent import PolicyDayTrace, SlotTrace, TradedSlots
from luna.energy.timeline import FloatArray
from luna.words import say_policy
from services.agent.evaluation.traces import LITTLE_KWH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS_PER_INCH = 100
COLUMN_INCHES, HEIGHT_INCHES = 4.6, 7.4
# Distinguishable without red and green. Source: Okabe and Ito 2008.
PRICE, CHARGING, DISCHARGING, EXPORT, STORED, CHEAP = "#444444", "#0072B2", "#D55E00", "#E69F00", "#009E73", "#EAF3FA"


def draw_day(traces: Mapping[str, PolicyDayTrace], *, title: str, zone: ZoneInfo, currency: str) -> bytes:
    """Return the picture, PNG: a column per policy, each with three charts whose axes are the same in all columns.

    Args:
        traces: the same day as each policy lived it; their slots begin at the same instants.
        title: what stands above.
        zone: whose clock the hours are of.
        currency: of prices and costs.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(COLUMN_INCHES * len(traces) + 0.6, HEIGHT_INCHES), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=12, x=0.01, ha="left")
    charts = figure.subplots(3, len(traces), sharex=True, sharey="row", squeeze=False, height_ratios=[1.0, 1.3, 0.9])
    for column, (name, trace) in enumerate(traces.items()):
        clock = _Clock.of(trace.slots, zone)
        for chart, draw in zip(charts[:, column], (_draw_price, _draw_power, _draw_stored), strict=True):
            draw(chart, clock.edges, trace)
            clock.lay_out(chart)
        charts[0, column].set_title(_describe(name, trace, currency), fontsize=8, loc="left", linespacing=1.35)
        charts[2, column].set_xlabel(f"local time ({zone.key})")
    for chart, label in zip(charts[:, 0], (f"import price ({currency}/kWh)", "power (kW), charging up", "state of charge (%)"), strict=True):
        chart.set_ylabel(label)
    marks = {label: mark for chart in charts[:2, 0] for mark, label in zip(*chart.get_legend_handles_labels(), strict=True)}
    figure.legend(marks.values(), marks.keys(), loc="outside lower center", ncols=4, fontsize=8)
    written = BytesIO()
    figure.savefig(written, format="png", metadata={"Software": None})
    return written.getvalue()


@dataclass(frozen=True, slots=True)
class _Clock:
    """The edges of a day's slots in hours since it began, and where its clock says 0, 6, 12 and 18: a day has 23 to 25 hours."""

    edges: FloatArray
    ticks: Mapping[float, str]

    @classmethod
    def of(cls, slots: Sequence[SlotTrace], zone: ZoneInfo) -> "_Clock":
        begun = [(slot.start - slots[0].start) / timedelta(hours=1) for slot in slots]
        local = [slot.start.astimezone(zone) for slot in slots]
        ticks = {at: f"{time.hour}" for at, time in zip(begun, local, strict=True) if time.hour % 6 == 0 and time.minute == 0}
        end = begun[-1] + begun[1] - begun[0]
        return cls(np.array([*begun, end]), ticks | {end: "24"})

    def lay_out(self, chart: "Axes") -> None:
        chart.set_xlim(self.edges[0], self.edges[-1])
        chart.set_xticks(list(self.ticks), labels=list(self.ticks.values()))
        chart.grid(color="#dddddd", linewidth=0.5)
        chart.tick_params(labelsize=8)


def _describe(name: str, trace: PolicyDayTrace, currency: str) -> str:
    cost = trace.cost - (trace.value_gain or 0.0)
    lines = [say_policy(name, language="en"), f"{cost:.2f} {currency}, stored energy counted in"]
    return "\n".join([*lines, _tell_slots("charges", trace.charging, currency), _tell_slots("discharges", trace.discharging, currency)])


def _tell_slots(verb: str, traded: TradedSlots, currency: str) -> str:
    if traded.mean_price is None:
        return f"{verb} in no slot"
    return f"{verb} {traded.kwh:.1f} kWh in {traded.slots} slots at {traded.mean_price:.3f} {currency}/kWh ({traded.cheap} cheap, {traded.dear} dear)"


def _read(slots: Sequence[SlotTrace], name: str) -> FloatArray:
    return np.array([getattr(slot, name) for slot in slots])


def _draw_price(chart: "Axes", edges: FloatArray, trace: PolicyDayTrace) -> None:
    price, net, middle = _read(trace.slots, "import_price"), _net_kw(trace.slots, edges), (edges[:-1] + edges[1:]) / 2
    _shade_cheap(chart, edges, price)
    chart.stairs(price, edges, color=PRICE, linewidth=1.2, baseline=None, label="import price")
    for where, color, label in ((net > 0, CHARGING, "charging at"), (net < 0, DISCHARGING, "discharging at")):
        chart.plot(middle[where], price[where], ".", markersize=5, color=color, label=label)


def _draw_power(chart: "Axes", edges: FloatArray, trace: PolicyDayTrace) -> None:
    net, slots, length = _net_kw(trace.slots, edges), trace.slots, np.diff(edges)
    _shade_cheap(chart, edges, _read(slots, "import_price"))
    for part, color, label in ((np.maximum(net, 0.0), CHARGING, "battery charges"), (np.minimum(net, 0.0), DISCHARGING, "battery discharges")):
        chart.stairs(part, edges, color=color, fill=True, alpha=0.75, label=label)
    chart.stairs(-_read(slots, "export_kwh") / length, edges, color=EXPORT, linewidth=1.3, baseline=None, label="export to the grid (down)")
    needed = (_read(slots, "load_kwh") - _read(slots, "pv_kwh")) / length
    chart.stairs(needed, edges, color=PRICE, linewidth=0.7, linestyle=":", baseline=None, label="load less sun")
    chart.axhline(0.0, color=PRICE, linewidth=0.6)


def _draw_stored(chart: "Axes", edges: FloatArray, trace: PolicyDayTrace) -> None:
    chart.plot(edges[1:], 100 * _read(trace.slots, "soc"), color=STORED, linewidth=1.5)
    chart.set_ylim(0, 102)


def _net_kw(slots: Sequence[SlotTrace], edges: FloatArray) -> FloatArray:
    """Return what flows into all batteries together, kW; what is rounding is nothing."""
    net = _read(slots, "charge_kwh") - _read(slots, "discharge_kwh")
    return np.where(np.abs(net) > LITTLE_KWH, net, 0.0) / np.diff(edges)


def _shade_cheap(chart: "Axes", edges: FloatArray, price: FloatArray) -> None:
    """Lay a ground under the slots whose price is below the day's median."""
    cheap, label = np.append(price < np.median(price), [False]), "cheaper than the day's median"
    ground = chart.get_xaxis_transform()
    chart.fill_between(edges, 0, 1, where=cheap, step="post", transform=ground, color=CHEAP, zorder=0, label=label)
