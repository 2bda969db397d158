"""What is said of appliances that may wait."""

from luna.words.devices.kind import DeviceWords
from luna.words.words import Words

WORDS = DeviceWords(
    kind={"en": "Appliance", "de": "Gerät"},
    prefix={"en": "load", "de": "Gerät"},
    names={
        "water_heater": {"en": "Water heater", "de": "Warmwasser"},
    },
    waiting={
        "water_heater": {"en": "Water heater", "de": "Warmwasser"},
    },
    series={
        "appliance_kwh": {"en": "Appliances", "de": "Geräte"},
        "water_heater_kwh": {"en": "Water heater", "de": "Warmwasser"},
    },
    roles={
        "water_heater_consumption": {"en": "Water heater", "de": "Warmwasser"},
    },
    fields={
        "loads": "by name, or one after the other",
        "loads_off": "appliances that rest meanwhile",
        "water_heater_consumption": "sensors of water heaters' electricity",
    },
    entities={
        "load_start": {"en": "{device} starts next at", "de": "{device} startet um"},
        "override_load": {"en": "Override {device}", "de": "{device} übersteuern"},
    },
    setup={
        "loads": {"en": "Water heater", "de": "Warmwasser"},
        "none_loads": {"en": "No electric water heater.", "de": "Kein elektrisches Warmwasser."},
        "add_loads": {"en": "Add a water heater", "de": "Warmwasser hinzufügen"},
        "hint_loads": {
            "en": "Luna plans it once its consumption has a meter of its own.",
            "de": "Luna plant es, sobald sein Verbrauch einen eigenen Zähler hat.",
        },
    },
    cause={"en": "An appliance has run otherwise than planned.", "de": "Ein Gerät ist anders gelaufen als geplant."},
    compromises={
        "load_day": {
            "en": ("load {name}: {wanted:.2f} kWh on {by}{only}", "{kwh:.3f} kWh"),
            "de": ("Gerät {name}: {wanted:.2f} kWh am {by}{only}", "{kwh:.3f} kWh"),
        },
        "load_by": {
            "en": ("load {name}: {wanted:.2f} kWh by {by}{only}", "{kwh:.3f} kWh"),
            "de": ("Gerät {name}: {wanted:.2f} kWh bis {by}{only}", "{kwh:.3f} kWh"),
        },
        "load_gap": {
            "en": ("load {name}: off for at most {hours:g} h (max_gap_hours)", "{count} times"),
            "de": ("Gerät {name}: höchstens {hours:g} h aus (max_gap_hours)", "{count}-mal"),
        },
        "load_run": {
            "en": ("load {name}: one run by {by}{only}", "not run"),
            "de": ("Gerät {name}: ein Lauf bis {by}{only}", "nicht gelaufen"),
        },
    },
    notes={
        "loads_not_placed": {
            "en": "When {loads} run is not planned: without a meter of their own they are part of the forecast load.",
            "de": "Wann {loads} laufen, ist nicht geplant: Ohne eigenen Zähler sind sie Teil des vorhergesagten Verbrauchs.",
        },
    },
    reasons={
        "load_cheapest": Words(
            en=(
                "Runs in the cheapest {count} of {total} slots until {time}: {kwh} at {price} on average.",
                "Runs in the cheapest of {total} slots until {time}: {kwh} at {price}.",
            ),
            de=(
                "Läuft in den günstigsten {count} von {total} Zeitabschnitten bis {time}: {kwh} zu {price} im Mittel.",
                "Läuft im günstigsten von {total} Zeitabschnitten bis {time}: {kwh} zu {price}.",
            ),
            short_en=("Cheapest {count} of {total} slots until {time}", "Cheapest of {total} slots until {time}", "Runs when it is cheapest"),
            short_de=("Günstigste {count} von {total} bis {time}", "Günstigster von {total} bis {time}", "Läuft, wenn es am günstigsten ist"),
        ),
        "load_throughout": Words(
            en=(
                "Runs in every slot in which it may until {time}, also at {dearest}: {kwh} at {price} on average.",
                "Runs in every slot in which it may until {time}: {kwh} at {price}.",
                "Runs in every slot in which it may until {time}: {kwh}.",
            ),
            de=(
                "Läuft bis {time} in jedem Zeitabschnitt, in dem es darf, auch zu {dearest}: {kwh} zu {price} im Mittel.",
                "Läuft bis {time} in jedem Zeitabschnitt, in dem es darf: {kwh} zu {price}.",
                "Läuft bis {time} in jedem Zeitabschnitt, in dem es darf: {kwh}.",
            ),
            short_en=("Runs in every slot until {time}", "Runs in every slot"),
            short_de=("Läuft bis {time} durchgehend", "Läuft durchgehend"),
            rises=(("price", "dearest"),),
        ),
        "load_surplus": Words(
            en=(
                "Runs on solar surplus that would sell for {sell}.",
                "Runs on solar surplus that would cost {fee} to feed in.",
                "Runs on solar surplus; {held} more are held back.",
                "Runs on solar surplus that may not be fed in.",
            ),
            de=(
                "Läuft mit Solarüberschuss, der im Verkauf {sell} brächte.",
                "Läuft mit Solarüberschuss, dessen Einspeisung {fee} kosten würde.",
                "Läuft mit Solarüberschuss; weitere {held} werden abgeregelt.",
                "Läuft mit Solarüberschuss, der nicht eingespeist werden darf.",
            ),
            short_en=("Solar surplus; sold it brings {sell}", "Solar surplus"),
            short_de=("Solarüberschuss; verkauft {sell}", "Solarüberschuss"),
        ),
        "load_gap": Words(
            en=("Runs now, for it may be off for {hours} at most.",),
            de=("Läuft jetzt, denn aus sein darf es höchstens {hours}.",),
            short_en=("Runs: off for {hours} at most", "Runs: it may not be off longer"),
            short_de=("Läuft: höchstens {hours} aus", "Läuft: darf nicht länger aus sein"),
        ),
        "load_among": Words(
            en=(
                "Runs at {buy}: other slots until {time} would save next to nothing, or cost more in the end.",
                "Runs now: other slots until {time} would save next to nothing, or cost more in the end.",
            ),
            de=(
                "Läuft für {buy}: Andere Zeitabschnitte bis {time} sparten fast nichts oder kämen am Ende teurer.",
                "Läuft jetzt: Andere Zeitabschnitte bis {time} sparten fast nichts oder kämen am Ende teurer.",
            ),
            short_en=("Runs at {buy}; elsewhere no better", "Runs; elsewhere no better"),
            short_de=("Läuft für {buy}; sonst nicht besser", "Läuft; sonst nicht besser"),
        ),
        "load_waits": Words(
            en=("Waits: a kWh costs {buy} now, {price} from {time} on.",),
            de=("Wartet: Die kWh kostet jetzt {buy}, ab {time} nur {price}.",),
            short_en=("Waits for {time}: {price} instead of {buy}", "Waits for a lower price"),
            short_de=("Wartet auf {time}: {price} statt {buy}", "Wartet auf einen günstigeren Preis"),
            rises=(("price", "buy"),),
        ),
        "load_waits_peak": Words(
            en=("Waits: running now would raise the peak by {kw}, which costs {cost} a month.",),
            de=("Wartet: Jetzt zu laufen würde die Spitze um {kw} erhöhen, das kostet {cost} im Monat.",),
            short_en=("Waits: {kw} more of peak cost {cost} a month", "Waits: the peak would rise"),
            short_de=("Wartet: {kw} mehr Spitze, {cost} im Monat", "Wartet: Die Spitze würde steigen"),
        ),
        "load_later": Words(
            en=("Runs from {time} on: running now would cost more, or save next to nothing.",),
            de=("Läuft ab {time}: Jetzt zu laufen käme teurer oder sparte fast nichts.",),
            short_en=("Runs from {time} on", "Runs later"),
            short_de=("Läuft ab {time}", "Läuft später"),
        ),
        "load_programme": Words(
            en=(
                "Runs its programme at {price} on average; it is to be done by {time}.",
                "Runs its programme; it is to be done by {time}.",
                "Runs its programme to the end.",
            ),
            de=(
                "Das Programm läuft, zu {price} im Mittel; fertig sein soll es bis {time}.",
                "Das Programm läuft; fertig sein soll es bis {time}.",
                "Das Programm läuft zu Ende.",
            ),
            short_en=("Its programme runs, done by {time}", "Its programme runs"),
            short_de=("Programm läuft, fertig bis {time}", "Programm läuft"),
        ),
        "load_not_now": Words(
            en=("May not run at this time.",),
            de=("Darf um diese Zeit nicht laufen.",),
            short_en=("May not run now",),
            short_de=("Darf jetzt nicht laufen",),
        ),
        "load_done": Words(
            en=("Has what it needs until {time}.",),
            de=("Hat bis {time}, was es braucht.",),
            short_en=("Has what it needs until {time}", "Has what it needs"),
            short_de=("Hat bis {time}, was es braucht", "Hat, was es braucht"),
        ),
        "load_short": Words(
            en=("Is off, though {kwh} will be missing until {time}.",),
            de=("Ist aus, obwohl bis {time} noch {kwh} fehlen.",),
            short_en=("Off, though {kwh} will be missing", "Off, though something will be missing"),
            short_de=("Aus, obwohl {kwh} fehlen", "Aus, obwohl etwas fehlt"),
        ),
    },
)
