"""Each slot of a plan in words: for the live row, the sheet below the chart, and the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from luna.contracts import SlotReply
from luna.energy.site import Site
from luna.words import Numbers, mode
from luna.words.charts import GLYPHS, ModeRun, PlanView
from luna.words.phrases import read_texts
from luna.words.retelling import retell_limits, retell_reason
from luna.words.tariffs import say_buying, say_selling


@dataclass(frozen=True, slots=True)
class SlotWords:
    """A slot in words; every field is ready to be shown."""

    time: str
    part_of: str
    mode: str
    glyph: str
    buy: str
    sell: str
    load: str
    pv: str
    charging: str
    grid: str
    soc: str
    without: str
    why: str
    short: str
    worth: str
    opposite: str
    limits: str
    first: int
    end: int

    @property
    def title(self) -> str:
        """What is said when the slot is pointed at."""
        return f"{self.time} · {self.mode}: {self.short}"


def word_slots(view: PlanView, slots: Sequence[SlotReply]) -> list[SlotWords]:
    """Return every shown slot in words, of a plan's ``slots``."""
    return [_word_slot(view, run, index, slots[index]) for run in view.runs for index in range(run.first, run.end)]


def _word_slot(view: PlanView, run: ModeRun, index: int, slot: SlotReply) -> SlotWords:
    numbers, flows = view.numbers, view.flows
    reason = slot.reason
    fields, words = reason.model_dump(), read_texts("report", numbers.language)
    first, last = (numbers.clock(view.instant(edge)) for edge in (run.first, run.end))
    opposite = None if reason.cost_of_opposite is None else words["opposite_value"].format(cost=numbers.money(reason.cost_of_opposite))
    return SlotWords(
        time=f"{numbers.weekday(slot.start)} {numbers.clock(slot.start)}",
        part_of=words["part_of"].format(first=first, last=last),
        mode=mode(slot.mode, language=numbers.language).full,
        glyph=GLYPHS[slot.mode],
        buy=numbers.price(slot.import_price, decimals=1),
        sell=numbers.price(slot.export_price, decimals=1),
        load=numbers.power(flows.load[index]),
        pv=numbers.power(flows.pv[index]),
        charging=_signed(numbers, flows.charge[index] - flows.discharge[index]),
        grid=_signed(numbers, flows.import_[index] - flows.export[index]),
        soc=numbers.share(view.soc[index + 1] if view.soc.size else None),
        without=numbers.share(None if view.without_soc is None else view.without_soc[index + 1]),
        why=retell_reason(fields, slot.start, numbers),
        short=retell_reason(fields, slot.start, numbers, short=True),
        worth=numbers.price(reason.energy_value, decimals=1),
        opposite=opposite or numbers.money(None),
        limits=", ".join(retell_limits(reason.binding, numbers)) or words["none"],
        first=run.first,
        end=run.end,
    )


def _signed(numbers: Numbers, power_kw: float) -> str:
    # A battery that charges, a grid that supplies: plus. The sign says the direction, so it is always there.
    text = numbers.power(power_kw)
    return f"+{text}" if power_kw >= 0.05 else text


class DescribedSite(Protocol):
    """A site with what its household uses in a year, where that is known."""

    @property
    def site(self) -> Site:
        """The site."""

    @property
    def yearly_load_kwh(self) -> float | None:
        """What the household uses in a year."""


def describe_site(result: DescribedSite, numbers: Numbers) -> str:
    """Return "Household 4,000 kWh a year, 6 kWp solar, 10 kWh battery, hourly NL prices + 13 ct, selling at 7 ct."."""
    words, site = read_texts("report", numbers.language), result.site
    parts = []
    if result.yearly_load_kwh is not None:
        parts.append(words["household"].format(load=f"{numbers.number(result.yearly_load_kwh)}\u00a0kWh"))
    if site.pv:
        parts.append(words["solar"].format(peak=_short(site.peak_kw, numbers)))
    if site.batteries:
        capacity = sum(battery.capacity_kwh for battery in site.batteries)
        parts.append(words["battery"].format(capacity=f"{_short(capacity, numbers)}\u00a0kWh"))
    parts += [say_buying(site.tariff.import_, numbers), say_selling(site.tariff.export, numbers)]
    return ", ".join(parts) + "."


def _short(value: float, numbers: Numbers) -> str:
    return numbers.number(value, 0 if value == round(value) else 1)
