"""What set-up asks of each kind of device: one module per kind that it asks for, each ending in one declaration, ``FORM``."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from luna.energy.devices import DEVICE_KINDS
from services.api.pages.setup.devices.form import DeviceForm

__all__ = ["DEVICE_FORMS"]


def _find_forms() -> Iterator[DeviceForm[Any]]:
    modules = (import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__))
    yield from (module.FORM for module in modules if hasattr(module, "FORM"))


_PLACES = {kind.section: place for place, kind in enumerate(DEVICE_KINDS)}
# By section, in the order of all kinds.
DEVICE_FORMS: Mapping[str, DeviceForm[Any]] = {form.section: form for form in sorted(_find_forms(), key=lambda form: _PLACES[form.section])}
