"""What is said of heat pumps."""

from luna.words.devices.kind import DeviceWords

WORDS = DeviceWords(
    kind={"en": "Heat pump", "de": "Wärmepumpe"},
    prefix={"en": "heat pump", "de": "Wärmepumpe"},
    names={
        "heat_pump": {"en": "Heat pump", "de": "Wärmepumpe"},
    },
    series={
        "heat_pump_kwh": {"en": "Heat pump", "de": "Wärmepumpe"},
    },
    roles={
        "heat_pump_consumption": {"en": "Heat pump", "de": "Wärmepumpe"},
    },
    setup={
        "option_heated_by_heat_pump": {"en": "a heat pump", "de": "eine Wärmepumpe"},
    },
    fields={
        "heat_pump_consumption": "sensors of heat pumps' electricity",
        "heat_pumps": "by name, or one after the other",
    },
    compromises={
        "heat_least": {
            "en": ("heat pump {name}: at least {wanted:.1f} °C, missed most at {worst}{outside}", "{kelvin:.1f} K"),
            "de": ("Wärmepumpe {name}: mindestens {wanted:.1f} °C, am meisten verfehlt um {worst}{outside}", "{kelvin:.1f} K"),
        },
        "heat_most": {
            "en": ("heat pump {name}: at most {wanted:.1f} °C, missed most at {worst}{outside}", "{kelvin:.1f} K"),
            "de": ("Wärmepumpe {name}: höchstens {wanted:.1f} °C, am meisten verfehlt um {worst}{outside}", "{kelvin:.1f} K"),
        },
        "heat_outdoor": {
            "en": ("heat pump {name}: {celsius:g} °C outdoors, no temperature is known", "assumed"),
            "de": ("Wärmepumpe {name}: {celsius:g} °C draußen, keine Temperatur ist bekannt", "angenommen"),
        },
        "heat_store": {
            "en": ("heat pump {name}: {celsius:g} °C in the store at the start (state.heat_pumps.{name}.temperature_c)", "assumed"),
            "de": ("Wärmepumpe {name}: {celsius:g} °C im Speicher zu Beginn (state.heat_pumps.{name}.temperature_c)", "angenommen"),
        },
    },
    assumed=("heat_assumed",),
    notes={
        "heat_assumed": {
            "en": "How warm the store of {heat_pumps} is, is not known: the middle of its band is assumed.",
            "de": "Wie warm der Speicher von {heat_pumps} ist, ist nicht bekannt: Angenommen ist die Mitte seines Bandes.",
        },
    },
)
