"""Details of a slot (reason, prices, alternatives) and the chart's values as a table and as CSV."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np

from luna.energy.devices import SWITCHED_KINDS
from luna.energy.site import SUBMETERED
from luna.energy.timeline import SLOT, local_midnight
from luna.platform.site_day import find_slot
from luna.words import mode
from luna.words.quality import say_series
from services.api.pages.home_view import COLOURS, GLYPHS, HomeView
from services.api.timeline.measured import power_column

# Modes offered for an override, in this order.
OFFERED = ("self_consumption", "supply", "hold", "charge", "export")
MOST_OFFERED = 4
RULER_FROM = 8.0
RULER_SPAN = 84.0
LABEL_LOW = 16.0
LABEL_HIGH = 84.0
# Default length of an override: a run may last for days, but an owner means the next hours.
LONGEST_USUAL = timedelta(hours=4)
# Power columns with the key of their heading.
_HOUSE = {"load_kw": "flow_house", "pv_kw": "flow_solar", "curtailed_kw": "held"}
# Power columns of devices: switched loads as measured, then as planned; then other submeters.
_DEVICES = tuple(
    dict.fromkeys(
        [power_column(series) for kind in SWITCHED_KINDS for series in kind.submetered]
        + [column for kind in SWITCHED_KINDS for column in kind.plan.flows.values()]
        + [power_column(series) for series in SUBMETERED]
    )
)
POWERS = (*_HOUSE, *_DEVICES)


@dataclass(frozen=True, slots=True)
class Pin:
    """A price on the ruler, with the positions of mark and label in per cent of the width."""

    name: str
    price: str
    colour: str
    x: float
    text_x: float


@dataclass(frozen=True, slots=True)
class Ruler:
    """Sell price, buy price and the band of prices at which stored energy is kept, in per cent of
    the width.
    """

    value: str
    low: float
    high: float
    keep: str
    label: str
    sell: Pin
    buy: Pin


@dataclass(frozen=True, slots=True)
class End:
    """A possible end of an override."""

    until: str
    label: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The details of a slot; ``others`` are the modes for an override, none for past slots."""

    slot: int
    time: str
    part_of: str
    colour: str
    glyph: str
    action: str
    reason: str
    ruler: Ruler | None
    rows: list[tuple[str, str]]
    others: list[tuple[str, str]]
    ends: list[End]


def view_sheet(view: HomeView, slot: int) -> Sheet | None:
    """Return the details of a slot, None without a decision."""
    run = view.run_at(slot)
    if run is None:
        return None
    numbers = view.numbers
    over = slot < view.window.past
    ruler = _view_ruler(view, slot)
    # The default end comes first: that of the run, at most LONGEST_USUAL; then one, two and four
    # hours, and midnight.
    running = view.window.running
    zone = numbers.zone
    longest = running + LONGEST_USUAL
    midnight = local_midnight(view.window.now.astimezone(zone).date() + timedelta(days=1), zone)
    usual = min(view.instant(run.end), longest)
    ends = {
        usual,
        longest,
        midnight,
        *(running + timedelta(hours=hours) + SLOT for hours in (1, 2)),
    }
    return Sheet(
        slot,
        view.say_time(slot),
        view.words("part_of", span=view.say_span(run.first, run.end)),
        COLOURS[run.mode],
        GLYPHS[run.mode],
        mode(run.mode, language=numbers.language).full,
        view.say_run(slot),
        ruler,
        list(_tell_rows(view, slot, has_ruler=ruler is not None)),
        []
        if over
        else [
            (name, mode(name, language=numbers.language).full)
            for name in OFFERED
            if name != run.mode
        ][:MOST_OFFERED],
        []
        if over
        else [
            End(instant.isoformat(), view.say_instant(instant))
            for instant in sorted(ends, key=lambda each: (each != usual, each))
        ],
    )


def _view_ruler(view: HomeView, slot: int) -> Ruler | None:
    prices = view.document["prices"]
    decided = view.document["decisions"]
    numbers = view.numbers
    value, low, high = (
        decided[name][slot] for name in ("energy_value", "keep_from_price", "keep_to_price")
    )
    sell = float(prices["export"][slot])
    buy = float(prices["import"][slot])
    if low is None or not np.isfinite([sell, buy]).all():
        return None
    bottom = min(low, sell, buy, 0.0)
    top = max(high, buy, sell) + 0.02

    def place(price: float) -> float:
        return round(float((price - bottom) / (top - bottom)) * RULER_SPAN + RULER_FROM, 1)

    def pin(name: str, price: float, colour: str) -> Pin:
        return Pin(
            view.words(name),
            numbers.price(price),
            colour,
            place(price),
            min(max(place(price), LABEL_LOW), LABEL_HIGH),
        )

    return Ruler(
        numbers.price(value),
        place(low),
        place(high),
        view.words("keep_range", a=numbers.price(low), b=numbers.price(high)),
        view.words("ruler", sell=numbers.price(sell), buy=numbers.price(buy)),
        pin("sell", sell, "sell-price"),
        pin("buy", buy, "price"),
    )


def _tell_rows(view: HomeView, slot: int, *, has_ruler: bool) -> Iterator[tuple[str, str]]:
    decided = view.document["decisions"]
    numbers = view.numbers
    words = view.words
    # Prices only where no ruler shows them.
    sell, buy = (float(view.document["prices"][name][slot]) for name in ("export", "import"))
    if not has_ruler and np.isfinite([sell, buy]).all():
        yield words("price"), words("ruler", sell=numbers.price(sell), buy=numbers.price(buy))
    if slot < view.window.past:
        soc = float(view.document["measured"]["soc"][slot])
        yield (
            words("result"),
            words("result_soc", soc=numbers.share(soc)) if np.isfinite(soc) else words("unknown"),
        )
    elif decided["cost_of_opposite"][slot] is not None:
        yield (
            words("opposite"),
            words("opposite_more", x=numbers.money(max(decided["cost_of_opposite"][slot], 0.0))),
        )
    if slot >= view.window.past:
        yield from _tell_batteries(view, slot)
    if decided["price_rank"][slot] is not None:
        yield (
            words("rank"),
            words("rank_of", rank=decided["price_rank"][slot], count=decided["price_count"][slot]),
        )
    yield words("binding"), ", ".join(decided["binding"][slot] or []) or words("none")
    yield words("decided_by"), words("by_" + (decided["decided_by"][slot] or "nobody"))


def _tell_batteries(view: HomeView, slot: int) -> Iterator[tuple[str, str]]:
    """Yield what each of several batteries is planned to do in a slot: its mode, its power, and how
    full it ends.
    """
    for each in view.batteries if len(view.batteries) > 1 else []:
        planned = _find_planned(each, slot)
        if planned is not None:
            power_kw, soc, way = planned
            parts = [
                mode(way, language=view.numbers.language).full,
                view.numbers.power(power_kw, signed=True),
                view.numbers.share(soc),
            ]
            yield each.battery_name, " · ".join(parts)


def _find_planned(view: HomeView, slot: int) -> tuple[float, float, str] | None:
    """Return power, kW, state of charge at the end, and mode of one battery in a slot.

    None where the plan has none.
    """
    plan = view.house.planned.plan
    name = view.battery
    if plan is None or name is None:
        return None
    planned = find_slot(plan, view.instant(slot))
    flow = None if planned is None else planned.batteries.get(name)
    if planned is None or flow is None:
        return None
    hours = plan.slot_minutes / 60
    return (flow.charge_kwh - flow.discharge_kwh) / hours, flow.soc_end, planned.mode


def choose_slot(view: HomeView, slot: int | None) -> int:
    """Return ``slot`` clamped to the timeline; None: the one selected by default."""
    return view.selected if slot is None else max(0, min(slot, view.window.timeline.count - 1))


def headings(view: HomeView) -> list[str]:
    """Return the headings of the table."""
    words = view.words
    middle = [
        (
            view.words(_HOUSE[column])
            if column in _HOUSE
            else say_series(f"{column}h", language=view.numbers.language)
        )
        for column in POWERS
        if _any(view, column)
    ]
    several = len(view.batteries) > 1
    each = [
        name
        for battery in (view.batteries if several else [])
        for name in (battery.battery_name, words("fact_stored_each", name=battery.battery_name))
    ]
    battery, soc = ("flow_batteries", "soc_together") if several else ("flow_battery", "soc")
    ends = (
        battery,
        "flow_grid",
        soc,
        "target",
        "reserve",
        "energy_value",
        "decided_by",
        "table_why",
    )
    return (
        [words(name) for name in ("table_time", "table_state", "table_mode", "buy", "sell")]
        + middle
        + each
        + [words(name) for name in ends]
    )


def list_rows(view: HomeView) -> Iterator[list[str]]:
    """Yield the cells of each slot in the order of ``headings``; every time has its weekday."""
    numbers = view.numbers
    words = view.words
    document = view.document
    decided = document["decisions"]
    prices = document["prices"]
    powers = [name for name in POWERS if _any(view, name)]
    for slot, start in enumerate(view.window.timeline):
        way = decided["mode"][slot]
        over = slot < view.window.past
        estimated = document["estimated"][slot] or ()
        gap = over and np.isnan(document["measured"]["load_kw"][slot])
        state = words(
            "unknown" if gap else "estimated" if estimated else "measured" if over else "planned"
        )
        part = document["measured" if over else "planned"]
        yield [
            f"{numbers.weekday(start)} {numbers.clock(start)}",
            state,
            mode(way, language=numbers.language).full if way else "–",
            numbers.price(float(prices["import"][slot]), decimals=1),
            numbers.price(float(prices["export"][slot]), decimals=1),
            *(
                _mark(
                    numbers.power(None if part.get(name) is None else float(part[name][slot])),
                    estimated=name in estimated,
                )
                for name in powers
            ),
            *(
                cell
                for each in (view.batteries if len(view.batteries) > 1 else [])
                for cell in _say_battery(each, slot)
            ),
            *(
                _mark(
                    numbers.power(float(part[positive][slot] - part[negative][slot]), signed=True),
                    estimated=positive in estimated or negative in estimated,
                )
                for positive, negative in (
                    ("charge_kw", "discharge_kw"),
                    ("import_kw", "export_kw"),
                )
            ),
            _mark(
                numbers.share(float(part["soc"][slot])),
                estimated=not over and view.soc_ahead_assumed,
            ),
            numbers.share(float(document["planned"]["target_soc"][slot])),
            numbers.share(float(document["reserve_soc"][slot])),
            numbers.price(decided["energy_value"][slot], decimals=1),
            words("by_" + (decided["decided_by"][slot] or "nobody")),
            decided["text"][slot] or "–",
        ]


def _say_battery(view: HomeView, slot: int) -> tuple[str, str]:
    """Return power and state of charge of one battery as planned.

    What was measured is known of all together.
    """
    planned = _find_planned(view, slot) if slot >= view.window.past else None
    return (
        ("–", "–")
        if planned is None
        else (view.numbers.power(planned[0], signed=True), view.numbers.share(planned[1]))
    )


def write_csv(view: HomeView) -> str:
    """Return the timeline as CSV, a row per slot.

    Column names carry the unit, instants the site's offset, unknown cells are empty.
    """
    document = view.document
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns: dict[str, Callable[[int], Any]] = {
        f"{side}_price": document["prices"][side].__getitem__ for side in ("import", "export")
    }
    columns["price_known"] = lambda slot: int(slot < document["prices"]["known_slots"])
    for part in ("measured", "planned"):
        columns |= {f"{part}_{name}": values.__getitem__ for name, values in document[part].items()}
    for each in view.batteries if len(view.batteries) > 1 else []:
        columns[f"planned_power_kw:{each.battery}"] = partial(_read_planned, each, 0)
        columns[f"planned_soc:{each.battery}"] = partial(_read_planned, each, 1)
    columns["soc_assumed"] = lambda slot: int(
        slot >= document["past_slots"]
        and bool(document["plan"])
        and document["plan"]["soc_assumed"]
    )
    columns["estimated"] = lambda slot: " ".join(document["estimated"][slot] or ()) or None
    columns |= {name: values.__getitem__ for name, values in document["bands"].items()}
    columns["reserve_soc"] = document["reserve_soc"].__getitem__
    columns["soc_without_luna"] = document["ghosts"]["without_luna"]["soc"].__getitem__
    decided = ("mode", "code", "text", "energy_value", "cost_of_opposite", "decided_by", "plan_id")
    columns |= {name: document["decisions"][name].__getitem__ for name in decided}
    writer.writerow(["slot_start", *columns])
    for slot, start in enumerate(view.window.timeline):
        writer.writerow(
            [
                start.astimezone(view.numbers.zone).isoformat(),
                *(_cell(value_of(slot)) for value_of in columns.values()),
            ]
        )
    return text.getvalue()


def _read_planned(view: HomeView, part: int, slot: int) -> Any:
    planned = _find_planned(view, slot) if slot >= view.window.past else None
    return None if planned is None else planned[part]


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float):
        return round(float(value), 5)
    # Spreadsheets run a text that begins like a formula (CSV injection).
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" else value


def _mark(figure: str, *, estimated: bool) -> str:
    return f"≈\u00a0{figure}" if estimated else figure


def _any(view: HomeView, name: str) -> bool:
    return any(
        bool((np.nan_to_num(view.document[part][name]) > 0).any())
        for part in ("measured", "planned")
        if name in view.document[part]
    )
