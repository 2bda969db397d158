"""A day as several policies lived it, as PNG: the panels of ``plots`` for programs that show no SVG."""

from collections.abc import Mapping
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from luna.contracts.agent import PolicyDayTrace
from luna.words import Numbers, say_policy
from luna.words.charts.marks import find_runs
from services.agent.evaluation.plots import PANELS, TraceDay, find_slots, name_panels, read_days

if TYPE_CHECKING:
    from matplotlib.artist import Artist

COLUMN_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 5.2, 8.0, 120
# Those of luna/words/charts/palette.css on paper.
COLOURS = {"price": "#0b3d70", "charging": "#2763d4", "giving": "#bf7610", "export": "#6a1a8c", "needed": "#566070", "stored": "#2f9c86"}
CHEAP = {"color": COLOURS["charging"], "alpha": 0.1, "linewidth": 0.0}


def draw_day_png(traces: Mapping[str, PolicyDayTrace], *, title: str, numbers: Numbers) -> bytes:
    """Return the picture: a column per policy, each with three panels whose axes are the same in all columns.

    Args:
        traces: the same day as each policy lived it; their slots begin at the same instants.
        title: what stands above.
        numbers: write figures, and know the clock and the currency.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    slots, step = find_slots(traces)
    days = read_days(traces, numbers)
    figure = Figure(figsize=(COLUMN_INCHES * len(days), HEIGHT_INCHES), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{title}, local time ({numbers.zone.key})")
    panels = figure.subplots(len(PANELS), len(days), sharex=True, sharey="row", squeeze=False, height_ratios=list(PANELS.values()))
    for day, column in zip(days, panels.T, strict=True):
        _draw_column(day, column)
        column[0].set_title(f"{say_policy(day.name, language='en')}: {numbers.money(day.trace.cost - (day.trace.value_gain or 0.0))}")
        every = range(0, len(slots) + 1, timedelta(hours=6) // step)
        column[-1].set_xticks(every, [numbers.clock(slots[0].start + place * step) for place in every])
    for panel, words in zip(panels[:, 0], name_panels(numbers).values(), strict=True):
        panel.set_ylabel(words)
    figure.legend(*_list_keys(panels[:, 0]), loc="outside lower center", ncols=4, frameon=False)
    written = BytesIO()
    figure.savefig(written, format="png", metadata={"Software": None})
    return written.getvalue()


def _draw_column(day: TraceDay, column: NDArray[np.object_]) -> None:
    price, power, stored = column
    middles = np.arange(day.price.size) + 0.5
    for panel in (price, power):
        for first, end in find_runs(day.price < np.median(day.price)):
            panel.axvspan(first, end, label="cheaper than the day's median", **CHEAP)
    price.stairs(day.price, baseline=None, color=COLOURS["price"], label="import price")
    for trades, name, colour in ((day.net_kw > 0, "battery charges", COLOURS["charging"]), (day.net_kw < 0, "battery discharges", COLOURS["giving"])):
        price.scatter(middles[trades], day.price[trades], s=8, color=colour, zorder=3)
        power.bar(middles[trades], day.net_kw[trades], width=1.0, color=colour, alpha=0.75, label=name)
    power.stairs(day.export_kw, baseline=None, color=COLOURS["export"], label="export to the grid (down)")
    power.stairs(day.needed_kw, baseline=None, color=COLOURS["needed"], linestyle="dotted", label="load less sun")
    # What is stored is known at the end of each slot.
    stored.plot(middles + 0.5, day.stored, color=COLOURS["stored"], label="state of charge")
    stored.set_ylim(0.0, 100.0)


def _list_keys(panels: NDArray[np.object_]) -> "tuple[list[Artist], list[str]]":
    """Return each mark of the panels with its name, once."""
    pairs = [pair for panel in panels for pair in zip(*panel.get_legend_handles_labels(), strict=True)]
    keys = {name: mark for mark, name in pairs}
    return list(keys.values()), list(keys)
