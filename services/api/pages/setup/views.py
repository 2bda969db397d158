"""What the steps of set-up show beside their fields. Pure."""

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from luna.energy.devices import DEVICE_KINDS, SWITCHED_KINDS
from luna.energy.devices.grid import NO_LIMIT_KW
from luna.energy.site import FixedPrice, Site, SpotPrice, TimeOfUsePrice
from luna.energy.site.assumptions import list_assumptions
from luna.energy.site.countries import places
from luna.energy.site.main_fuses import usual_fuse
from luna.energy.site.sensor_changes import SensorChange
from luna.platform.simulated_home.site import is_simulated
from luna.words import Language, Numbers
from luna.words.devices import KINDS, say_device
from luna.words.numbers import write_decimal
from luna.words.pages import PageWords
from luna.words.tariffs import say_buying, say_selling
from services.api.pages.setup.composition import (
    ELSEWHERE,
    compose,
    country_of,
    list_taken_sensors,
    numbers_of,
    suggest_tariff,
)
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import DeviceForm
from services.api.pages.setup.editing import say_answer
from services.api.pages.setup.fields import HOUSEHOLD, SITE, TARIFF, FieldFault

Lines = list[tuple[str, str]]
_DETAILS = ("latitude", "longitude", "timezone", "currency")


def view_site(
    answers: Mapping[str, Any], words: PageWords, faults: Mapping[str, FieldFault]
) -> dict[str, Any]:
    """Return the places by country in the reader's language, and what follows from the one that was
    chosen.
    """
    typed = answers.get("site", {})
    towns = [
        (words(f"country_{code}"), [(place, place.partition(":")[2]) for place, _ in of])
        for code, of in groupby(places(), itemgetter(1))
    ]
    opened = (
        typed.get("place") == ELSEWHERE
        or any(typed.get(name) for name in _DETAILS)
        or any(name in faults for name in _DETAILS)
    )
    return {
        "entries": {entry.name: entry for entry in SITE},
        "typed": typed,
        "household": HOUSEHOLD,
        "household_typed": answers.get("household", {}),
        "places": sorted(towns),
        "country": country_of(answers),
        "opened": opened,
    }


def view_tariff(answers: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Return the fields of the tariff with what is usual in the country, and its markets."""
    country = country_of(answers)
    return {
        "entries": {entry.name: entry for entry in TARIFF},
        "typed": suggest_tariff(answers) | answers.get("tariff", {}),
        "markets": [(market, market) for market in country.markets] if country else [],
        "price_unit": numbers_of(answers, language).price_unit[1],
    }


def view_review(
    answers: Mapping[str, Any], words: PageWords, language: Language
) -> list[tuple[str, Lines]]:
    """Return what was entered, step by step.

    What is not whole yet is left out, for its step says what is missing.
    """
    composed = compose(answers)
    if not composed.whole:
        return [(step, []) for step, faults in composed.faults.items() if faults]
    parts = view_site_parts(composed.site(), words, numbers_of(answers, language))
    source = answers.get("data", {}).get("source")
    chosen = {
        role
        for role, entity in answers.get("sensors", {}).items()
        if entity and source == "home_assistant"
    }
    measured = chosen | list_taken_sensors(answers).keys()
    said = words("review_sensors", count=len(measured)) if measured else words("review_nothing")
    if source == "file" and answers.get("upload"):
        said = words("uploaded", file=answers["upload"]["file_name"])
    # In the order of the steps.
    return [*parts[:3], ("data", [(words("step_data"), said)]), *parts[3:]]


def view_site_parts(site: Site, words: PageWords, numbers: Numbers) -> list[tuple[str, Lines]]:
    """Return what a site is, step by step, as set-up asks for it."""
    kinds = [
        kind for kind in DEVICE_KINDS if kind.section in DEVICE_FORMS or kind in SWITCHED_KINDS
    ]
    # Devices are called as set-up calls them; those that it does not ask for, as in lists.
    own = {
        kind.name: KINDS.say(kind.name, numbers.language)
        for kind in kinds
        if kind.name in KINDS and not words.knows(kind.section)
    }
    devices: Lines = []
    for kind in kinds:
        form = DEVICE_FORMS.get(kind.section)
        called = own.get(kind.name) or words(kind.section)
        several = len(kind.of(site)) > 1
        for device in kind.of(site):
            reviewed = (
                form.review(device, words, numbers)
                if form and form.review
                else words("review_power", peak=numbers.number(kind.power_kw(device), 1))
            )
            more = (
                _say_fields(form, device, words, numbers) if form and form.asks_for(device) else []
            )
            devices.append(
                (f"{called}: {device.name}" if several else called, "; ".join([reviewed, *more]))
            )
    return [
        ("site", _site_lines(site, words, numbers)),
        (
            "devices",
            [
                *(devices or [(words("step_devices"), words("review_no_devices"))]),
                (words("grid"), _say_connection(site, words, numbers)),
            ],
        ),
        ("tariff", _tariff_lines(site, words, numbers)),
        *([("control", _control_lines(site, words))] if site.batteries else []),
    ]


def _say_fields(
    form: DeviceForm[Any], device: Any, words: PageWords, numbers: Numbers
) -> list[str]:
    """Return what set-up asks of a device beside what its sentence says, each field with its
    label.
    """
    answers = form.answer(device)
    said = []
    for entry in form.entries:
        text = write_decimal(answers.get(entry.name, ""), numbers.language)
        is_said = entry.name not in form.reviewed and (text or entry.kind == "switch")
        if is_said:
            short = f"short_{entry.name}"
            label = words(short if words.knows(short) else f"field_{entry.name}")
            said.append(f"{label}: {say_answer(entry, text, words)}")
    return said


def _say_connection(site: Site, words: PageWords, numbers: Numbers) -> str:
    """Return what the connection carries: fuse, and limits in both directions."""
    grid = site.grid
    said = list[str]()
    usual = site.assumed_fuse
    if usual is not None:
        said.append(
            words(
                "review_fuse_assumed", phases=str(usual.phases), ampere=numbers.number(usual.ampere)
            )
        )
    elif grid.main_fuse_a is not None:
        country = usual_fuse(site.country)
        phases = grid.main_fuse_phases or (country.phases if country else 1)
        said.append(
            words("review_fuse", phases=str(phases), ampere=numbers.number(grid.main_fuse_a))
        )
    for name in ("import_limit_kw", "export_limit_kw"):
        limit_kw = getattr(grid, name)
        limit = words("review_no_limit") if limit_kw == NO_LIMIT_KW else numbers.power(limit_kw)
        said.append(f"{words('field_' + name)}: {limit}")
    if grid.export_limit_share is not None:
        said.append(words("review_export_share", share=numbers.share(grid.export_limit_share)))
    return "; ".join(said)


class AssumedLine(NamedTuple):
    """What is assumed, as the reader is told: the step that asks for it, whose it is and what, and
    what telling it is worth; empty: nobody measured it.
    """

    step: str
    text: str
    worth: str


def view_assumptions(site: Site, words: PageWords, numbers: Numbers) -> list[AssumedLine]:
    """Return what is assumed of a site, with what telling it is usually worth."""
    lines = []
    for each in list_assumptions(site):
        text = words(
            "assumed_" + each.code,
            **{name: _say_figure(name, value, numbers) for name, value in each.figures.items()},
        )
        worth = (
            ""
            if each.worth is None
            else words(
                "assumption_worth", share=numbers.share(each.worth, decimals=int(each.worth < 0.01))
            )
        )
        called = say_device(each.device, language=numbers.language)
        lines.append(AssumedLine(each.step, f"{called}: {text}" if each.device else text, worth))
    return lines


def _say_figure(name: str, value: float, numbers: Numbers) -> str:
    if name == "share":
        return numbers.share(value)
    if name == "price":
        return numbers.price(value, decimals=1)
    return numbers.number(value, 1 if name in {"least", "kw"} else 0)


def numbers_of_site(site: Site, language: Language) -> Numbers:
    """Return how the reader is told figures of a site."""
    return Numbers(language, ZoneInfo(site.timezone), site.currency)


def say_sensor_change(change: SensorChange, words: PageWords) -> str:
    """Return that a sensor counts otherwise than in the site as it is stored."""
    before, after = (
        ", ".join(_say_meaning(each, words) for each in meanings)
        for meanings in (change.before, change.after)
    )
    sensor = (
        words("changed_unit", sensor=change.sensor, before=", ".join(change.instead_of))
        if change.instead_of
        else change.sensor
    )
    return words("changed_sensor", sensor=sensor, before=before, after=after)


def _say_meaning(meaning: str, words: PageWords) -> str:
    role = meaning.removeprefix("-")
    name = words(f"role_{role}") if words.knows(f"role_{role}") else role
    return name if role == meaning else words("taken_off", role=name)


def _site_lines(site: Site, words: PageWords, numbers: Numbers) -> Lines:
    used = words(
        "review_load_" + site.household.load_basis,
        kwh=numbers.number(site.household.yearly_load_kwh, 0),
    )
    year = site.yearly_load
    household = site.household
    # What heats and drives without a device of its own: part of a stated year, beside one that is
    # assumed.
    beside: Lines = []
    counted = "review_including" if household.load_basis == "yearly_kwh" else "review_excluding"
    if year.heating_kwh:
        heater = words("option_heated_by_" + (household.heated_by or ""))
        kwh = numbers.number(year.heating_kwh, 0)
        used += "; " + words(counted, what=heater, kwh=kwh)
        beside.append((words("field_heated_by"), words("review_beside", what=heater, kwh=kwh)))
    if year.car_kwh:
        way = f"{numbers.number(household.car_km_per_year or 0.0, 0)}\u00a0km"
        kwh = numbers.number(year.car_kwh, 0)
        used += "; " + words(counted, what=way, kwh=kwh)
        beside.append((words("field_car_km_per_year"), words("review_beside", what=way, kwh=kwh)))
    lines = [(words("field_name"), words("simulated_name") if is_simulated(site) else site.called)]
    if site.location is not None:
        here = (
            numbers.number(degrees, 2)
            for degrees in (site.location.latitude, site.location.longitude)
        )
        lines.append(
            (
                words("review_place"),
                words("review_location", **dict(zip(("latitude", "longitude"), here, strict=True))),
            )
        )
    lines += [
        (words("field_timezone"), site.timezone),
        (words("field_currency"), site.currency),
        (words("field_yearly_kwh"), used),
        *beside,
    ]
    if household.persons is not None:
        lines.append((words("field_persons"), numbers.number(household.persons)))
    if household.heated_m2 is not None:
        lines.append((words("field_heated_m2"), f"{numbers.number(household.heated_m2)}\u00a0m²"))
    return lines


def _control_lines(site: Site, words: PageWords) -> Lines:
    by = "nobody" if site.control is None else site.control.by
    batteries = () if site.control is None else site.control.batteries
    lines = [(words("control_line"), words(f"by_{by}"))]
    for each in batteries:
        via = each.via
        # Where its commands go.
        way = (
            ", ".join(write.to for write in each.writes)
            if via is None
            else f"{via.profile}, {via.host}" + (f":{via.port}" if via.port else "")
        )
        lines.append((each.battery, way))
    return lines


def _say_bands(rule: TimeOfUsePrice, words: PageWords, numbers: Numbers) -> list[str]:
    """Return every window of a tariff by the clock with its price."""
    said = []
    for band in rule.bands:
        days = words(f"option_first_days_{band.days}")
        said.append(
            words(
                "review_band",
                begin=band.from_,
                end=band.to,
                days=days,
                price=numbers.price_per_kwh(band.price),
            )
        )
    return said


def _tariff_lines(site: Site, words: PageWords, numbers: Numbers) -> Lines:
    bought = site.tariff.import_
    sold = site.tariff.export
    # A rule that set-up does not ask for is said as in lists.
    buying = say_buying(bought, numbers)
    selling = say_selling(sold, numbers)
    if isinstance(bought, FixedPrice):
        buying = words("review_tariff_fixed", price=numbers.price_per_kwh(bought.price))
    elif isinstance(bought, TimeOfUsePrice):
        buying = "; ".join(
            [
                *_say_bands(bought, words, numbers),
                words("review_tariff_time_of_use", price=numbers.price_per_kwh(bought.default)),
            ]
        )
    elif isinstance(bought, SpotPrice):
        vat = f"{numbers.number(100 * bought.vat, 1)}\u00a0%"
        buying = words(
            "review_tariff_spot",
            market=bought.market,
            markup=numbers.price_per_kwh(bought.markup),
            vat=vat,
        )
    if isinstance(sold, FixedPrice):
        selling = words("review_export_fixed", price=numbers.price_per_kwh(sold.price))
    elif isinstance(sold, SpotPrice):
        selling = words("review_export_spot", market=sold.market)
        if sold.markup:
            selling += "; " + words("review_export_fee", fee=numbers.price_per_kwh(-sold.markup))
    return [(words("buying"), buying), (words("selling"), selling)]
