"""What set-up asks of each kind of device: one module per kind that it asks for, each ending in one
declaration, ``FORM``.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from luna.energy.devices import DEVICE_KINDS
from services.api.pages.setup.devices.form import DeviceForm

__all__ = ["DEVICE_FORMS"]


_MODULES = [import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)]
_PLACES = {kind.section: place for place, kind in enumerate(DEVICE_KINDS)}
# By section, in the order of all kinds.
DEVICE_FORMS: Mapping[str, DeviceForm[Any]] = {
    form.section: form
    for form in sorted(
        (module.FORM for module in _MODULES if hasattr(module, "FORM")),
        key=lambda form: _PLACES[form.section],
    )
}
