"""What set-up asks of each kind of device: one module per kind that it asks for, each ending in one
declaration, ``FORM``.
"""

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
