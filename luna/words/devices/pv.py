"""What is said of PV arrays."""

from luna.words.devices.kind import DeviceWords

WORDS = DeviceWords(
    kind={"en": "PV array", "de": "PV-Feld"},
    names={
        "pv": {"en": "Solar", "de": "Solaranlage"},
        "roof": {"en": "Roof", "de": "Dach"},
    },
    roles={
        "total_pv_production": {"en": "Solar production", "de": "Solarertrag"},
    },
)
