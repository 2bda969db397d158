"""The forms of the device kinds in set-up: one module per kind, each with a ``FORM``."""

from collections.abc import Mapping
from typing import Any

from services.api.pages.setup.devices import battery, pv, vehicle, water_heater
from services.api.pages.setup.devices.form import DeviceForm

__all__ = ["DEVICE_FORMS"]

# In the order of ``DEVICE_KINDS``.
_FORMS: tuple[DeviceForm[Any], ...] = (
    battery.FORM,
    pv.FORM,
    vehicle.FORM,
    water_heater.FORM,
)
DEVICE_FORMS: Mapping[str, DeviceForm[Any]] = {form.section: form for form in _FORMS}
