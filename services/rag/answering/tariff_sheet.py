"""Reads the prices of a tariff sheet: of a kWh, of one at night with its hours, and the base price.

A part that the sheet lacks, or names twice, is a fault with a reason: nothing is guessed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from services.rag.answering.claims.items import ClaimedQuantity
from services.rag.answering.claims.segments import read_segment, read_segments
from services.rag.answering.claims.tables import TableRow, list_tables
from services.rag.answering.evidence import AnswerEvidence
from services.rag.answering.sentences import is_row

SheetFault = Literal[
    "sheet_market",
    "sheet_net",
    "sheet_no_energy",
    "sheet_no_base",
    "sheet_no_hours",
    "sheet_several",
]
SheetPart = Literal["energy", "night", "base"]
PARTS: tuple[SheetPart, ...] = ("energy", "night", "base")
MONEY = {"eur": "EUR", "gbp": "GBP", "chf": "CHF"}
_DAY_MINUTES = 1440.0


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_MARKET = _words(
    r"börsenpreis|spotpreis|spotmarkt|spot price|day-ahead|beursprijs|"
    r"dynamisch\w* (?:tarif|tarief|preis|prijs)|dynamic tariff"
)
_NET = _words(
    r"\bnetto\w*|zzgl\.|zuzüglich|excl\. (?:btw|vat)|exclusief btw|excluding vat|plus vat|"
    r"ohne (?:mehrwertsteuer|umsatzsteuer|mwst)|ohne \d+ ?% (?:umsatzsteuer|mwst)"
)
_SOLD = _words(r"einspeis|vergüt|feed-in|\bexport|teruglever|surplus|überschuss|gutschrift|credit")
_NIGHT = _words(
    r"nacht|\bnight|\bdal(?:tarief|prijs|uren)?\b|off-peak|niedertarif|nebentarif|schwachlast"
)
_ENERGY = _words(
    r"arbeitspreis|verbrauchspreis|energiepreis|strompreis|tagpreis|tagtarif|hochtarif|"
    r"unit rate|unit price|energy price|energy rate|day (?:rate|price)|stroomtarief|"
    r"stroomprijs|normaaltarief|leveringstarief|dagtarief|verbruiksprijs"
)
_BASE = _words(
    r"grundpreis|grundgebühr|grundbetrag|basispreis|standing charge|base (?:price|fee|charge)|"
    r"monthly fee|vastrecht|vaste (?:kosten|leveringskosten)"
)
_PART_OF_PRICE = _words(
    r"davon|darin|enthalten|netzentgelt|umlage|abgabe|konzession|stromsteuer|beschaffung|"
    r"of which|levy|levies|grid fee|network charge|waarvan|belasting|aufschlag|markup|opslag"
)
_MONTHLY = _words(r"monat|month|maand")
_YEARLY = _words(r"jahr|year|jaar|annual|annum")
_OTHER_DAYS = _words(r"weekend|wochenende|werktag|werkdag|weekday|working day|samstag|sonntag")
_HOUR = r"(\d{{1,2}})(?:[:.](\d{{2}}))?\s?({0})?"
_CLOCKS = _words(
    _HOUR.format(r"uhr|uur|h|am|pm")
    + r"\s?(?:-|–|bis|to|tot|until|till|and|und|en)\s?"
    + _HOUR.format(r"uhr|uur|h|am|pm")
)


@dataclass(frozen=True, slots=True)
class SheetPrice:
    """A price of a sheet, with the words and the source (by number, from 1) that name it.

    Attributes:
        is_named: whether the words say what it is the price of.
        label: of its row, where the table has a row for each product.
    """

    part: SheetPart
    value: float
    currency: str
    text: str
    number: int
    is_named: bool
    is_daily: bool = False
    label: str | None = None


@dataclass(frozen=True, slots=True)
class TariffSheet:
    """The prices of a tariff sheet; ``arguments`` of the tool that counts with them."""

    prices: tuple[SheetPrice, ...]
    arguments: dict[str, Any]

    @property
    def numbers(self) -> list[int]:
        """Return the numbers of the sources that name them."""
        return sorted({price.number for price in self.prices})


def has_energy_price(texts: Sequence[str]) -> bool:
    """Return whether any text has a price of bought energy."""
    for text in texts:
        for quantity in read_segment(text).quantities:
            if _is_per_energy(quantity) and not _SOLD.search(text):
                return True
    return False


def read_sheet(question: str, evidence: AnswerEvidence) -> TariffSheet | SheetFault:
    """Return the prices of the one document that the evidence is from, or what it lacks."""
    whole = "\n".join(source.text for source in evidence.sources)
    if _MARKET.search(whole):
        return "sheet_market"
    if _NET.search(whole):
        return "sheet_net"
    prices = [price for price in _list_prices(evidence) if evidence.is_claimed(*_claim(price))]
    chosen = _choose_prices(_choose_product(question, evidence, prices))
    return "sheet_several" if chosen is None else _complete(chosen, evidence)


def _choose_prices(prices: Sequence[SheetPrice]) -> dict[SheetPart, SheetPrice] | None:
    """Return a price for each part that has one; None where a part has several."""
    chosen: dict[SheetPart, SheetPrice] = {}
    for part in PARTS:
        found = [price for price in prices if price.part == part]
        named = [price for price in found if price.is_named] or found
        if len({(price.value, price.is_daily) for price in named}) > 1:
            return None
        if named:
            chosen[part] = named[0]
    currencies = {price.currency for price in chosen.values()}
    return chosen if len(currencies) <= 1 else None


def _complete(
    chosen: dict[SheetPart, SheetPrice], evidence: AnswerEvidence
) -> TariffSheet | SheetFault:
    """Return the sheet with its night's hours, or what it lacks."""
    if "energy" not in chosen:
        return "sheet_no_energy"
    if "base" not in chosen:
        return "sheet_no_base"
    base = chosen["base"]
    arguments: dict[str, Any] = {
        "energy_price": chosen["energy"].value,
        "base_price": base.value,
        "base_per": "day" if base.is_daily else "month",
        "currency": base.currency,
    }
    night = chosen.get("night")
    if night is not None and night.value != chosen["energy"].value:
        hours = _find_night_hours(evidence)
        if hours is None:
            return "sheet_no_hours"
        arguments |= {"night_price": night.value, "night_from": hours[0], "night_to": hours[1]}
    return TariffSheet(tuple(chosen.values()), arguments)


def _claim(price: SheetPrice) -> tuple[str, list[int]]:
    return price.text, [price.number]


def _list_prices(evidence: AnswerEvidence) -> Iterator[SheetPrice]:
    for number, source in enumerate(evidence.sources, start=1):
        for sentence in source.sentences:
            if is_row(sentence):
                continue
            for clause, words in _split_clauses(sentence):
                for quantity in clause:
                    price = _read_price(quantity, words, sentence, number)
                    if price is not None:
                        yield price
        for rows in list_tables(source.sentences):
            yield from _list_cell_prices(rows, number)


def _split_clauses(sentence: str) -> Iterator[tuple[tuple[ClaimedQuantity, ...], str]]:
    """Yield the quantities of each clause with its words, as far as a clause has both."""
    for segment in read_segments(sentence):
        words = " ".join(word.text for word in segment.words)
        yield segment.quantities, words


def _list_cell_prices(rows: Sequence[TableRow], number: int) -> Iterator[SheetPrice]:
    for row in rows:
        for cell in row.cells:
            says = f"{row.label}: {cell.value}"
            words = row.label
            if len(row.cells) > 1 and cell.title:
                says = f"{row.label}, {cell.title}: {cell.value}"
                words = f"{cell.title} {row.label}"
            for quantity in read_segment(cell.value).quantities:
                price = _read_price(quantity, f"{words} {cell.value}", says, number)
                if price is None:
                    continue
                # A column names the price, and the row the product.
                is_product = bool(_ENERGY.search(cell.title) or _BASE.search(cell.title))
                is_product = is_product or bool(_NIGHT.search(cell.title))
                label = row.label if is_product and len(row.cells) > 1 else None
                yield replace(price, label=label)


def _read_price(quantity: ClaimedQuantity, words: str, text: str, number: int) -> SheetPrice | None:
    """Return what a quantity is the price of; None where it is no price of bought energy."""
    # The price before a change, and a bound, are none.
    is_old = quantity.role in ("from", "before") and len(read_segment(text).quantities) > 1
    if quantity.dimension not in MONEY or len(quantity.readings) != 1 or is_old or quantity.bound:
        return None
    if _SOLD.search(words) or _PART_OF_PRICE.search(words):
        return None
    value = next(iter(quantity.readings))
    currency = MONEY[quantity.dimension]
    if _is_per_energy(quantity):
        is_night = bool(_NIGHT.search(words))
        part: SheetPart = "night" if is_night else "energy"
        is_named = is_night or bool(_ENERGY.search(words))
        return SheetPrice(part, value, currency, text, number, is_named=is_named)
    share = _find_share(quantity, words) if _BASE.search(words) else None
    if share is None:
        return None
    is_daily = quantity.per is not None and quantity.per.dimension == "time"
    return SheetPrice(
        "base", value * share, currency, text, number, is_named=True, is_daily=is_daily
    )


def _find_share(quantity: ClaimedQuantity, words: str) -> float | None:
    """Return what share of a base price is due each month, or day; None where none is named."""
    per = quantity.per
    if per is not None and per.dimension == "months":
        return 1 / per.factor
    if per is not None:
        is_day = (per.dimension, per.factor) == ("time", _DAY_MINUTES)
        return 1.0 if is_day else None
    if _MONTHLY.search(words):
        return 1.0
    return 1 / 12 if _YEARLY.search(words) else None


def _is_per_energy(quantity: ClaimedQuantity) -> bool:
    per = quantity.per
    is_money = quantity.dimension in MONEY
    return is_money and per is not None and (per.dimension, per.factor) == ("energy", 1)


def _choose_product(
    question: str, evidence: AnswerEvidence, prices: Sequence[SheetPrice]
) -> list[SheetPrice]:
    """Return the prices of the product that question or title names, and of no row."""
    labels = {price.label for price in prices if price.label is not None}
    if len(labels) < 2:
        return list(prices)
    titles = " ".join({source.passage.title for source in evidence.sources})
    for text in (question, titles):
        asked = frozenset(re.findall(r"\w+", text.lower()))
        hits = [label for label in labels if set(re.findall(r"\w+", label.lower())) <= asked]
        if len(hits) == 1:
            return [price for price in prices if price.label in (None, hits[0])]
    return list(prices)


def _find_night_hours(evidence: AnswerEvidence) -> tuple[str, str] | None:
    """Return the night's begin and end; None where they are missing, differ, or differ by day."""
    hours: set[tuple[str, str]] = set()
    for source in evidence.sources:
        for sentence in source.sentences:
            parts = sentence.split("|") if is_row(sentence) else [sentence]
            for part in parts:
                match = _CLOCKS.search(part) if _NIGHT.search(part) else None
                if match is None:
                    continue
                if _OTHER_DAYS.search(part):
                    return None
                begin = _write_clock(match[1], match[2], match[3] or match[6])
                end = _write_clock(match[4], match[5], match[6])
                if begin is None or end is None:
                    return None
                hours.add((begin, end))
    return hours.pop() if len(hours) == 1 else None


def _write_clock(hour: str, minute: str | None, half: str | None) -> str | None:
    hours = int(hour)
    minutes = int(minute or 0)
    is_afternoon = (half or "").lower() == "pm"
    if is_afternoon and hours < 12:
        hours += 12
    if (half or "").lower() == "am" and hours == 12:
        hours = 0
    if hours == 24 and minutes == 0:
        hours = 0
    if hours > 23 or minutes % 15:
        return None
    return f"{hours:02d}:{minutes:02d}"
