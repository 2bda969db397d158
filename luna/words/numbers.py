"""Localised numbers, money, units, days and clock times.

They have a true minus, a no-break space before units, and never "−0".
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from luna.energy.zone_country import find_country
from luna.words.language import Language, LanguageForms, language_forms

NBSP = "\u00a0"
# Less money is shown as none, in currency.
HALF_CENT = 0.005
MINUS = "\u2212"
EN_DASH = UNKNOWN = "\u2013"

# Sign and hundredth of a currency. Source: Unicode CLDR 48, narrow symbols; the names of hundredths
# are those on bills. A home has one currency, so every dollar is written as at home.
_CURRENCIES = {
    "EUR": ("€", "ct"),
    "CHF": ("CHF", "Rp."),
    "GBP": ("£", "p"),
    "USD": ("$", "¢"),
    "AUD": ("$", "c"),
    "CAD": ("$", "¢"),
    "NZD": ("$", "c"),
    "ZAR": ("R", "c"),
    "SEK": ("kr", "öre"),
    "NOK": ("kr", "øre"),
    "DKK": ("kr.", "øre"),
    "PLN": ("zł", "gr"),
    "CZK": ("Kč", "h"),
}
# Currencies without a minor unit. Source: ISO 4217, minor unit 0.
_WITHOUT_HUNDREDTHS = frozenset({"JPY", "KRW", "ISK", "CLP", "VND", "UGX", "XAF", "XOF"})

# Fields of a date in digits, in the notation of the Unicode CLDR.
_PARTS_OF_DATE = re.compile("dd?|MM?|y")
_DECIMAL = re.compile(r"[+-]?\d+\.\d+")

# Countries whose weather is told in degrees Fahrenheit.
_IN_FAHRENHEIT = frozenset({"US"})
FAHRENHEIT_PER_CELSIUS = 1.8
FREEZING_F = 32.0

# Below these an energy is shown in watt-hours, or as less than one.
_LITTLE_KWH = 0.095
_LEAST_KWH = 0.0005


@dataclass(frozen=True, slots=True)
class Numbers:
    """The formats of one reader: language, site's time zone, site's currency.

    Invariants: no result holds an ASCII minus or an ordinary space before a unit; unknown values
    (None, NaN) are "–".

    Raises:
        InvalidInputError: the catalogue lacks the language.
    """

    language: Language
    zone: ZoneInfo
    currency: str
    _forms: LanguageForms = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_forms", language_forms(self.language))

    def number(self, value: float | None, decimals: int = 0, *, signed: bool = False) -> str:
        """Return a number with grouped thousands; ``signed`` puts a plus before gains."""
        if value is None or not math.isfinite(value):
            return UNKNOWN
        digits = f"{_round_half_up(abs(value), decimals):,.{decimals}f}"
        # No zero has a sign.
        sign = ""
        if digits.strip("0.,"):
            if value < 0:
                sign = MINUS
            elif signed:
                sign = "+"
        marks = self._forms.digits
        return sign + (digits if marks is None else digits.translate(marks))

    def money(self, value: float | None, *, signed: bool = False) -> str:
        """Return an amount: "€2.60", "2,60 €"."""
        text = self.number(value, self.money_decimals, signed=signed)
        if text == UNKNOWN:
            return text
        symbol = self.currency_sign
        sign, digits = (text[0], text[1:]) if text[0] in (MINUS, "+") else ("", text)
        form = "money-in-letters" if len(symbol) > 1 and symbol.isalpha() else "money"
        return self._forms.say(form, sign=sign, currency=symbol, digits=digits)

    @property
    def money_decimals(self) -> int:
        """Decimals of an amount: two, none where the currency has no hundredths."""
        return 0 if self.currency in _WITHOUT_HUNDREDTHS else 2

    def amounts(self, values: Sequence[float], total: float | None) -> list[str]:
        """Return amounts that add up to their total as it is shown, to the cent."""
        whole = math.fsum(values) if total is None else total
        rounded = round_to_total(values, whole, decimals=self.money_decimals)
        return [self.money(value) for value in rounded]

    @property
    def currency_sign(self) -> str:
        """The currency's symbol: "€"."""
        return _CURRENCIES.get(self.currency, (self.currency, ""))[0]

    def price(self, value: float | None, *, decimals: int = 0) -> str:
        """Return a price per kWh as a sentence names it: "27 ct"."""
        scale, unit = _price_unit(self.currency)
        scaled = None if value is None else value * scale
        text = self.number(scaled, decimals + _price_decimals(self.currency))
        return text if text == UNKNOWN else f"{text}{NBSP}{unit}"

    def price_range(self, low: float, high: float, *, decimals: int = 0) -> str:
        """Return a range of prices per kWh: "14–16 ct", "−4 to 2 ct".

        One price where both read the same.
        """
        lowest = self.price(low, decimals=decimals)
        highest = self.price(high, decimals=decimals)
        if lowest == highest:
            return lowest
        without_unit, _, _ = lowest.partition(NBSP)
        if low >= 0:
            return f"{without_unit}{EN_DASH}{highest}"
        return self._forms.say("range", low=without_unit, high=highest)

    def price_per_kwh(self, value: float | None) -> str:
        """Return a price as a table names it: "26.5 ct/kWh"."""
        text = self.price(value, decimals=1)
        return text if text == UNKNOWN else f"{text}/kWh"

    @property
    def price_unit(self) -> tuple[int, str]:
        """The factor from a price to its shown unit, and the unit's name."""
        return _price_unit(self.currency)

    @property
    def price_decimals(self) -> int:
        """Decimals of a price shown to the hundredth.

        They are two where the currency's hundredth has no name here.
        """
        return _price_decimals(self.currency)

    def energy(self, value_kwh: float | None) -> str:
        """Return an energy: "6.2 kWh"."""
        text = self.number(value_kwh, 1)
        return _write(self._forms.energy, text)

    def amount(self, value_kwh: float) -> str:
        """Return an energy as a sentence names it: "6.2 kWh", "40 Wh", "under 1 Wh"."""
        if not 0.0 < value_kwh < _LITTLE_KWH:
            return self.energy(value_kwh)
        forms = self._forms
        if value_kwh < _LEAST_KWH:
            return forms.say("less-energy", amount=forms.little_energy.format(number="1"))
        return forms.little_energy.format(number=self.number(value_kwh * 1000))

    def power(self, value_kw: float | None, *, decimals: int = 1, signed: bool = False) -> str:
        """Return a power: "−5.0 kW"; ``signed`` puts a plus before gains."""
        text = self.number(value_kw, decimals, signed=signed)
        return _write(self._forms.power, text)

    def hours(self, value_hours: float | None) -> str:
        """Return a duration: "8 h", "1.5 h", by the quarter-hour "1.25 h"."""
        decimals_by_quarter = {0.0: 0, 0.25: 2, 0.75: 2}
        decimals = 1 if value_hours is None else decimals_by_quarter.get(value_hours % 1, 1)
        text = self.number(value_hours, decimals)
        return _write(self._forms.hours, text)

    def temperature(self, value_c: float | None) -> str:
        """Return a temperature: "3.2 °C", in the United States "37.8 °F"."""
        return self._write_degrees(value_c, zero_f=FREEZING_F)

    def temperature_difference(self, value_c: float | None) -> str:
        """Return a difference of temperatures: "3.2 °C", in the United States "5.8 °F"."""
        return self._write_degrees(value_c, zero_f=0.0)

    def _write_degrees(self, value_c: float | None, *, zero_f: float) -> str:
        """Return degrees in the unit of the home's country; ``zero_f`` is what 0 °C are there."""
        if find_country(self.zone.key) not in _IN_FAHRENHEIT:
            return _write(self._forms.temperature, self.number(value_c, 1))
        value_f = None if value_c is None else value_c * FAHRENHEIT_PER_CELSIUS + zero_f
        return _write(self._forms.fahrenheit, self.number(value_f, 1))

    def share(self, fraction: float | None, decimals: int = 0) -> str:
        """Return a share: "72%", "72 %"."""
        text = self.number(None if fraction is None else fraction * 100, decimals)
        return _write(self._forms.share, text)

    def clock(self, instant: datetime) -> str:
        """Return the site's clock time.

        In the hour repeated in autumn with the time zone's abbreviation.
        """
        # In UTC: local times of the repeated hour compare equal, so the cache would mix them up.
        return _read_clock(instant.astimezone(UTC), self.zone)

    def weekday(self, instant: datetime) -> str:
        """Return the local weekday: "Thu", "Do."."""
        return self._forms.weekdays[instant.astimezone(self.zone).weekday()]

    def weekdays(self, days: Sequence[int]) -> str:
        """Return weekdays (0: Monday), in order: ``Mon–Fri``, ``Mon, Wed``."""
        names = self._forms.weekdays
        runs: list[list[int]] = []
        for day in days:
            if runs and runs[-1][-1] == day - 1:
                runs[-1].append(day)
            else:
                runs.append([day])
        spans = []
        for run in runs:
            if len(run) > 2:
                spans.append(f"{names[run[0]]}–{names[run[-1]]}")
            else:
                spans += [names[day] for day in run]
        return ", ".join(spans)

    def day(self, instant: datetime) -> str:
        """Return the local day: "Thu 21 May", "Do., 21. Mai"."""
        local = instant.astimezone(self.zone)
        forms = self._forms
        return forms.say(
            "day",
            weekday=forms.weekdays[local.weekday()],
            day=local.day,
            month=forms.months[local.month - 1],
        )

    def local_day(self, day: date) -> str:
        """Return a local day as ``day`` does."""
        return self.day(datetime.combine(day, time(12), self.zone))

    def moment(self, instant: datetime) -> str:
        """Return the local day and clock time: "Thu 21 May, 14:00"."""
        return f"{self.day(instant)}, {self.clock(instant)}"

    def day_with_year(self, instant: datetime) -> str:
        """Return the local day with its year: "21 May 2026", "21. Mai 2026"."""
        return say_day(instant.astimezone(self.zone), self.language)

    def moment_with_year(self, instant: datetime) -> str:
        """Return the local day with its year, and the clock time: "21 May 2026, 14:00"."""
        return f"{self.day_with_year(instant)}, {self.clock(instant)}"


def _round_half_up(magnitude: float, decimals: int) -> float:
    """Round as the page's charts do: half a digit counts as a whole one, 32.5 is 33."""
    if magnitude * 10**decimals % 1.0 != 0.5:
        return magnitude
    digit = Decimal(1).scaleb(-decimals)
    return float(Decimal(magnitude).quantize(digit, rounding=ROUND_HALF_UP))


def _write(form: str, number: str) -> str:
    """Return a number in the form of its unit; an unknown one stays as it is."""
    return number if number == UNKNOWN else form.format(number=number)


@cache
def _price_unit(currency: str) -> tuple[int, str]:
    """Return the factor from a price to its shown unit, and the unit's name."""
    symbol, hundredth = _CURRENCIES.get(currency, (currency, ""))
    return (100, hundredth) if hundredth else (1, symbol)


@cache
def _price_decimals(currency: str) -> int:
    scale, _ = _price_unit(currency)
    return 2 if scale == 1 and currency not in _WITHOUT_HUNDREDTHS else 0


@cache
def price_scale(currency: str) -> int:
    """Return the factor from a price to units of its last shown digit."""
    return int(_price_unit(currency)[0] * 10 ** _price_decimals(currency))


def write_decimal(text: str, language: Language) -> str:
    """Localise a text that is a plain decimal: "90.25", "90,25".

    Return every other text unchanged.
    """
    return mark_decimals(text, language) if _DECIMAL.fullmatch(text) else text


def mark_decimals(text: str, language: Language) -> str:
    """Replace the decimal point of a number with the decimal mark of a language."""
    return text.replace(".", language_forms(language).decimal_mark)


def read_number(text: str) -> float | None:
    """Parse a typed number with comma or point; None for any other text."""
    plain = re.sub(r"[\s\u00a0']", "", text).replace("\u2212", "-")
    if "," in plain and "." in plain:
        thousands = "." if plain.rindex(",") > plain.rindex(".") else ","
        plain = plain.replace(thousands, "")
    plain = plain.replace(",", ".")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", plain):
        return None
    return float(plain)


def join_unit(number: str, unit: str, language: Language) -> str:
    """Return a number with its unit as the language joins them: "10 kWh", "72%", "72 %"."""
    if not unit:
        return number
    if unit == "%":
        return language_forms(language).share.format(number=number)
    return f"{number}{unit}" if unit == "°" else f"{number}{NBSP}{unit}"


def say_day(day: date, language: Language) -> str:
    """Return a day with its year: "21 May 2026", "21. Mai 2026"."""
    forms = language_forms(language)
    return forms.say("day-with-year", day=day.day, month=forms.months[day.month - 1], year=day.year)


def say_month(day: date, language: Language) -> str:
    """Return a day's month with its year: "May 2026", "Mai 2026"."""
    forms = language_forms(language)
    return forms.say("month-with-year", month=forms.months[day.month - 1], year=day.year)


def say_date(day: date, language: Language) -> str:
    """Return a day in digits: "2026-05-21", "21.5.2026"."""
    parts = {
        "y": f"{day.year}",
        "MM": f"{day:%m}",
        "M": f"{day.month}",
        "dd": f"{day:%d}",
        "d": f"{day.day}",
    }
    return _PARTS_OF_DATE.sub(lambda part: parts[part[0]], language_forms(language).texts["date"])


def round_to_total(values: Sequence[float], total: float, *, decimals: int) -> list[float]:
    """Return values rounded up or down so that they add up to their rounded total.

    Those that lose most by rounding down are rounded up.
    """
    factor = 10**decimals
    lower = [math.floor(value * factor) for value in values]
    lost = [value * factor - low for value, low in zip(values, lower, strict=True)]
    missing = max(round(round(total, decimals) * factor) - sum(lower), 0)
    most_lost = sorted(range(len(values)), key=lost.__getitem__, reverse=True)
    for place in most_lost[:missing]:
        lower[place] += 1
    return [whole / factor for whole in lower]


def join_words(words: Sequence[str], language: Language) -> str:
    """Return words as a list without commas: "a and b and c"."""
    first, *others = words
    for word in others:
        first = language_forms(language).say("and", first=first, last=word)
    return first


def say_instant(instant: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """Return an instant in a time zone: "2024-02-01 14:00 CET".

    The zone's abbreviation tells the repeated hour in autumn apart.
    """
    local = instant.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S %Z}" if seconds else f"{local:%Y-%m-%d %H:%M %Z}"


@lru_cache(maxsize=2_000)
def _read_clock(instant: datetime, zone: ZoneInfo) -> str:
    # Cached: plans of many sites name the same quarter-hours.
    local = instant.astimezone(zone)
    text = f"{local:%H:%M}"
    is_repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{text}{NBSP}{local.tzname()}" if is_repeated else text
