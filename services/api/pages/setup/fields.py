"""Form fields of set-up: types, bounds, defaults, and the validation of typed text. Pure."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args

from luna.energy.errors import InvalidInputError
from luna.energy.part import in_currency
from luna.energy.site.assumptions import USUAL_NIGHT
from luna.energy.site.household import HeatedBy
from luna.energy.tariffs.device_price import PricedDevices
from luna.energy.timeline import parse_zone
from luna.words.catalogue import CATALOGUE
from luna.words.numbers import read_number
from luna.words.pages import page_words

Answers = Mapping[str, str]
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
ON = "on"


class FieldFault(NamedTuple):
    """A validation error of a field; ``figures`` fill the page's phrase ``fault_<code>``.

    ``refusal``: the error of the whole site that is shown instead.
    """

    field: str
    code: str
    figures: Mapping[str, object] = MappingProxyType({})
    refusal: InvalidInputError | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of a form.

    Args:
        name: in the form; ``field_<word>`` is its label, ``hint_<word>`` the line below it if
            ``hint``, ``explain_<word>`` a longer text that opens on demand.
        kind: type of value. A price is typed in the unit in which the site's prices are shown, an
            amount in its currency, a bearing in degrees from north or as one of eight winds.
        least: lower bound of a number, of a price or an amount in euros; ``above`` excludes it.
        unit: shown beside the field.
        options: of a choice; ``option_<word>_<value>`` is the label of each.
        assumed: the assumption that is listed while the default stands; "": the default is no
            assumption.
        southern: the default south of the equator; "": the same as north of it.
    """

    name: str
    kind: Literal[
        "text", "number", "price", "amount", "choice", "switch", "clock", "date", "bearing"
    ] = "number"
    least: float = 0.0
    most: float = math.inf
    above: bool = False
    required: bool = True
    default: str = ""
    unit: str = ""
    options: tuple[str, ...] = ()
    hint: bool = False
    assumed: str = ""
    southern: str = ""

    def default_at(self, *, southern: bool) -> str:
        """Return the default north or south of the equator."""
        return self.southern if southern and self.southern else self.default

    @property
    def word(self) -> str:
        """The name in the catalogue: ``fee_days`` for each ``fee-0-fee_days``."""
        return self.name.rpartition("-")[2]

    def in_currency(self, currency: str) -> "Entry":
        """Return the field with a price's bounds converted to a currency."""
        if self.kind not in {"price", "amount"}:
            return self
        least = in_currency(self.least, currency)
        return replace(self, least=least, most=in_currency(self.most, currency))


SITE = (
    Entry("name", "text", hint=True),
    Entry("place", "choice", hint=True),
    Entry("latitude", least=-90, most=90, required=False, unit="°"),
    Entry("longitude", least=-180, most=180, required=False, unit="°"),
    Entry("timezone", "text", required=False),
    Entry("currency", "text", required=False),
)
# The last means "or more".
PERSONS = ("", "1", "2", "3", "4", "5")
HOUSEHOLD = (
    Entry("yearly_kwh", least=100, most=100_000, required=False, unit="kWh", hint=True),
    Entry("persons", "choice", required=False, options=PERSONS, hint=True),
    Entry("heated_by", "choice", required=False, options=("", *get_args(HeatedBy)), hint=True),
    Entry("heating_kwh", least=100, most=100_000, required=False, unit="kWh", hint=True),
    Entry("heated_m2", least=10, most=5_000, required=False, unit="m²", hint=True),
    Entry("car_km_per_year", least=100, most=300_000, required=False, unit="km", hint=True),
)
GRID = (
    Entry("main_fuse_a", most=1_000, above=True, required=False, unit="A", hint=True),
    Entry("main_fuse_phases", "choice", required=False, options=("", "1", "3")),
    Entry("import_limit_kw", most=10_000, above=True, required=False, unit="kW", hint=True),
    Entry("export_limit_kw", most=10_000, required=False, unit="kW", hint=True),
)
# Clockwise from north; ``option_azimuth_deg_<degrees>`` names each.
DIRECTIONS = ("0", "45", "90", "135", "180", "225", "270", "315")
_WINDS = {
    "n": "0",
    "ne": "45",
    "no": "45",
    "e": "90",
    "o": "90",
    "se": "135",
    "so": "135",
    "s": "180",
    "sw": "225",
    "w": "270",
    "nw": "315",
}
DAYS = ("all", "weekday", "weekend")
MONTHS = ("all", "summer", "winter")
# The stored price of a site that the other kinds cannot express.
KEPT = "kept"
PARTS = "parts"
# A supplier's product that Luna knows.
PRODUCT = "product"
KINDS = ("fixed", "time_of_use", "spot", PRODUCT, PARTS, KEPT)
EXPORT_KINDS = ("fixed", "spot", PRODUCT, "none", KEPT)
ENERGY_KINDS = ("spot", "fixed")
FEE_KINDS = ("fixed", "windows", "published")
LEVIES_KINDS = ("fixed", "published")
BILLED_MINUTES = ("15", "60")
FIXED = (Entry("import_price", "price", most=10),)
TIME_OF_USE = (
    Entry("default_price", "price", most=10),
    Entry("first_from", "clock", default=USUAL_NIGHT[0], assumed="night_hours"),
    Entry("first_to", "clock", default=USUAL_NIGHT[1], assumed="night_hours"),
    Entry("first_price", "price", most=10),
    Entry("first_days", "choice", options=DAYS, default="all", assumed="night_hours"),
)
SECOND_BAND = (
    Entry("second_from", "clock", required=False),
    Entry("second_to", "clock", required=False),
    Entry("second_price", "price", most=10, required=False),
    Entry("second_days", "choice", options=DAYS, default="all"),
)
SPOT = (
    Entry("market", "choice", assumed="market"),
    Entry("markup", "price", least=-1, most=10, default="0", hint=True, assumed="markup"),
    Entry("vat_percent", most=50, default="0", unit="%", assumed="vat"),
)
# Area and operator may follow from the postcode, which is not stored.
CHOSEN_PRODUCT = (
    Entry("product", "choice"),
    Entry("product_area", "choice", required=False),
    Entry("postcode", "text", required=False, hint=True),
)
# What a product asks whose price lacks grid fees, levies and tax.
PRODUCT_PARTS = (
    Entry("product_surcharge", "price", least=-1, most=10, default="0", hint=True),
    Entry("product_billed", "choice", options=BILLED_MINUTES, default="15"),
)
EXPORT_FIXED = (Entry("export_price", "price", most=10, hint=True, assumed="no_export_price"),)
EXPORT_SPOT = (
    Entry("export_market", "choice", assumed="market"),
    Entry("export_fee", "price", least=-1, most=10, default="0", assumed="no_export_fee"),
)
EXPORT_BELOW_ZERO = Entry("export_below_zero", "switch")
# The parts of a price on the bill. A grid fee may be far below a hundredth, and is one at night.
ENERGY_KIND = Entry("energy_kind", "choice", options=ENERGY_KINDS, default="spot")
PARTS_SHARED = (
    Entry("fee_kind", "choice", options=FEE_KINDS, default="fixed"),
    Entry("levies_kind", "choice", options=LEVIES_KINDS, default="fixed"),
    Entry("parts_vat_percent", most=50, default="0", unit="%", hint=True),
    Entry("parts_from", "date", required=False, hint=True),
)
ENERGY_SPOT = (
    Entry("energy_market", "choice"),
    Entry("energy_surcharge", "price", least=-1, most=10, default="0", hint=True),
    Entry("energy_billed", "choice", options=BILLED_MINUTES, default="15"),
)
ENERGY_FIXED = (Entry("energy_price", "price", most=10),)
FEE_FIXED = (Entry("fee_price", "price", least=-1, most=10),)
FEE_DEFAULT = (Entry("fee_default_price", "price", least=-1, most=10),)
_FEE_WINDOW = (
    Entry("fee_from", "clock"),
    Entry("fee_to", "clock"),
    Entry("fee_window_price", "price", least=-1, most=10),
    Entry("fee_days", "choice", options=DAYS, default="all"),
    Entry("fee_months", "choice", options=MONTHS, default="all"),
)
# The first has to be there.
FEE_WINDOWS = tuple(
    tuple(
        replace(entry, name=f"fee-{place}-{entry.name}", required=place == 0)
        for entry in _FEE_WINDOW
    )
    for place in range(3)
)
FEE_PUBLISHED = (Entry("fee_published", "choice"),)
LEVIES_FIXED = (Entry("levies_price", "price", least=-1, most=10),)
# What the parts are called on this bill, in the language in which they were typed.
PART_NAMES = tuple(
    Entry(f"{part}_name", "text", required=False)
    for part in (
        "energy",
        "surcharge",
        "fee",
        "levies",
        "base",
        "feed_in",
        "feed_in_fee",
        "vehicles",
        "heat_pumps",
    )
)
BASE = (Entry("base_price", "amount", most=1_000, required=False, hint=True),)
# A published capacity charge.
PEAK = (Entry("peak_published", "choice", required=False),)
# A price of its own for what cars or heat pumps draw, beside that of the house.
PRICED_DEVICES = Entry(
    "priced_devices", "choice", required=False, options=("none", *get_args(PricedDevices))
)
DEVICE_PRICE = (
    Entry("device_price", "price", least=-1, most=10, hint=True),
    Entry("device_limit", above=True, most=1_000, required=False, hint=True),
    Entry("device_limit_unit", "choice", options=("hours", "kwh"), default="hours"),
    Entry("device_from", "clock", default="00:00"),
    Entry("device_to", "clock", default="24:00"),
    Entry("device_beyond", "price", least=-1, most=10, default="0", hint=True),
    Entry("device_day_begins", "choice", options=("midnight", "noon"), default="midnight"),
)
ENERGY_ENTRIES = {"spot": ENERGY_SPOT, "fixed": ENERGY_FIXED}
FEE_ENTRIES = {
    "fixed": FEE_FIXED,
    "windows": (*FEE_DEFAULT, *chain.from_iterable(FEE_WINDOWS)),
    "published": FEE_PUBLISHED,
}
LEVIES_ENTRIES = {"fixed": LEVIES_FIXED, "published": ()}
ALL_PARTS = (
    ENERGY_KIND,
    *PARTS_SHARED,
    *ENERGY_SPOT,
    *ENERGY_FIXED,
    *FEE_FIXED,
    *FEE_ENTRIES["windows"],
    *FEE_PUBLISHED,
    *LEVIES_FIXED,
)
TARIFF = (
    Entry("import_kind", "choice", options=KINDS, default="fixed"),
    *FIXED,
    *TIME_OF_USE,
    *SECOND_BAND,
    *SPOT,
    *CHOSEN_PRODUCT,
    *PRODUCT_PARTS,
    *ALL_PARTS,
    *PART_NAMES,
    *BASE,
    *PEAK,
    PRICED_DEVICES,
    *DEVICE_PRICE,
    Entry("export_kind", "choice", options=EXPORT_KINDS, default="fixed"),
    *EXPORT_FIXED,
    *EXPORT_SPOT,
    EXPORT_BELOW_ZERO,
)
# Fields of a tariff by its kind.
IMPORT_ENTRIES: Mapping[str, tuple[Entry, ...]] = {
    "fixed": FIXED,
    "time_of_use": (*TIME_OF_USE, *SECOND_BAND),
    "spot": SPOT,
    PRODUCT: CHOSEN_PRODUCT,
    PARTS: ALL_PARTS,
    KEPT: (),
}
EXPORT_ENTRIES: Mapping[str, tuple[Entry, ...]] = {
    "fixed": (*EXPORT_FIXED, EXPORT_BELOW_ZERO),
    "spot": (*EXPORT_SPOT, EXPORT_BELOW_ZERO),
    PRODUCT: (),
    "none": (),
    KEPT: (),
}


def list_import_entries(typed: Answers) -> list[Entry]:
    """Return the fields that count for the chosen kind of a bought price, and of its parts."""
    kind = typed.get("import_kind", "")
    if kind != PARTS:
        return [*IMPORT_ENTRIES.get(kind, ())]
    energy = ENERGY_ENTRIES.get(typed.get("energy_kind", ""), ())
    return [ENERGY_KIND, *energy, *list_bill_entries(typed)]


def list_bill_entries(typed: Answers) -> list[Entry]:
    """Return the fields that count for the parts of a bill beside the energy."""
    return [
        *PARTS_SHARED,
        *FEE_ENTRIES.get(typed.get("fee_kind", ""), ()),
        *LEVIES_ENTRIES.get(typed.get("levies_kind", ""), ()),
    ]


def check_entries(
    entries: Iterable[Entry], typed: Answers, *, prefix: str = "", price_scale: int = 1
) -> tuple[dict[str, Any], list[FieldFault]]:
    """Validate typed text; return the values by field, and the faults.

    Args:
        entries: the form's fields.
        typed: text by field, without the prefix.
        prefix: of the field names in faults.
        price_scale: units in which prices are typed per unit of the currency.

    Invariants: every entry that is required has a value or a fault.
    """
    values: dict[str, Any] = {}
    faults: list[FieldFault] = []
    for entry in entries:
        text = typed.get(entry.name, "").strip()
        value, fault = _check(entry, text, price_scale)
        if fault is not None:
            faults.append(fault._replace(field=f"{prefix}{entry.name}"))
        elif value is not None:
            values[entry.name] = value
    return values, faults


def _check(entry: Entry, text: str, scale: int) -> tuple[Any, FieldFault | None]:
    if entry.kind == "switch":
        return text == ON, None
    if not text:
        return None, FieldFault("", "missing") if entry.required else None
    if entry.kind in {"number", "price", "amount", "bearing"}:
        if entry.kind == "bearing":
            text = _bearings().get(text.casefold(), text)
        return _check_number(entry, text, scale if entry.kind == "price" else 1)
    if entry.kind == "clock":
        return (text, None) if CLOCK.fullmatch(text) else (None, FieldFault("", "clock"))
    if entry.options and text not in entry.options:
        return None, FieldFault("", "choice")
    return _check_date(text) if entry.kind == "date" else (text, None)


def _check_date(text: str) -> tuple[date | None, FieldFault | None]:
    try:
        return date.fromisoformat(text), None
    except ValueError:
        return None, FieldFault("", "date")


@cache
def _bearings() -> dict[str, str]:
    """Return the degrees by name of a compass direction, in every language of the catalogue."""
    degrees_by_name = dict(_WINDS)
    for language in CATALOGUE.languages:
        words = page_words("setup", language)
        for degrees in DIRECTIONS:
            degrees_by_name[words(f"option_azimuth_deg_{degrees}").casefold()] = degrees
    return degrees_by_name


def _check_number(entry: Entry, text: str, scale: int) -> tuple[float | None, FieldFault | None]:
    typed = read_number(text)
    if typed is None or not math.isfinite(typed):
        return None, FieldFault("", "number")
    # 8.2 hundredths are 0.082, without the error of floating-point division.
    value = round(typed / scale, 9)
    if value < entry.least and _THOUSANDS.fullmatch(text):
        # "3.500" kWh a year means 3500, if that is within the bounds.
        thousands = 1000 * value
        if entry.least <= thousands <= entry.most:
            value = round(thousands, 6)
    if value < entry.least or (entry.above and value <= entry.least):
        code = "above" if entry.above else "least"
        return None, FieldFault("", code, {"bound": _plain(entry.least * scale)})
    if value > entry.most:
        return None, FieldFault("", "most", {"bound": _plain(entry.most * scale)})
    # 0.32 cents is implausible: the price was typed in the currency, and 32 is meant.
    if scale > 1 and entry.kind == "price" and entry.least >= 0 and 0 < typed < 1:
        return None, FieldFault("", "too_cheap", {"meant": _plain(typed * scale)})
    return value, None


def _plain(value: float) -> str:
    return f"{value:g}"


def check_zone(text: str) -> FieldFault | None:
    """Return the fault of a time zone's name, None if it is valid."""
    try:
        parse_zone(text)
    except InvalidInputError:
        return FieldFault("timezone", "timezone")
    return None


def defaults_of(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the default text by field."""
    return {entry.name: entry.default for entry in entries if entry.default}
