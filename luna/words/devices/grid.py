"""What is said of the grid connection."""

from luna.words.devices.kind import DeviceWords

WORDS = DeviceWords(
    names={
        "grid": {"en": "Grid connection", "de": "Netzanschluss"},
    },
    roles={
        "total_grid_import": {"en": "From the grid", "de": "Netzbezug"},
        "total_grid_export": {"en": "Into the grid", "de": "Einspeisung"},
    },
    defaults={
        "import_limit_kw": "the connection limits no plan",
        "export_limit_kw": "feeding in is not limited",
    },
)
