"""What every form of a kind of device keeps to: whoever adds one is told what is missing."""

from typing import Any

import pytest

from luna.energy.devices import COMMANDS, DEVICE_KINDS
from luna.energy.site import SENSOR_ROLES, Site, parse_site
from luna.words.catalogue import CATALOGUE
from luna.words.pages import page_words
from services.api.pages.setup.composition import numbers_of
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import DeviceForm
from services.api.pages.setup.fields import Entry
from services.api.pages.setup.views import view_site_parts

every_form = pytest.mark.parametrize("form", DEVICE_FORMS.values(), ids=lambda form: form.section)


def type_in(entry: Entry) -> str:
    """Return what stands in a field that was filled in: its default, a choice, or a number within
    its bounds.
    """
    return entry.default or (entry.options[-1] if entry.options else f"{max(entry.least, 5):g}")


def fill(form: DeviceForm[Any]) -> dict[str, Any]:
    """Return what a site's file says of a device of which every field was filled in."""
    values, faults = form.check({entry.name: type_in(entry) for entry in form.entries}, prefix="")
    assert not faults
    return {"name": form.singular, **form.compose(values)}


def describe(form: DeviceForm[Any], document: dict[str, Any]) -> Site:
    return parse_site({"name": "home", "timezone": "Europe/Berlin", form.section: [document]})


@every_form
def test_a_filled_form_is_a_device_whose_answers_say_the_same(form: DeviceForm[Any]) -> None:
    document = fill(form)
    [device] = getattr(describe(form, document), form.section)
    assert form.asks_for(device)
    values, faults = form.check(form.answer(device), prefix="")
    assert not faults
    assert {"name": form.singular, **form.compose(values)} == document


@every_form
def test_a_form_has_words_in_every_language(form: DeviceForm[Any]) -> None:
    site = describe(form, fill(form))
    for language in CATALOGUE.languages:
        words = page_words("setup", language)
        for name in (
            form.section,
            f"none_{form.section}",
            f"add_{form.section}",
            *(f"field_{entry.name}" for entry in form.entries),
        ):
            assert words.knows(name), name
        for name in (
            f"option_{entry.name}_{option}" for entry in form.entries for option in entry.options
        ):
            assert words.knows(name), name
        devices = dict(view_site_parts(site, words, numbers_of({}, language)))["devices"]
        assert [label for label, _ in devices] == [words(form.section), words("grid")]


@every_form
def test_a_form_speaks_of_a_kind_and_of_roles_that_are_recorded(form: DeviceForm[Any]) -> None:
    assert form.section in {kind.section for kind in DEVICE_KINDS if kind.named}
    # A role that holds no column is recorded for its last value alone: a level, or a state.
    assert form.sensors.keys() <= {
        name for name, role in SENSOR_ROLES.items() if role.series or role.kind != "energy"
    }
    control: Any = COMMANDS[form.section].control
    assert form.controlled_as is None or form.controlled_as in control.model_fields
