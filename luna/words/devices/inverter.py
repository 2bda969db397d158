"""What is said of inverters."""

from luna.words.devices.kind import DeviceWords

WORDS = DeviceWords(
    kind={"en": "Inverter", "de": "Wechselrichter"},
    names={
        "inverter": {"en": "Inverter", "de": "Wechselrichter"},
    },
)
