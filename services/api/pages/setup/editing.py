"""Derive set-up's answers from a stored site, and merge changed answers into it. Pure.

Set-up covers only a part of a site's fields. The other fields stay: only differences between the
answers before and after are applied.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from pydantic import ValidationError

from luna.energy.devices import COMMANDS
from luna.energy.devices.grid import NO_LIMIT_KW
from luna.energy.site import (
    BaseCharge,
    FixedPrice,
    ImportRule,
    Site,
    SpotPrice,
    Tariff,
    TimeOfUsePrice,
    parse_site,
)
from luna.energy.site.countries import place_named, places
from luna.energy.site.main_fuses import assume_connection
from luna.energy.tariffs.components import ComponentsPrice
from luna.words.devices import say_device
from luna.words.language import Language
from luna.words.numbers import join_unit, read_number, say_date, write_decimal
from luna.words.pages import PageWords
from services.api.pages.setup.composition import (
    ELSEWHERE,
    METERED,
    compose,
    has_meter,
    numbers_of,
    suggest_tariff,
)
from services.api.pages.setup.control_methods import METHODS, STEERING, answer_control
from services.api.pages.setup.device_control import (
    CONTROL_FORMS,
    DEVICES,
    NOT_AT_ALL,
    WAY,
    ControlForm,
)
from services.api.pages.setup.device_prices import answer_device_price, list_device_entries
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import write_numbers
from services.api.pages.setup.fields import (
    DIRECTIONS,
    EXPORT_ENTRIES,
    GRID,
    HOUSEHOLD,
    IMPORT_ENTRIES,
    KEPT,
    ON,
    PARTS,
    PRODUCT,
    SITE,
    TARIFF,
    Entry,
)
from services.api.pages.setup.kept_control import find_unasked_server, keep_unasked
from services.api.pages.setup.peak_charges import answer_peaks
from services.api.pages.setup.price_parts import answer_feed_in, answer_parts, dump_parts
from services.api.pages.setup.supplier_offers import answer_offers, answer_sold
from services.api.pages.setup.tariff_views import describe_bought

# The steps that can be edited, in the order of set-up.
CHANGEABLE = ("site", "devices", "tariff", "control")
# The answers' keys by step.
ANSWERS = {
    "site": ("site", "household"),
    "devices": (*DEVICE_FORMS, "grid"),
    "tariff": ("tariff",),
    "control": ("control",),
}


def answers_of(site: Site) -> dict[str, Any]:
    """Return the answers of set-up that describe a site."""
    household = site.household
    # The list's last choice, 5, means "or more".
    persons = None if household.persons is None else min(household.persons, 5)
    answers: dict[str, Any] = {
        "site": _answer_site(site),
        "data": {"source": "nothing"},
        "household": {"heated_by": household.heated_by or ""}
        | write_numbers(
            persons=persons,
            yearly_kwh=household.yearly_kwh,
            heating_kwh=household.heating_kwh,
            heated_m2=household.heated_m2,
            car_km_per_year=household.car_km_per_year,
        ),
        "grid": _answer_grid(site),
    }
    for section, form in DEVICE_FORMS.items():
        devices = [device for device in getattr(site, section) if form.asks_for(device)]
        answers[section] = [{"name": device.name} | form.answer(device) for device in devices]
    answers[METERED] = ON if has_meter(site.sensor_roles) else ""
    answers["kept"] = _keep_prices(site) | {"server": find_unasked_server(site)}
    answers["tariff"] = _answer_tariff(site, answers)
    if site.control is not None:
        control_answers = answer_control(site.control)
        composed = compose({**answers, "control": control_answers}).document.get("control")
        stored = site.control.model_dump(mode="json", by_alias=True)
        # Only if the fields express all of the section.
        if composed is not None and keep_unasked(composed, site) == stored:
            answers["control"] = control_answers
    return answers


def _answer_grid(site: Site) -> dict[str, str]:
    """Return the answers on the connection, without those that follow from its fuse."""
    grid = site.grid
    unlimited = grid.model_dump() | {"import_limit_kw": None}
    assumed_kw = assume_connection(unlimited, site.country).get("import_limit_kw")
    import_kw = grid.import_limit_kw
    export_kw = grid.export_limit_kw
    return write_numbers(
        main_fuse_a=grid.main_fuse_a,
        main_fuse_phases=grid.main_fuse_phases,
        import_limit_kw=None if import_kw in (assumed_kw, NO_LIMIT_KW) else import_kw,
        export_limit_kw=None if export_kw == NO_LIMIT_KW else export_kw,
    )


def find_fixed(site: Site) -> tuple[str, ...]:
    """Return the steps whose fields cannot express the site.

    These are changed only in the site's file.
    """
    answers = answers_of(site)
    fixed: list[str] = []
    if site.control is not None and "control" not in answers:
        fixed.append("control")
    return tuple(fixed)


def list_changed_steps(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the steps whose answers differ."""
    changed = []
    for step, parts in ANSWERS.items():
        answers_before = [_with_numbers(before.get(part)) for part in parts]
        answers_after = [_with_numbers(after.get(part)) for part in parts]
        if answers_before != answers_after:
            changed.append(step)
    return changed


def _with_numbers(answer: Any) -> Any:
    # Compare numbers by value: an unchanged field may come back with a decimal comma.
    if isinstance(answer, Mapping):
        return {name: _with_numbers(part) for name, part in answer.items()}
    if isinstance(answer, list):
        return [_with_numbers(part) for part in answer]
    number = read_number(answer) if isinstance(answer, str) else None
    return answer if number is None else number


def change_site(site: Site, answers: Mapping[str, Any]) -> Site:
    """Return the site with the changes of the answers applied.

    Raises:
        InvalidInputError: the result is no valid site, as when a field outside of set-up refers to
            a removed device.
    """
    before = _compose_document(answers_of(site))
    after = _compose_document(answers)
    if "tariff" in before:
        # Prices that do not go with another place, such as a market's, are left as they are.
        after.setdefault("tariff", before["tariff"])
    control_before = before.pop("control", None)
    control_after = after.pop("control", None)
    document = _take_over(_document(site), before, after)
    if control_before != control_after:
        document["control"] = keep_unasked(control_after, site)
    document["name"] = site.name
    if (
        site.assumed_fuse is not None
        and document["grid"].get("import_limit_kw") == site.grid.import_limit_kw
    ):
        # An assumed limit follows from the new country.
        del document["grid"]["import_limit_kw"]
    # Update the fields that are derived from those of the form.
    for section, form in DEVICE_FORMS.items():
        stored = {device.name: device for device in getattr(site, section)}
        for device in document[section]:
            if device["name"] in stored:
                form.follow(stored[device["name"]], device)
    _forget_devices(document, site)
    return parse_site(document)


def _compose_document(answers: Mapping[str, Any]) -> dict[str, Any]:
    # A composition lacks the section of a kind without devices.
    no_devices: dict[str, Any] = {section: [] for section in DEVICE_FORMS}
    return no_devices | compose(answers).document


def _forget_devices(document: dict[str, Any], site: Site) -> None:
    """Remove references to deleted devices from the section ``control`` and from inverters."""
    control = document["control"]
    for section, form in DEVICE_FORMS.items():
        remaining = {device["name"] for device in document[section]}
        removed = {device.name for device in getattr(site, section)} - remaining
        entries = (control or {}).get(section)
        key = form.controlled_as
        if key and entries:
            control[section] = [entry for entry in entries if entry[key] not in removed]
        for inverter in document["inverters"]:
            if section in inverter:
                inverter[section] = [name for name in inverter[section] if name not in removed]
    if control and control.get("by") != "advice":
        controls_devices = any(control.get(section) for section in COMMANDS)
        if not controls_devices:
            document["control"] = None
    document["inverters"] = [
        inverter for inverter in document["inverters"] if inverter["pv"] or inverter["batteries"]
    ]


def _document(site: Site) -> dict[str, Any]:
    return site.model_dump(mode="json", by_alias=True)


def _take_over(stored: Any, before: Any, after: Any) -> Any:
    """Apply the differences between two documents to the stored one."""
    if before == after:
        return stored
    are_objects = all(isinstance(document, dict) for document in (stored, before, after))
    if not are_objects or before.get("kind") != after.get("kind"):
        return after
    changed = {name: value for name, value in stored.items() if name in after or name not in before}
    for name, value in after.items():
        merge = _take_over_devices if name in DEVICE_FORMS else _take_over
        changed[name] = merge(stored.get(name), before.get(name), value)
    return {name: value for name, value in changed.items() if name in stored or value is not None}


def _take_over_devices(stored: Any, before: Any, after: Any) -> list[Any]:
    devices_before = {device["name"]: device for device in before or []}
    devices_after = {device["name"]: device for device in after or []}
    merged = {}
    for device in stored or []:
        name = device["name"]
        if name in devices_before and name not in devices_after:
            continue
        device_before = devices_before.get(name)
        device_after = devices_after.get(name, device_before)
        merged[name] = _take_over(device, device_before, device_after)
    for name, device in devices_after.items():
        merged.setdefault(name, device)
    return list(merged.values())


def _answer_site(site: Site) -> dict[str, str]:
    answer = {
        "name": site.called,
        "place": ELSEWHERE,
        "timezone": site.timezone,
        "currency": site.currency,
        "latitude": "",
        "longitude": "",
    }
    if site.location is None:
        return answer
    latitude = site.location.latitude
    longitude = site.location.longitude
    answer |= write_numbers(latitude=latitude, longitude=longitude)
    towns = [place for place, code in places() if code == site.country]
    if not towns:
        return answer

    def squared_distance(place: str) -> float:
        town = place_named(place)[1]
        return (town.latitude - latitude) ** 2 + (town.longitude - longitude) ** 2

    # Take the nearest town as the chosen place, and leave fields empty that follow from it.
    answer["place"] = min(towns, key=squared_distance)
    country, town = place_named(answer["place"])
    usual = {"timezone": country.timezone_of(town), "currency": country.currency}
    for name, text in usual.items():
        if answer[name] == text:
            answer[name] = ""
    here = {name: answer[name] for name in ("latitude", "longitude")}
    if here == write_numbers(latitude=town.latitude, longitude=town.longitude):
        answer |= {"latitude": "", "longitude": ""}
    return answer


def _keep_prices(site: Site) -> dict[str, Any]:
    """Return the stored prices that the fields cannot express."""
    tariff = _document(site)["tariff"]
    return {
        "import": tariff["import"],
        "export": tariff["export"],
        "base": tariff["base"],
        "devices": tariff["devices"],
        "components": dump_parts(site.tariff.import_.components),
    }


def _answer_tariff(site: Site, answers: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of the tariff, with prices in the unit in which they are shown.

    A price that the fields cannot express is kept as it is.
    """
    scale = numbers_of(answers, "en").price_unit[0]
    kept = {"import_kind": KEPT, "export_kind": KEPT}
    rule = site.tariff.import_
    ways = [*_answer_import(site, scale)]
    fitting = [typed for typed in ways if _expresses(answers, kept | typed, "import", rule)]
    bought = fitting[0] if fitting else ways[0] | {"import_kind": KEPT}
    sold = _answer_export(site, scale) | answer_sold(site.tariff.export, bought, site.country or "")
    if not _expresses(answers, bought | sold, "export", site.tariff.export):
        sold |= {"export_kind": KEPT}
    peaks = answer_peaks(site.tariff, site.country or "")
    devices = answer_device_price(site.tariff, scale)
    return bought | sold | _answer_base(site) | peaks | devices


def _expresses(
    answers: Mapping[str, Any], typed: Mapping[str, str], side: str, rule: ImportRule
) -> bool:
    """Return whether the fields compose to a price."""
    composed = compose({**answers, "tariff": typed}).document.get("tariff")
    if composed is None:
        return False
    try:
        tariff = Tariff.model_validate(composed)
    except ValidationError:
        return False
    return rule == (tariff.import_ if side == "import" else tariff.export)


def _answer_import(site: Site, scale: int) -> Iterator[dict[str, str]]:
    """Yield fields that may express the price of bought energy, or a part of it."""
    rule = site.tariff.import_
    if isinstance(rule, SpotPrice):
        figures = write_numbers(markup=rule.markup * scale, vat_percent=100 * rule.vat)
        yield {"import_kind": "spot", "market": rule.market} | figures
    elif isinstance(rule, TimeOfUsePrice):
        typed = {"import_kind": "time_of_use"} | write_numbers(default_price=rule.default * scale)
        for name, band in zip(("first", "second"), rule.bands, strict=False):
            typed |= {f"{name}_from": band.from_, f"{name}_to": band.to, f"{name}_days": band.days}
            typed |= write_numbers(**{f"{name}_price": band.price * scale})
        yield typed
    elif isinstance(rule, ComponentsPrice):
        yield from answer_offers(rule, site.country or "", scale)
        yield from answer_parts(rule, site.country or "", scale)
    elif isinstance(rule, FixedPrice):
        yield {"import_kind": "fixed"} | write_numbers(import_price=rule.price * scale)
    else:
        yield {"import_kind": KEPT}


def _answer_export(site: Site, scale: int) -> dict[str, str]:
    rule = site.tariff.export
    if isinstance(rule, SpotPrice):
        fee = write_numbers(export_fee=-rule.markup * scale)
        return {"export_kind": "spot", "export_market": rule.market} | fee
    if isinstance(rule, ComponentsPrice):
        return answer_feed_in(rule, scale)
    if isinstance(rule, FixedPrice):
        return {"export_kind": "fixed"} | write_numbers(export_price=rule.price * scale)
    return {"export_kind": KEPT}


def _answer_base(site: Site) -> dict[str, str]:
    """Return the base price where it is one for every month; other base charges stay."""
    base = site.tariff.base
    if len(base) != 1 or base[0] != BaseCharge(name=base[0].name, price=base[0].price):
        return {}
    return {"base_name": base[0].name} | write_numbers(base_price=base[0].price)


class ChangedAnswer(NamedTuple):
    """A changed answer: step, label, and the texts before and after ("" for none)."""

    step: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class _ChangeReader:
    """The reader of changes: words, language, and the unit of prices."""

    words: PageWords
    language: Language
    price_unit: str

    def say(self, entry: Entry, text: str) -> str:
        """Return an answer with the reader's decimal mark and its unit."""
        decimal = write_decimal(text, self.language)
        answer = say_answer(entry, decimal, self.words, self.language)
        if answer and entry.kind == "price":
            return f"{answer}\u00a0{self.price_unit}"
        return answer


def view_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], words: PageWords, language: Language
) -> list[ChangedAnswer]:
    """List the changed answers in the order of the steps."""
    unit = numbers_of(after, language).price_unit[1]
    reader = _ChangeReader(words, language, words("per_kwh", unit=unit))
    tariff_before = suggest_tariff(before) | before["tariff"]
    tariff_after = suggest_tariff(after) | after["tariff"]
    changes = _compare("site", SITE, before["site"], after["site"], reader=reader)
    changes += _compare("site", HOUSEHOLD, before["household"], after["household"], reader=reader)
    for kind in DEVICE_FORMS:
        changes += _compare_devices(kind, before[kind], after[kind], reader)
    changes += _compare("devices", GRID, before["grid"], after["grid"], reader=reader)
    tariff_entries = _list_tariff_entries(tariff_before, tariff_after)
    changes += _compare("tariff", tariff_entries, tariff_before, tariff_after, reader=reader)
    changes += _compare_parts(before, after, reader)
    changes += _compare_control(before.get("control") or {}, after.get("control") or {}, reader)
    return changes


def _compare_devices(
    kind: str,
    before: Iterable[Mapping[str, str]],
    after: Iterable[Mapping[str, str]],
    reader: _ChangeReader,
) -> list[ChangedAnswer]:
    words = reader.words
    devices_after = {device.get("name", ""): device for device in after}
    # Of devices with the same name the last counts.
    devices_before = {device.get("name", ""): device for device in before}
    entries = DEVICE_FORMS[kind].entries
    changes = []
    for name, device in devices_before.items():
        if name in devices_after:
            changes += _compare(
                "devices", entries, device, devices_after[name], reader=reader, of=name
            )
        else:
            label = f"{words(kind)}: {say_device(name, language=reader.language)}"
            there = words("device_there")
            changes.append(ChangedAnswer("devices", label, there, words("device_gone")))
    for device in after:
        if not device.get("name"):
            changes.append(ChangedAnswer("devices", words(kind), "", words("device_new")))
    return changes


def _list_tariff_entries(*tariffs: Mapping[str, str]) -> list[Entry]:
    """Return the fields that belong to the kinds of the given tariffs.

    The parts of a bill are compared in words.
    """
    names = {"import_kind", "base_price", "peak_published", "export_kind"}
    for tariff in tariffs:
        names |= {entry.name for entry in list_device_entries(tariff)}
    for tariff in tariffs:
        if tariff["import_kind"] not in {PARTS, PRODUCT}:
            names |= {entry.name for entry in IMPORT_ENTRIES.get(tariff["import_kind"], ())}
        names |= {entry.name for entry in EXPORT_ENTRIES.get(tariff["export_kind"], ())}
    return [entry for entry in TARIFF if entry.name in names]


def _compare_parts(
    before: Mapping[str, Any], after: Mapping[str, Any], reader: _ChangeReader
) -> list[ChangedAnswer]:
    """Return how the parts of a price change, in words; none where there are no parts."""
    kinds = {before["tariff"]["import_kind"], after["tariff"].get("import_kind")}
    if kinds.isdisjoint({PARTS, PRODUCT}):
        return []
    numbers = numbers_of(after, reader.language)
    texts = []
    for answers in (before, after):
        text = ""
        tariff = compose(answers).document.get("tariff")
        if tariff is not None:
            rule = Tariff.model_validate(tariff).import_
            text = describe_bought(rule, reader.words, numbers)
        texts.append(text)
    text_before, text_after = texts
    if text_before == text_after:
        return []
    return [ChangedAnswer("tariff", reader.words("buying"), text_before, text_after)]


def _compare_control(
    before: Mapping[str, Any], after: Mapping[str, Any], reader: _ChangeReader
) -> list[ChangedAnswer]:
    words = reader.words
    changes = []
    method_before = before.get("by", "")
    method = after.get("by", "")
    if method_before != method:
        label_before = words(f"by_{method_before}") if method_before else ""
        label_after = words(f"by_{method}") if method else ""
        changes.append(ChangedAnswer("control", words("step_control"), label_before, label_after))
    changes += _compare("control", (STEERING,), before, after, reader=reader)
    entries = METHODS[method].asks if method in METHODS else ()
    for name, typed in after.get(method, {}).items():
        typed_before = before.get(method, {}).get(name, {})
        changes += _compare("control", entries, typed_before, typed, reader=reader, of=name)
    for section, form in CONTROL_FORMS.items():
        devices_before = before.get(DEVICES, {}).get(section, {})
        for name, typed in after.get(DEVICES, {}).get(section, {}).items():
            changes += _compare_way(
                form, name, before=devices_before.get(name, {}), after=typed, reader=reader
            )
    return changes


def _compare_way(
    form: ControlForm,
    name: str,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reader: _ChangeReader,
) -> list[ChangedAnswer]:
    """Return what differs in how a car or a water heater is controlled."""
    words = reader.words
    way_before = before.get(WAY, NOT_AT_ALL)
    way = after.get(WAY, NOT_AT_ALL)
    changes = []
    if way_before != way:
        label = f"{say_device(name, language=reader.language)}: {words('step_control')}"
        said_before = words(f"way_{way_before}")
        changes.append(ChangedAnswer("control", label, said_before, words(f"way_{way}")))
    entries = form.asks.get(way, ())
    typed_before = before.get(way, {})
    changes += _compare(
        "control", entries, typed_before, after.get(way, {}), reader=reader, of=name
    )
    return changes


def _compare(
    step: str,
    entries: Iterable[Entry],
    before: Mapping[str, str],
    after: Mapping[str, str],
    *,
    reader: _ChangeReader,
    of: str = "",
) -> list[ChangedAnswer]:
    """Return the changed answers; their labels name the device ``of``."""
    changes = []
    for entry in entries:
        text_before = before.get(entry.name, "")
        text = after.get(entry.name, "")
        if text_before != text:
            label = reader.words(f"field_{entry.word}")
            if of:
                label = f"{say_device(of, language=reader.language)}: {label}"
            said_before = reader.say(entry, text_before)
            changes.append(ChangedAnswer(step, label, said_before, reader.say(entry, text)))
    return changes


def say_answer(entry: Entry, text: str, words: PageWords, language: Language) -> str:
    """Return an answer in the reader's words, with its unit; "" for none."""
    if entry.kind == "switch":
        return words("switch_on" if text == ON else "switch_off")
    if entry.name == "place":
        return words("elsewhere") if text == ELSEWHERE else text.partition(":")[2]
    if entry.kind in {"choice", "bearing"} and text in entry.options:
        return words(f"option_{entry.word}_{text}")
    if entry.kind == "date":
        # A day that is none is said as it was typed.
        with suppress(ValueError):
            return say_date(date.fromisoformat(text), language)
    with_unit = join_unit(text, entry.unit, language) if text else ""
    if entry.kind == "bearing":
        degrees = read_number(text)
        if degrees is not None:
            nearest = DIRECTIONS[round(degrees / 45) % len(DIRECTIONS)]
            return f"{words(f'option_{entry.name}_{nearest}')} ({with_unit})"
    return with_unit
