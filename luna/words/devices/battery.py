"""What is said of batteries."""

from luna.words.devices.kind import DeviceWords

WORDS = DeviceWords(
    kind={"en": "Battery", "de": "Batterie"},
    prefix={"en": "battery", "de": "Batterie"},
    names={
        "batteries": {"en": "Battery", "de": "Batterie"},
        "battery": {"en": "Battery", "de": "Batterie"},
    },
    roles={
        "total_battery_charge": {"en": "Into the battery", "de": "Batterie geladen"},
        "total_battery_discharge": {"en": "Out of the battery", "de": "Batterie entladen"},
        "battery_soc": {"en": "Battery's charge", "de": "Ladestand der Batterie"},
    },
    setup={
        "batteries": {"en": "Battery", "de": "Batterie"},
        "none_batteries": {"en": "No battery: Luna still plans car and heater.", "de": "Keine Batterie: Luna plant trotzdem Auto und Warmwasser."},
        "add_batteries": {"en": "Add a battery", "de": "Batterie hinzufügen"},
        "review_battery": {"en": "{capacity} kWh, {power} kW", "de": "{capacity} kWh, {power} kW"},
    },
    defaults={
        "min_soc": "it may be emptied",
        "charge_efficiency": "a twentieth is lost in charging",
        "discharge_efficiency": "a twentieth is lost in discharging",
        "wear_price": "using it costs nothing",
        "charge_from_grid": "the contract lets it charge from the grid",
        "discharge_to_grid": "the contract lets it sell",
    },
)
