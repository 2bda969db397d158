"""Every value of the chart as rows: a table for people, CSV for programs."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from luna.energy.devices import SWITCHED_KINDS
from luna.energy.site import SUBMETERED
from luna.words import mode
from luna.words.quality import say_series
from services.api.pages.home_view import HomeView
from services.api.timeline.measured import power_column

# Columns of powers and the phrase that names them.
_HOUSE = {"load_kw": "flow_house", "pv_kw": "flow_solar", "curtailed_kw": "held"}
# Those of devices: what is switched, first as meters then as plans tell it apart, and what is metered beside it.
_DEVICES = tuple(
    dict.fromkeys(
        [power_column(series) for kind in SWITCHED_KINDS for series in kind.submetered]
        + [column for kind in SWITCHED_KINDS for column in kind.flows.values()]
        + [power_column(series) for series in SUBMETERED]
    )
)
POWERS = (*_HOUSE, *_DEVICES)


def headings(view: HomeView) -> list[str]:
    """Return what stands above each column."""
    words = view.words
    middle = [
        (view.words(_HOUSE[column]) if column in _HOUSE else say_series(f"{column}h", language=view.numbers.language))
        for column in POWERS
        if _any(view, column)
    ]
    ends = ("flow_battery", "flow_grid", "soc", "target", "reserve", "energy_value", "decided_by", "table_why")
    return [words(name) for name in ("table_time", "table_state", "table_mode", "buy", "sell")] + middle + [words(name) for name in ends]


def list_rows(view: HomeView) -> Iterator[list[str]]:
    """Yield each slot in words and figures, as ``headings`` names them; a day's name stands with its first slot's time and each other's."""
    numbers, words, document = view.numbers, view.words, view.document
    decided, prices = document["decisions"], document["prices"]
    powers = [name for name in POWERS if _any(view, name)]
    for slot, start in enumerate(view.window.timeline):
        way = decided["mode"][slot]
        over, estimated = slot < view.window.past, document["estimated"][slot] or ()
        gap = over and np.isnan(document["measured"]["load_kw"][slot])
        state = words("unknown" if gap else "estimated" if estimated else "measured" if over else "planned")
        part = document["measured" if over else "planned"]
        yield [
            f"{numbers.weekday(start)} {numbers.clock(start)}",
            state,
            mode(way, language=numbers.language).full if way else "–",
            numbers.price(float(prices["import"][slot]), decimals=1),
            numbers.price(float(prices["export"][slot]), decimals=1),
            *(_mark(numbers.power(None if part.get(name) is None else float(part[name][slot])), estimated=name in estimated) for name in powers),
            *(
                _mark(numbers.power(float(part[positive][slot] - part[negative][slot]), signed=True), estimated=positive in estimated or negative in estimated)
                for positive, negative in (("charge_kw", "discharge_kw"), ("import_kw", "export_kw"))
            ),
            _mark(numbers.share(float(part["soc"][slot])), estimated=not over and view.soc_ahead_assumed),
            numbers.share(float(document["planned"]["target_soc"][slot])),
            numbers.share(float(document["reserve_soc"][slot])),
            numbers.price(decided["energy_value"][slot], decimals=1),
            words("by_" + (decided["decided_by"][slot] or "nobody")),
            decided["text"][slot] or "–",
        ]


def write_csv(view: HomeView) -> str:
    """Return every column with its name and unit, a row per slot; instants with the site's offset, what is unknown is empty."""
    document, text = view.document, io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns: dict[str, Callable[[int], Any]] = {f"{side}_price": document["prices"][side].__getitem__ for side in ("import", "export")}
    columns["price_known"] = lambda slot: int(slot < document["prices"]["known_slots"])
    for part in ("measured", "planned"):
        columns |= {f"{part}_{name}": values.__getitem__ for name, values in document[part].items()}
    columns["soc_assumed"] = lambda slot: int(slot >= document["past_slots"] and bool(document["plan"]) and document["plan"]["soc_assumed"])
    columns["estimated"] = lambda slot: " ".join(document["estimated"][slot] or ()) or None
    columns |= {name: values.__getitem__ for name, values in document["bands"].items()}
    columns["reserve_soc"] = document["reserve_soc"].__getitem__
    columns["soc_without_luna"] = document["ghosts"]["without_luna"]["soc"].__getitem__
    decided = ("mode", "code", "text", "energy_value", "cost_of_opposite", "decided_by", "plan_id")
    columns |= {name: document["decisions"][name].__getitem__ for name in decided}
    writer.writerow(["slot_start", *columns])
    for slot, start in enumerate(view.window.timeline):
        writer.writerow([start.astimezone(view.numbers.zone).isoformat(), *(_cell(value_of(slot)) for value_of in columns.values())])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float):
        return round(float(value), 5)
    # A spreadsheet takes what begins like a formula for one.
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" else value


def _mark(figure: str, *, estimated: bool) -> str:
    return f"≈\u00a0{figure}" if estimated else figure


def _any(view: HomeView, name: str) -> bool:
    return any(bool((np.nan_to_num(view.document[part][name]) > 0).any()) for part in ("measured", "planned") if name in view.document[part])
