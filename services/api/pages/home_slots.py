"""Details of a slot (reason, prices, alternatives) and the chart's values as a table and as CSV."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np

from luna.energy.devices import SWITCHED_KINDS
from luna.energy.proposed_runs import ProposedRun
from luna.energy.site import SUBMETERED
from luna.energy.timeline import SLOT, local_midnight
from luna.house.site_day import find_slot
from luna.words import mode
from luna.words.numbers import HALF_CENT
from luna.words.price_rank import format_price_rank
from luna.words.quality import say_series
from luna.words.reason_sentences import limit
from services.api.pages.home_view import COLOURS, GLYPHS, HomeView
from services.api.timeline.measured import power_column

# Modes offered for an override, in this order.
OFFERED = ("self_consumption", "supply", "hold", "charge", "export")
MOST_OFFERED = 4
# Default length of an override: a run may last for days, but an owner means the next hours.
LONGEST_USUAL = timedelta(hours=4)
# Power columns with the key of their heading.
_HOUSE = {"load_kw": "flow_house", "pv_kw": "flow_solar", "curtailed_kw": "held"}
# Power columns of devices: switched loads as measured, then as planned; then other submeters.
_DEVICES = (
    *(power_column(series) for kind in SWITCHED_KINDS for series in kind.submetered),
    *(column for kind in SWITCHED_KINDS for column in kind.plan.flows.values()),
    *(power_column(series) for series in SUBMETERED),
)
# Without repetitions.
POWERS = tuple(dict.fromkeys((*_HOUSE, *_DEVICES)))


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
    worth: str
    rows: list[tuple[str, str]]
    others: list[tuple[str, str]]
    ends: list[End]


def view_sheet(view: HomeView, slot: int, *, low_part: str = "") -> Sheet | None:
    """Return the details of a slot, None without a decision.

    ``low_part``: which part of the price alone makes it low, in words.
    """
    run = view.run_at(slot)
    if run is None:
        return None
    language = view.numbers.language
    other_modes: list[tuple[str, str]] = []
    ends: list[End] = []
    if slot >= view.window.past:
        names = [name for name in OFFERED if name != run.mode][:MOST_OFFERED]
        other_modes = [(name, mode(name, language=language).full) for name in names]
        ends = _list_ends(view, run)
    return Sheet(
        slot=slot,
        time=view.say_time(slot),
        part_of=view.words("part_of", span=view.say_span(run.first, run.end)),
        colour=COLOURS[run.mode],
        glyph=GLYPHS[run.mode],
        action=mode(run.mode, language=language).full,
        reason=view.say_run(slot),
        worth=_say_worth(view, slot),
        rows=list(_list_sheet_rows(view, slot, low_part)),
        others=other_modes,
        ends=ends,
    )


def _list_ends(view: HomeView, run: ProposedRun) -> list[End]:
    """Return the possible ends of an override, the default first.

    The default is the run's end, at most LONGEST_USUAL from now; the others are in one, two and
    four hours, and at midnight.
    """
    running = view.window.running
    zone = view.numbers.zone
    tomorrow = view.window.now.astimezone(zone).date() + timedelta(days=1)
    longest = running + LONGEST_USUAL
    usual = min(view.instant(run.end), longest)
    others = {
        longest,
        local_midnight(tomorrow, zone),
        running + timedelta(hours=1) + SLOT,
        running + timedelta(hours=2) + SLOT,
    }
    instants = [usual, *sorted(others - {usual})]
    return [End(instant.isoformat(), view.say_instant(instant)) for instant in instants]


def _say_worth(view: HomeView, slot: int) -> str:
    """Return the values of stored energy later and now in words; "" if unknown.

    Now it saves a purchase, or is sold.
    """
    decisions = view.document["decisions"]
    is_sold = decisions["mode"][slot] == "export"
    value = decisions["energy_value"][slot]
    price_now = float(view.document["prices"]["export" if is_sold else "import"][slot])
    if value is None or not np.isfinite(price_now):
        return ""
    if slot < view.window.past:
        phrase = "worth_then_sold" if is_sold else "worth_then"
    else:
        phrase = "worth_later_sold" if is_sold else "worth_later"
    price = view.numbers.price
    return view.words(phrase, value=price(value), now=price(price_now))


def _list_sheet_rows(view: HomeView, slot: int, low_part: str) -> Iterator[tuple[str, str]]:
    decisions = view.document["decisions"]
    numbers = view.numbers
    words = view.words
    sell = float(view.document["prices"]["export"][slot])
    buy = float(view.document["prices"]["import"][slot])
    if np.isfinite([sell, buy]).all():
        yield words("price"), words("prices", sell=numbers.price(sell), buy=numbers.price(buy))
    if low_part:
        yield words("low_part_title"), low_part
    opposite_cost = decisions["cost_of_opposite"][slot]
    if slot < view.window.past:
        soc = float(view.document["measured"]["soc"][slot])
        result = words("unknown")
        if np.isfinite(soc):
            result = words("result_soc", soc=numbers.share(soc))
        yield words("result"), result
    else:
        if opposite_cost is not None:
            if opposite_cost < HALF_CENT:
                difference = words("opposite_same")
            else:
                difference = words("opposite_more", x=numbers.money(opposite_cost))
            yield words("opposite"), difference
        yield from _list_battery_rows(view, slot)
    rank = decisions["price_rank"][slot]
    if rank is not None:
        count = decisions["price_count"][slot]
        from_dearest = count + 1 - rank
        place = format_price_rank(rank, from_dearest, count=count, language=numbers.language)
        yield words("rank"), place
    yield words("binding"), ", ".join(_list_limits(view, slot)) or words("none")
    yield words("decided_by"), words("by_" + (decisions["decided_by"][slot] or "nobody"))


def _list_limits(view: HomeView, slot: int) -> Iterator[str]:
    """Yield the limits at work, the reserve with its level."""
    reserve = limit("reserve", language=view.numbers.language)
    for text in view.document["decisions"]["binding"][slot] or []:
        if text == reserve:
            soc = view.numbers.share(float(view.document["reserve_soc"][slot]))
            yield view.words("binding_reserve", soc=soc)
        else:
            yield text


def _list_battery_rows(view: HomeView, slot: int) -> Iterator[tuple[str, str]]:
    """Yield the planned mode, power and final state of charge of each of several batteries."""
    for battery in _several_batteries(view):
        planned = _find_planned(battery, slot)
        if planned is not None:
            power_kw, soc, mode_name = planned
            parts = [
                mode(mode_name, language=view.numbers.language).full,
                view.numbers.power(power_kw, signed=True),
                view.numbers.share(soc),
            ]
            yield battery.battery_name, " · ".join(parts)


def _several_batteries(view: HomeView) -> Sequence[HomeView]:
    """Return the views of the single batteries; none if the home has only one."""
    return view.batteries if len(view.batteries) > 1 else ()


def _find_planned(view: HomeView, slot: int) -> tuple[float, float, str] | None:
    """Return a battery's planned power in kW, final state of charge, and mode in a slot.

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
    if slot is None:
        return view.selected
    return max(0, min(slot, view.window.timeline.count - 1))


def headings(view: HomeView) -> list[str]:
    """Return the headings of the table."""
    words = view.words
    names = [words(key) for key in ("table_time", "table_state", "table_mode", "buy", "sell")]
    for column in _list_power_columns(view):
        if column in _HOUSE:
            names.append(words(_HOUSE[column]))
        else:
            names.append(say_series(f"{column}h", language=view.numbers.language))
    batteries = _several_batteries(view)
    for battery in batteries:
        names.append(battery.battery_name)
        names.append(words("fact_stored_each", name=battery.battery_name))
    names.append(words("flow_batteries" if batteries else "flow_battery"))
    names.append(words("flow_grid"))
    names.append(words("soc_together" if batteries else "soc"))
    last_keys = ("target", "reserve", "energy_value", "decided_by", "table_why")
    return names + [words(key) for key in last_keys]


def list_rows(view: HomeView) -> Iterator[list[str]]:
    """Yield the cells of each slot in the order of ``headings``; every time has its weekday."""
    columns = _list_power_columns(view)
    for slot in range(view.window.timeline.count):
        yield _list_cells(view, slot, columns)


def _list_cells(view: HomeView, slot: int, columns: Sequence[str]) -> list[str]:
    numbers = view.numbers
    document = view.document
    decisions = document["decisions"]
    prices = document["prices"]
    is_past = slot < view.window.past
    estimated = document["estimated"][slot] or ()
    flows = document["measured" if is_past else "planned"]
    start = view.instant(slot)
    mode_name = decisions["mode"][slot]
    cells = [
        f"{numbers.weekday(start)} {numbers.clock(start)}",
        view.words(_find_state(view, slot)),
        mode(mode_name, language=numbers.language).full if mode_name else "–",
        numbers.price(float(prices["import"][slot]), decimals=1),
        numbers.price(float(prices["export"][slot]), decimals=1),
    ]
    for column in columns:
        series = flows.get(column)
        power = numbers.power(None if series is None else float(series[slot]))
        cells.append(_mark(power, estimated=column in estimated))
    for battery in _several_batteries(view):
        cells += _say_battery(battery, slot)
    for positive, negative in (("charge_kw", "discharge_kw"), ("import_kw", "export_kw")):
        net_kw = float(flows[positive][slot] - flows[negative][slot])
        is_estimated = positive in estimated or negative in estimated
        cells.append(_mark(numbers.power(net_kw, signed=True), estimated=is_estimated))
    soc_is_assumed = not is_past and view.soc_ahead_assumed
    cells.append(_mark(numbers.share(float(flows["soc"][slot])), estimated=soc_is_assumed))
    return [
        *cells,
        numbers.share(float(document["planned"]["target_soc"][slot])),
        numbers.share(float(document["reserve_soc"][slot])),
        numbers.price(decisions["energy_value"][slot], decimals=1),
        view.words("by_" + (decisions["decided_by"][slot] or "nobody")),
        decisions["text"][slot] or "–",
    ]


def _find_state(view: HomeView, slot: int) -> str:
    """Return the word for where a slot's values come from."""
    document = view.document
    is_past = slot < view.window.past
    if is_past and np.isnan(document["measured"]["load_kw"][slot]):
        return "unknown"
    if document["estimated"][slot]:
        return "estimated"
    return "measured" if is_past else "planned"


def _say_battery(view: HomeView, slot: int) -> tuple[str, str]:
    """Return planned power and state of charge of one battery.

    Measured values exist only of all batteries together.
    """
    planned = _find_planned(view, slot) if slot >= view.window.past else None
    if planned is None:
        return "–", "–"
    return view.numbers.power(planned[0], signed=True), view.numbers.share(planned[1])


def write_csv(view: HomeView) -> str:
    """Return the timeline as CSV, a row per slot.

    Column names carry the unit, instants the site's offset, unknown cells are empty.
    """
    columns = _list_csv_columns(view)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["slot_start", *columns])
    for slot, start in enumerate(view.window.timeline):
        cells = [_cell(value_of(slot)) for value_of in columns.values()]
        writer.writerow([start.astimezone(view.numbers.zone).isoformat(), *cells])
    return text.getvalue()


def _list_csv_columns(view: HomeView) -> dict[str, Callable[[int], Any]]:
    """Return the columns of the CSV by name, each as a function of the slot."""
    document = view.document
    prices = document["prices"]
    plan = document["plan"]

    def price_is_known(slot: int) -> int:
        return int(slot < prices["known_slots"])

    def soc_is_assumed(slot: int) -> int:
        return int(slot >= document["past_slots"] and bool(plan) and plan["soc_assumed"])

    def list_estimated(slot: int) -> str | None:
        return " ".join(document["estimated"][slot] or ()) or None

    columns: dict[str, Callable[[int], Any]] = {
        "import_price": prices["import"].__getitem__,
        "export_price": prices["export"].__getitem__,
        "price_known": price_is_known,
    }
    for part in ("measured", "planned"):
        for name, values in document[part].items():
            columns[f"{part}_{name}"] = values.__getitem__
    for battery in _several_batteries(view):
        columns[f"planned_power_kw:{battery.battery}"] = partial(_read_planned, battery, 0)
        columns[f"planned_soc:{battery.battery}"] = partial(_read_planned, battery, 1)
    columns["soc_assumed"] = soc_is_assumed
    columns["estimated"] = list_estimated
    columns |= {name: values.__getitem__ for name, values in document["bands"].items()}
    columns["reserve_soc"] = document["reserve_soc"].__getitem__
    columns["soc_without_luna"] = document["ghosts"]["without_luna"]["soc"].__getitem__
    for name in ("mode", "code", "text", "energy_value", "cost_of_opposite", "decided_by"):
        columns[name] = document["decisions"][name].__getitem__
    columns["plan_id"] = document["decisions"]["plan_id"].__getitem__
    return columns


def _read_planned(view: HomeView, part: int, slot: int) -> Any:
    planned = _find_planned(view, slot) if slot >= view.window.past else None
    return None if planned is None else planned[part]


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float):
        return round(float(value), 5)
    if isinstance(value, str) and value[:1] in "=+-@":
        # Spreadsheets run a text that begins like a formula (CSV injection).
        return f"'{value}"
    return value


def _mark(figure: str, *, estimated: bool) -> str:
    return f"≈\u00a0{figure}" if estimated else figure


def _list_power_columns(view: HomeView) -> list[str]:
    """Return the power columns with a value above zero."""
    measured = view.document["measured"]
    planned = view.document["planned"]
    return [
        column for column in POWERS if _has_power(measured, column) or _has_power(planned, column)
    ]


def _has_power(flows: Mapping[str, Any], column: str) -> bool:
    return column in flows and bool((np.nan_to_num(flows[column]) > 0).any())
