"""What devices are called where their owner gave them no name of their own."""

from luna.words.numbers import Language

# By how a device is named to Luna: all batteries, all of PV, the connection, and what a site's file calls a device that it leaves unnamed.
DEVICES: dict[str, dict[Language, str]] = {
    "batteries": {"en": "Battery", "de": "Batterie"},
    "battery": {"en": "Battery", "de": "Batterie"},
    "pv": {"en": "Solar", "de": "Solaranlage"},
    "roof": {"en": "Roof", "de": "Dach"},
    "grid": {"en": "Grid connection", "de": "Netzanschluss"},
    "car": {"en": "Car", "de": "Auto"},
    "heat_pump": {"en": "Heat pump", "de": "Wärmepumpe"},
    "water_heater": {"en": "Water heater", "de": "Warmwasser"},
    "inverter": {"en": "Inverter", "de": "Wechselrichter"},
}


def say_device(name: str, *, language: Language) -> str:
    """Return what a device is called: its owner's own name for it as it was written, of "vehicle:NAME" and the like that name alone."""
    own = name.rpartition(":")[2]
    return DEVICES[own][language] if own in DEVICES else own
