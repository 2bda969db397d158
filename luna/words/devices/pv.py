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
    entities={
        "override_pv": {"en": "Override PV", "de": "PV übersteuern"},
    },
    setup={
        "pv": {"en": "Solar", "de": "Solaranlage"},
        "none_pv": {"en": "No solar power.", "de": "Kein Solarstrom."},
        "add_pv": {"en": "Add solar", "de": "Solaranlage hinzufügen"},
    },
)
