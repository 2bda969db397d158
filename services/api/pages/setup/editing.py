"""Edit a stored site by the forms of set-up: derive the answers from the site, and merge changed
answers into it. Pure.

Set-up covers only a part of a site's fields. The other fields stay: only differences between the
answers before and after are applied.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from luna.energy.devices import COMMANDS
from luna.energy.devices.grid import NO_LIMIT_KW
from luna.energy.site import FixedPrice, Site, SpotPrice, TimeOfUsePrice, parse_site
from luna.energy.site.control import Control
from luna.energy.site.countries import place_named, places
from luna.energy.site.main_fuses import assume_connection
from luna.words.numbers import read_number
from luna.words.pages import PageWords
from services.api.pages.setup.composition import ELSEWHERE, compose, numbers_of, suggest_tariff
from services.api.pages.setup.control_methods import METHODS, answer_control
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import write_numbers
from services.api.pages.setup.fields import (
    DIRECTIONS,
    EXPORT_ENTRIES,
    GRID,
    HOUSEHOLD,
    IMPORT_ENTRIES,
    ON,
    SITE,
    TARIFF,
    Entry,
)

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
    """Return the answers of set-up that describe a site, for the fields that set-up has."""
    household = site.household
    # The list's last choice, 5, means "or more".
    persons = None if household.persons is None else min(household.persons, 5)
    numbers = {
        name: getattr(household, name)
        for name in ("yearly_kwh", "heating_kwh", "heated_m2", "car_km_per_year")
    }
    answers: dict[str, Any] = {"site": _answer_site(site), "data": {"source": "nothing"}}
    answers["household"] = {"heated_by": household.heated_by or ""} | write_numbers(
        persons=persons, **numbers
    )
    answers["grid"] = _answer_grid(site)
    answers |= {
        section: [
            {"name": device.name} | form.answer(device)
            for device in getattr(site, section)
            if form.asks_for(device)
        ]
        for section, form in DEVICE_FORMS.items()
    }
    answers["tariff"] = _answer_tariff(site, numbers_of(answers, "en").price_unit[0])
    if site.control is not None:
        control = answer_control(site.control)
        section = compose({**answers, "control": control}).document.get("control")
        # Only if the fields express all of the section.
        if section is not None and _keep_proxies(section, site) == site.control.model_dump(
            mode="json", by_alias=True
        ):
            answers["control"] = control
    return answers


def _answer_grid(site: Site) -> dict[str, str]:
    """Return the answers on the connection.

    What follows from its fuse, or is assumed, was not answered.
    """
    grid = site.grid
    follows = assume_connection(grid.model_dump() | {"import_limit_kw": None}, site.country).get(
        "import_limit_kw"
    )
    stated_kw = None if grid.import_limit_kw in (follows, NO_LIMIT_KW) else grid.import_limit_kw
    exported_kw = None if grid.export_limit_kw == NO_LIMIT_KW else grid.export_limit_kw
    return write_numbers(
        main_fuse_a=grid.main_fuse_a,
        main_fuse_phases=grid.main_fuse_phases,
        import_limit_kw=stated_kw,
        export_limit_kw=exported_kw,
    )


def _keep_proxies(section: Mapping[str, Any], site: Site) -> dict[str, Any]:
    """Return a section ``control`` in which devices with an unchanged address keep their proxy
    port, which set-up does not ask for.
    """
    control = Control.model_validate(section)
    stored = {} if site.control is None else site.control.vias
    batteries = []
    for target in control.batteries:
        via = target.via
        before = stored.get(target.battery)
        stays = (
            via is not None
            and before is not None
            and (via.host, via.port) == (before.host, before.port)
        )
        batteries.append(
            target.model_copy(update={"via": via.model_copy(update={"proxy": before.proxy})})
            if stays and via and before
            else target
        )
    return control.model_copy(update={"batteries": tuple(batteries)}).model_dump(
        mode="json", by_alias=True
    )


def find_fixed(site: Site) -> tuple[str, ...]:
    """Return the steps whose fields cannot express the site; these are changed only in its file."""
    answers = answers_of(site)
    composed = compose(answers)
    # A tariff that the fields cannot express composes to a different one.
    tariff = composed.document.get("tariff")
    says_it = (
        not composed.faults["tariff"]
        and tariff is not None
        and _is_part(tariff, _document(site)["tariff"])
    )
    fixed = () if says_it else ("tariff",)
    return fixed if site.control is None or "control" in answers else (*fixed, "control")


def list_changed_steps(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the steps whose answers differ."""
    return [
        step
        for step, parts in ANSWERS.items()
        if any(_with_numbers(before.get(part)) != _with_numbers(after.get(part)) for part in parts)
    ]


def _with_numbers(answer: Any) -> Any:
    # Compare numbers by value: an unchanged field may come back with a decimal comma.
    if isinstance(answer, Mapping):
        return {name: _with_numbers(each) for name, each in answer.items()}
    if isinstance(answer, list):
        return [_with_numbers(each) for each in answer]
    number = read_number(answer) if isinstance(answer, str) else None
    return answer if number is None else number


def change_site(site: Site, answers: Mapping[str, Any]) -> Site:
    """Return the site with the changes of the answers applied.

    Raises:
        InvalidInputError: the result is no valid site, as when a field outside of set-up refers to
            a removed device.
    """
    # A composition lacks the section of a kind without devices.
    before, after = (
        {section: [] for section in DEVICE_FORMS} | compose(each).document
        for each in (answers_of(site), answers)
    )
    controls = [composed.pop("control", None) for composed in (before, after)]
    document = _take_over(_document(site), before, after)
    if controls[0] != controls[1]:
        document["control"] = None if controls[1] is None else _keep_proxies(controls[1], site)
    document["name"] = site.name
    if (
        site.assumed_fuse is not None
        and document["grid"].get("import_limit_kw") == site.grid.import_limit_kw
    ):
        # What was assumed follows from the country as it is now.
        del document["grid"]["import_limit_kw"]
    # Update the fields that are derived from those of the form.
    for section, form in DEVICE_FORMS.items():
        stored = {device.name: device for device in getattr(site, section)}
        for device in document[section]:
            if device["name"] in stored:
                form.follow(stored[device["name"]], device)
    _forget_devices(document, site)
    return parse_site(document)


def _forget_devices(document: dict[str, Any], site: Site) -> None:
    """Remove references to deleted devices from the section ``control`` and from inverters."""
    control = document["control"]
    only_advised = control is not None and control.get("by") == "advice"
    for section, form in DEVICE_FORMS.items():
        removed = {device.name for device in getattr(site, section)} - {
            device["name"] for device in document[section]
        }
        entries = (control or {}).get(section)
        if form.controlled_as and entries:
            control[section] = [each for each in entries if each[form.controlled_as] not in removed]
        for inverter in document["inverters"]:
            if section in inverter:
                inverter[section] = [name for name in inverter[section] if name not in removed]
    if control and not only_advised and not any(control.get(section) for section in COMMANDS):
        document["control"] = None
    document["inverters"] = [
        each for each in document["inverters"] if each["pv"] or each["batteries"]
    ]


def _document(site: Site) -> dict[str, Any]:
    return site.model_dump(mode="json", by_alias=True)


def _take_over(stored: Any, before: Any, after: Any) -> Any:
    """Apply the differences between two documents to the stored one."""
    if before == after:
        return stored
    if (
        not isinstance(stored, dict)
        or not isinstance(before, dict)
        or not isinstance(after, dict)
        or before.get("kind") != after.get("kind")
    ):
        return after
    changed = {name: value for name, value in stored.items() if name in after or name not in before}
    for name, value in after.items():
        merge = _take_over_devices if name in DEVICE_FORMS else _take_over
        changed[name] = merge(stored.get(name), before.get(name), value)
    return {name: value for name, value in changed.items() if name in stored or value is not None}


def _take_over_devices(stored: Any, before: Any, after: Any) -> list[Any]:
    present, earlier, later = (
        {device["name"]: device for device in devices or []} for devices in (stored, before, after)
    )
    removed = earlier.keys() - later.keys()
    merged = {
        name: _take_over(device, earlier.get(name), later.get(name, earlier.get(name)))
        for name, device in present.items()
        if name not in removed
    }
    return list(
        (merged | {name: device for name, device in later.items() if name not in present}).values()
    )


def _is_part(part: Any, stored: Any) -> bool:
    if isinstance(part, dict):
        return isinstance(stored, dict) and all(
            _is_part(value, stored.get(name)) for name, value in part.items()
        )
    if isinstance(part, list):
        return (
            isinstance(stored, list)
            and len(part) == len(stored)
            and all(map(_is_part, part, stored))
        )
    return bool(part == stored)


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
    here = (site.location.latitude, site.location.longitude)
    answer |= write_numbers(latitude=here[0], longitude=here[1])
    towns = [place for place, code in places() if code == site.country]
    if not towns:
        return answer
    # Take the nearest town as the chosen place; other fields only where they differ from its
    # defaults.
    named = {place: place_named(place) for place in towns}
    place = min(
        towns,
        key=lambda each: (
            (named[each][1].latitude - here[0]) ** 2 + (named[each][1].longitude - here[1]) ** 2
        ),
    )
    country, town = named[place]
    usual = {"timezone": country.timezone, "currency": country.currency} | write_numbers(
        latitude=town.latitude, longitude=town.longitude
    )
    other = {name: "" if answer[name] == text else answer[name] for name, text in usual.items()}
    if not (other["latitude"] or other["longitude"]):
        return answer | other | {"place": place}
    return answer | other | write_numbers(latitude=here[0], longitude=here[1]) | {"place": place}


def _answer_tariff(site: Site, scale: int) -> dict[str, str]:
    """Return the typed form of the tariff, prices in the unit in which they are shown.

    A fixed price where the fields cannot express the tariff.
    """
    bought = site.tariff.import_
    sold = site.tariff.export
    if isinstance(bought, SpotPrice):
        typed = {"import_kind": "spot", "market": bought.market} | write_numbers(
            markup=bought.markup * scale, vat_percent=100 * bought.vat
        )
    elif isinstance(bought, TimeOfUsePrice):
        typed = {"import_kind": "time_of_use"} | write_numbers(default_price=bought.default * scale)
        for name, band in zip(("first", "second"), bought.bands, strict=False):
            typed |= {
                f"{name}_from": band.from_,
                f"{name}_to": band.to,
                f"{name}_days": band.days,
                **write_numbers(**{f"{name}_price": band.price * scale}),
            }
    else:
        typed = {"import_kind": "fixed"} | write_numbers(
            import_price=bought.price * scale if isinstance(bought, FixedPrice) else scale
        )
    if isinstance(sold, SpotPrice):
        return (
            typed
            | {"export_kind": "spot", "export_market": sold.market}
            | write_numbers(export_fee=-sold.markup * scale)
        )
    return (
        typed
        | {"export_kind": "fixed"}
        | write_numbers(export_price=sold.price * scale if isinstance(sold, FixedPrice) else 0.0)
    )


class ChangedAnswer(NamedTuple):
    """A changed answer: step, label, and the texts before and after ("" for none)."""

    step: str
    label: str
    before: str
    after: str


def view_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], words: PageWords
) -> list[ChangedAnswer]:
    """List the changed answers in the order of the steps."""
    changes = [
        ChangedAnswer("site", *each)
        for part, entries in (("site", SITE), ("household", HOUSEHOLD))
        for each in _compare(entries, before[part], after[part], words)
    ]
    for kind, form in DEVICE_FORMS.items():
        was_there, is_there = (
            {each.get("name", ""): each for each in answers[kind]} for answers in (before, after)
        )
        for name, device in was_there.items():
            if name in is_there:
                lines = _compare(form.entries, device, is_there[name], words)
                changes += [
                    ChangedAnswer("devices", f"{name}: {label}", one, other)
                    for label, one, other in lines
                ]
            else:
                changes.append(
                    ChangedAnswer(
                        "devices",
                        f"{words(kind)}: {name}",
                        words("device_there"),
                        words("device_gone"),
                    )
                )
        changes += [
            ChangedAnswer("devices", words(kind), "", words("device_new"))
            for each in after[kind]
            if not each.get("name")
        ]
    changes += [
        ChangedAnswer("devices", *each)
        for each in _compare(GRID, before["grid"], after["grid"], words)
    ]
    was, then = (suggest_tariff(answers) | answers["tariff"] for answers in (before, after))
    names = {
        entry.name
        for each in (was, then)
        for entry in (
            *IMPORT_ENTRIES.get(each["import_kind"], ()),
            *EXPORT_ENTRIES.get(each["export_kind"], ()),
        )
    }
    entries = [entry for entry in TARIFF if entry.name in names | {"import_kind", "export_kind"}]
    changes += [ChangedAnswer("tariff", *each) for each in _compare(entries, was, then, words)]
    told_before = before.get("control") or {}
    told = after.get("control") or {}
    by_before = told_before.get("by", "")
    by = told.get("by", "")
    if by_before != by:
        said = (words(f"by_{each}") if each else "" for each in (by_before, by))
        changes.append(ChangedAnswer("control", words("step_control"), *said))
    for name, typed in told.get(by, {}).items():
        lines = _compare(
            METHODS[by].asks if by in METHODS else (),
            told_before.get(by, {}).get(name, {}),
            typed,
            words,
        )
        changes += [
            ChangedAnswer("control", f"{name}: {label}", one, other) for label, one, other in lines
        ]
    return changes


_Line = tuple[str, str, str]


def _compare(
    entries: Iterable[Entry], before: Mapping[str, str], after: Mapping[str, str], words: PageWords
) -> list[_Line]:
    pairs = [(entry, before.get(entry.name, ""), after.get(entry.name, "")) for entry in entries]
    return [
        (
            words(f"field_{entry.name}"),
            say_answer(entry, was, words),
            say_answer(entry, then, words),
        )
        for entry, was, then in pairs
        if was != then
    ]


def say_answer(entry: Entry, text: str, words: PageWords) -> str:
    """Return what was typed or chosen as the reader is told it, with its unit; "" for nothing."""
    if entry.kind == "switch":
        return words("switch_on" if text == ON else "switch_off")
    if entry.name == "place":
        return words("elsewhere") if text == ELSEWHERE else text.partition(":")[2]
    if entry.kind in {"choice", "bearing"} and text in entry.options:
        return words(f"option_{entry.name}_{text}")
    if entry.kind == "bearing" and (degrees := read_number(text)) is not None:
        # Between two of the named directions it is the nearer one.
        nearest = DIRECTIONS[round(degrees / 45) % len(DIRECTIONS)]
        return f"{words(f'option_{entry.name}_{nearest}')} ({text}\u00a0{entry.unit})"
    return f"{text}\u00a0{entry.unit}" if text and entry.unit else text
