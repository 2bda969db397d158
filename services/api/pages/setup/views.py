"""Compute the parts of set-up's pages beside their fields. Pure."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from unicodedata import normalize
from zoneinfo import ZoneInfo

from luna.energy.devices import DEVICE_KINDS, SWITCHED_KINDS
from luna.energy.devices.grid import NO_LIMIT_KW
from luna.energy.site import Location, Site
from luna.energy.site.assumptions import list_assumptions
from luna.energy.site.countries import places
from luna.energy.site.main_fuses import usual_fuse
from luna.energy.site.sensor_changes import SensorChange
from luna.simulated_home.site import is_simulated
from luna.words import Language, Numbers
from luna.words.devices import KINDS, say_device
from luna.words.numbers import write_decimal
from luna.words.pages import PageWords
from services.api.pages.setup.composition import (
    ELSEWHERE,
    compose,
    country_of,
    list_taken_sensors,
    numbers_of,
    timezone_of,
)
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import LINE_BREAK, DeviceForm
from services.api.pages.setup.editing import say_answer
from services.api.pages.setup.fields import HOUSEHOLD, SITE, FieldFault
from services.api.pages.setup.tariff_views import describe_tariff

Lines = list[tuple[str, str]]
_DETAILS = ("latitude", "longitude", "timezone", "currency")


def view_site(
    answers: Mapping[str, Any],
    words: PageWords,
    faults: Mapping[str, FieldFault],
    *,
    near: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the fields of the site, the places by country and the chosen place's country.

    Countries stand in alphabetical order, after those that are ``near``.
    """
    typed = answers.get("site", {})
    towns = []
    for code, places_there in groupby(places(), itemgetter(1)):
        options = [(place, place.partition(":")[2]) for place, _ in places_there]
        name = words(f"country_{code}")
        place_in_list = near.index(code) if code in near else len(near)
        towns.append((place_in_list, _without_accents(name), name, options))
    shows_details = typed.get("place") == ELSEWHERE
    for name in _DETAILS:
        if typed.get(name) or name in faults:
            shows_details = True
    return {
        "entries": {entry.name: entry for entry in SITE},
        "typed": typed,
        "household": HOUSEHOLD,
        "household_typed": answers.get("household", {}),
        "places": [(name, options) for *_, name, options in sorted(towns)],
        "country": country_of(answers),
        "timezone": timezone_of(answers),
        "opened": shows_details,
    }


def _without_accents(name: str) -> str:
    """Return a name as it is sorted: Österreich stands at O."""
    return normalize("NFD", name).encode("ascii", "ignore").decode().casefold()


def view_review(
    answers: Mapping[str, Any], words: PageWords, language: Language
) -> list[tuple[str, Lines]]:
    """Return what was entered, step by step; nothing until all of it is whole."""
    composed = compose(answers)
    if not composed.whole:
        return []
    parts = view_site_parts(composed.site(), words, numbers_of(answers, language))
    data_line = (words("step_data"), _say_data_source(answers, words))
    # In the order of the steps.
    return [*parts[:3], ("data", [data_line]), *parts[3:]]


def _say_data_source(answers: Mapping[str, Any], words: PageWords) -> str:
    source = answers.get("data", {}).get("source")
    if source == "file" and answers.get("upload"):
        return words("uploaded", file=answers["upload"]["file_name"])
    roles = {*list_taken_sensors(answers)}
    if source == "home_assistant":
        sensors = answers.get("sensors", {})
        roles |= {role for role, entity in sensors.items() if entity}
    return words("review_sensors", count=len(roles)) if roles else words("review_nothing")


def view_site_parts(site: Site, words: PageWords, numbers: Numbers) -> list[tuple[str, Lines]]:
    """Describe a site step by step, in the order of set-up."""
    devices = _device_lines(site, words, numbers)
    if not devices:
        devices.append((words("step_devices"), words("review_no_devices")))
    devices.append((words("grid"), _say_connection(site, words, numbers)))
    parts = [
        ("site", _site_lines(site, words, numbers)),
        ("devices", devices),
        ("tariff", describe_tariff(site.tariff, words, numbers)),
    ]
    if site.batteries or site.control is not None:
        parts.append(("control", _control_lines(site, words)))
    return parts


def _device_lines(site: Site, words: PageWords, numbers: Numbers) -> Lines:
    lines: Lines = []
    for kind in DEVICE_KINDS:
        if kind.section not in DEVICE_FORMS and kind not in SWITCHED_KINDS:
            continue
        # Kinds without a form of their own are called as in lists of devices.
        if kind.name in KINDS and not words.knows(kind.section):
            kind_name = KINDS.say(kind.name, numbers.language)
        else:
            kind_name = words(kind.section)
        form = DEVICE_FORMS.get(kind.section)
        devices = kind.of(site)
        for device in devices:
            if form and form.review:
                sentences = [form.review(device, words, numbers)]
            else:
                power = numbers.number(kind.power_kw(device), 1)
                sentences = [words("review_power", peak=power)]
            if form and form.asks_for(device):
                sentences += _say_fields(form, device, words, numbers)
            label = f"{kind_name}: {device.name}" if len(devices) > 1 else kind_name
            lines.append((label, LINE_BREAK.join(sentences)))
    return lines


def _say_fields(
    form: DeviceForm[Any], device: Any, words: PageWords, numbers: Numbers
) -> list[str]:
    """Return each field that the device's sentence does not mention, with its label."""
    answers = form.answer(device)
    fields = []
    for entry in form.entries:
        text = write_decimal(answers.get(entry.name, ""), numbers.language)
        if entry.name in form.reviewed:
            continue
        if text or entry.kind == "switch":
            short = f"short_{entry.name}"
            label = words(short if words.knows(short) else f"field_{entry.name}")
            fields.append(f"{label}: {say_answer(entry, text, words, numbers.language)}")
    return fields


def _say_connection(site: Site, words: PageWords, numbers: Numbers) -> str:
    """Describe the grid connection: its fuse, and its limits in both directions."""
    grid = site.grid
    sentences: list[str] = []
    assumed = site.assumed_fuse
    if assumed is not None:
        ampere = numbers.number(assumed.ampere)
        sentences.append(words("review_fuse_assumed", phases=str(assumed.phases), ampere=ampere))
    elif grid.main_fuse_a is not None:
        country = usual_fuse(site.country)
        phases = grid.main_fuse_phases or (country.phases if country else 1)
        ampere = numbers.number(grid.main_fuse_a)
        sentences.append(words("review_fuse", phases=str(phases), ampere=ampere))
    for name in ("import_limit_kw", "export_limit_kw"):
        limit_kw = getattr(grid, name)
        limit = words("review_no_limit") if limit_kw == NO_LIMIT_KW else numbers.power(limit_kw)
        sentences.append(f"{words('field_' + name)}: {limit}")
    if grid.export_limit_share is not None:
        share = numbers.share(grid.export_limit_share)
        sentences.append(words("review_export_share", share=share))
    return LINE_BREAK.join(sentences)


class AssumedLine(NamedTuple):
    """An assumption as the reader sees it, and the step that asks for it.

    ``worth``: what entering the true value is worth; empty if nobody measured it.
    """

    step: str
    text: str
    worth: str


def view_assumptions(site: Site, words: PageWords, numbers: Numbers) -> list[AssumedLine]:
    """Return a site's assumptions, with what entering each true value is usually worth."""
    lines = []
    for assumption in list_assumptions(site):
        figures = {}
        for name, value in assumption.figures.items():
            figures[name] = _say_figure(name, value, numbers)
        text = words("assumed_" + assumption.code, **figures)
        if assumption.device:
            device = say_device(assumption.device, language=numbers.language)
            text = f"{device}: {text}"
        worth = ""
        if assumption.worth is not None:
            decimals = 1 if assumption.worth < 0.01 else 0
            share = numbers.share(assumption.worth, decimals=decimals)
            worth = words("assumption_worth", share=share)
        lines.append(AssumedLine(assumption.step, text, worth))
    return lines


def _say_figure(name: str, value: float, numbers: Numbers) -> str:
    if name == "share":
        return numbers.share(value)
    if name == "price":
        return numbers.price(value, decimals=1)
    if name == "cost":
        return numbers.money(value)
    return numbers.number(value, 1 if name in {"least", "kw"} else 0)


def numbers_of_site(site: Site, language: Language) -> Numbers:
    """Return the number format for a site in the reader's language."""
    return Numbers(language, ZoneInfo(site.timezone), site.currency)


def say_sensor_change(change: SensorChange, words: PageWords) -> str:
    """Describe how a sensor's meaning differs from the stored site."""
    before = ", ".join(_say_meaning(meaning, words) for meaning in change.before)
    after = ", ".join(_say_meaning(meaning, words) for meaning in change.after)
    sensor = change.sensor
    if change.instead_of:
        units = ", ".join(change.instead_of)
        sensor = words("changed_unit", sensor=change.sensor, before=units)
    return words("changed_sensor", sensor=sensor, before=before, after=after)


def _say_meaning(meaning: str, words: PageWords) -> str:
    role = meaning.removeprefix("-")
    name = words(f"role_{role}") if words.knows(f"role_{role}") else role
    return name if role == meaning else words("taken_off", role=name)


def _site_lines(site: Site, words: PageWords, numbers: Numbers) -> Lines:
    household = site.household
    name = words("simulated_name") if is_simulated(site) else site.called
    lines = [(words("field_name"), name)]
    if site.location is not None:
        lines.append((words("review_place"), _say_location(site.location, words, numbers)))
    lines += [
        (words("field_timezone"), site.timezone),
        (words("field_currency"), site.currency),
        *_load_lines(site, words, numbers),
    ]
    if household.persons is not None:
        lines.append((words("field_persons"), numbers.number(household.persons)))
    if household.heated_m2 is not None:
        lines.append((words("field_heated_m2"), f"{numbers.number(household.heated_m2)}\u00a0m²"))
    return lines


def _say_location(location: Location, words: PageWords, numbers: Numbers) -> str:
    north_or_south = "degrees_south" if location.is_southern else "degrees_north"
    east_or_west = "degrees_west" if location.longitude < 0.0 else "degrees_east"
    return words(
        "review_location",
        latitude=words(north_or_south, degrees=numbers.number(abs(location.latitude), 2)),
        longitude=words(east_or_west, degrees=numbers.number(abs(location.longitude), 2)),
    )


def _load_lines(site: Site, words: PageWords, numbers: Numbers) -> Lines:
    """Return lines on the yearly load, and on heating and car without a device.

    A stated yearly load includes both; an assumed one excludes them.
    """
    household = site.household
    year = site.yearly_load
    load_kwh = numbers.number(household.yearly_load_kwh, 0)
    load = words("review_load_" + household.load_basis, kwh=load_kwh)
    counted = "review_including" if household.load_basis == "yearly_kwh" else "review_excluding"
    uses = []
    if year.heating_kwh:
        heater = words("option_heated_by_" + (household.heated_by or ""))
        uses.append(("heated_by", heater, year.heating_kwh))
    if year.car_kwh:
        way = f"{numbers.number(household.car_km_per_year or 0.0, 0)}\u00a0km"
        uses.append(("car_km_per_year", way, year.car_kwh))
    use_lines = []
    for field, use, use_kwh in uses:
        kwh = numbers.number(use_kwh, 0)
        load += LINE_BREAK + words(counted, what=use, kwh=kwh)
        use_lines.append((words(f"field_{field}"), words("review_beside", what=use, kwh=kwh)))
    return [(words("field_yearly_kwh"), load), *use_lines]


def _control_lines(site: Site, words: PageWords) -> Lines:
    if site.control is None:
        return [(words("control_line"), words("by_nobody"))]
    lines = [(words("control_line"), words(f"by_{site.control.by}"))]
    control = site.control
    named = [*control.section("batteries"), *control.section("vehicles")]
    named += control.section("loads")
    for target in named:
        via = target.via
        if via is None:
            address = ", ".join(write.to for write in target.writes)
        else:
            address = f"{via.profile}, {via.host}"
            if via.port:
                address += f":{via.port}"
        lines.append((target.device or "", address))
    if site.control.is_steered:
        lines.append((words("steering_line"), words("switch_on")))
    return lines
