"""Why a slot is as it is: action, sentence, ruler, the opposite, limits, who decided, and what else could be done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from luna.energy.timeline import SLOT, local_midnight
from luna.words import mode
from services.api.pages.home_view import COLOURS, GLYPHS, HomeView

# In the order in which they are offered.
OFFERED = ("self_consumption", "supply", "hold", "charge", "export")
MOST_OFFERED = 4
RULER_FROM, RULER_SPAN = 8.0, 84.0
LABEL_LOW, LABEL_HIGH = 16.0, 84.0
# A run may last for days; who does something else means the next hours.
LONGEST_USUAL = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Pin:
    """A price on the ruler: where it stands in per cent of the width, and where its words do."""

    name: str
    price: str
    colour: str
    x: float
    text_x: float


@dataclass(frozen=True, slots=True)
class Ruler:
    """Sell price, buy price and the band in which a stored kWh is worth keeping, in per cent of the width."""

    value: str
    low: float
    high: float
    keep: str
    label: str
    sell: Pin
    buy: Pin


@dataclass(frozen=True, slots=True)
class End:
    """An instant until which an override may hold."""

    until: str
    label: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is said of one slot; ``others`` are the modes that could be chosen instead, none for slots that are over."""

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
    """Return what is said of a slot, None where no plan says anything of it."""
    run = view.run_at(slot)
    if run is None:
        return None
    numbers = view.numbers
    over = slot < view.window.past
    ruler = _view_ruler(view, slot)
    # Until when an override may hold: the end of the run or the longest usual one, then in one, two and four hours, and until midnight.
    running, zone = view.window.running, numbers.zone
    longest, midnight = running + LONGEST_USUAL, local_midnight(view.window.now.astimezone(zone).date() + timedelta(days=1), zone)
    usual = min(view.instant(run.end), longest)
    ends = {usual, longest, midnight, *(running + timedelta(hours=hours) + SLOT for hours in (1, 2))}
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
        [] if over else [(name, mode(name, language=numbers.language).full) for name in OFFERED if name != run.mode][:MOST_OFFERED],
        [] if over else [End(instant.isoformat(), view.say_instant(instant)) for instant in sorted(ends, key=lambda each: (each != usual, each))],
    )


def _view_ruler(view: HomeView, slot: int) -> Ruler | None:
    prices, decided, numbers = view.document["prices"], view.document["decisions"], view.numbers
    value, low, high = (decided[name][slot] for name in ("energy_value", "keep_from_price", "keep_to_price"))
    sell, buy = float(prices["export"][slot]), float(prices["import"][slot])
    if low is None or not np.isfinite([sell, buy]).all():
        return None
    bottom, top = min(low, sell, buy, 0.0), max(high, buy, sell) + 0.02

    def place(price: float) -> float:
        return round(float((price - bottom) / (top - bottom)) * RULER_SPAN + RULER_FROM, 1)

    def pin(name: str, price: float, colour: str) -> Pin:
        return Pin(view.words(name), numbers.price(price), colour, place(price), min(max(place(price), LABEL_LOW), LABEL_HIGH))

    return Ruler(
        numbers.price(value),
        place(low),
        place(high),
        view.words("keep_range", a=numbers.price(low), b=numbers.price(high)),
        view.words("ruler", sell=numbers.price(sell), buy=numbers.price(buy)),
        pin("sell", sell, "grid"),
        pin("buy", buy, "price"),
    )


def _tell_rows(view: HomeView, slot: int, *, has_ruler: bool) -> Iterator[tuple[str, str]]:
    decided, numbers, words = view.document["decisions"], view.numbers, view.words
    # A ruler shows the prices.
    sell, buy = (float(view.document["prices"][name][slot]) for name in ("export", "import"))
    if not has_ruler and np.isfinite([sell, buy]).all():
        yield words("price"), words("ruler", sell=numbers.price(sell), buy=numbers.price(buy))
    if slot < view.window.past:
        soc = float(view.document["measured"]["soc"][slot])
        yield words("result"), words("result_soc", soc=numbers.share(soc)) if np.isfinite(soc) else words("unknown")
    elif decided["cost_of_opposite"][slot] is not None:
        yield words("opposite"), words("opposite_more", x=numbers.money(max(decided["cost_of_opposite"][slot], 0.0)))
    if decided["price_rank"][slot] is not None:
        yield words("rank"), words("rank_of", rank=decided["price_rank"][slot], count=decided["price_count"][slot])
    yield words("binding"), ", ".join(decided["binding"][slot] or []) or words("none")
    yield words("decided_by"), words("by_" + (decided["decided_by"][slot] or "nobody"))


def choose_slot(view: HomeView, slot: int | None) -> int:
    """Return the slot that is asked for, within the timeline; usually the one chosen first."""
    return view.selected if slot is None else max(0, min(slot, view.window.timeline.count - 1))
