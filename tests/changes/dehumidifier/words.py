"""What is said of dehumidifiers."""

from luna.words.devices.kind import DeviceWords
from luna.words.words import Words

WORDS = DeviceWords(
    kind={"en": "Dehumidifier", "de": "Luftentfeuchter"},
    prefix={"en": "dehumidifier", "de": "Luftentfeuchter"},
    names={
        "dehumidifier": {"en": "Dehumidifier", "de": "Luftentfeuchter"},
    },
    series={
        "dehumidifier_kwh": {"en": "Dehumidifier", "de": "Luftentfeuchter"},
    },
    roles={
        "dehumidifier_consumption": {"en": "Dehumidifier", "de": "Luftentfeuchter"},
    },
    fields={
        "dehumidifier_consumption": "sensors of dehumidifiers' electricity",
        "dehumidifiers": "by name, or one after the other",
    },
    compromises={
        "air_most": {
            "en": ("dehumidifier {name}: at most {wanted:g} % humidity, missed most at {worst}", "{percent:.1f} % too humid"),
            "de": ("Luftentfeuchter {name}: höchstens {wanted:g} % Feuchte, am meisten verfehlt um {worst}", "{percent:.1f} % zu feucht"),
        },
        "air_least": {
            "en": ("dehumidifier {name}: at least {wanted:g} % humidity, missed most at {worst}", "{percent:.1f} % too dry"),
            "de": ("Luftentfeuchter {name}: mindestens {wanted:g} % Feuchte, am meisten verfehlt um {worst}", "{percent:.1f} % zu trocken"),
        },
    },
    assumed=("air_assumed",),
    notes={
        "air_assumed": {
            "en": "How humid the air of {dehumidifiers} is, is not known: the middle of its band is assumed.",
            "de": "Wie feucht die Luft bei {dehumidifiers} ist, ist nicht bekannt: Angenommen ist die Mitte ihres Bandes.",
        },
    },
    figures={"humidity": "share", "driest": "share", "dampest": "share"},
    reasons={
        "air_dries": Words(
            en=("Runs at {buy} and brings the air to {humidity}; {dampest} is the most.", "Runs and brings the air to {humidity}; {dampest} is the most."),
            de=("Läuft für {buy} und bringt die Luft auf {humidity}; höchstens {dampest} soll sie haben.", "Läuft und bringt die Luft auf {humidity}."),
            short_en=("Runs at {buy}: air at {humidity}", "Runs: air at {humidity}", "Dries the air"),
            short_de=("Läuft für {buy}: Luft bei {humidity}", "Läuft: Luft bei {humidity}", "Trocknet die Luft"),
        ),
        "air_waits": Words(
            en=("Waits with the air at {humidity}: a kWh costs {buy} now, {price} from {time} on.",),
            de=("Wartet, die Luft ist bei {humidity}: Die kWh kostet jetzt {buy}, ab {time} nur {price}.",),
            short_en=("Waits for {time}: {price} instead of {buy}", "Waits for a lower price"),
            short_de=("Wartet auf {time}: {price} statt {buy}", "Wartet auf einen günstigeren Preis"),
            rises=(("price", "buy"),),
        ),
        "air_later": Words(
            en=("Rests with the air at {humidity} and runs again from {time} on.",),
            de=("Ruht, die Luft ist bei {humidity}, und läuft ab {time} wieder.",),
            short_en=("Runs from {time} on; air at {humidity}", "Runs later"),
            short_de=("Läuft ab {time}; Luft bei {humidity}", "Läuft später"),
        ),
        "air_dry": Words(
            en=("Rests with the air at {humidity}: another slot would bring it below {driest}.",),
            de=("Ruht, die Luft ist bei {humidity}: Ein Zeitabschnitt mehr brächte sie unter {driest}.",),
            short_en=("Rests: air at {humidity}", "Rests: dry enough"),
            short_de=("Ruht: Luft bei {humidity}", "Ruht: trocken genug"),
        ),
        "air_done": Words(
            en=("Is off to the end of the plan; the air is at {humidity}, {dampest} is the most.",),
            de=("Ist bis zum Ende des Plans aus; die Luft ist bei {humidity}, höchstens {dampest} soll sie haben.",),
            short_en=("Off: air at {humidity}", "Off"),
            short_de=("Aus: Luft bei {humidity}", "Aus"),
        ),
    },
)
