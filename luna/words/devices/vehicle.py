"""What is said of vehicles."""

from luna.words.devices.kind import DeviceWords
from luna.words.words import Words

WORDS = DeviceWords(
    kind={"en": "Vehicle", "de": "Fahrzeug"},
    prefix={"en": "vehicle", "de": "Fahrzeug"},
    names={
        "car": {"en": "Car", "de": "Auto"},
    },
    waiting={
        "vehicle": {"en": "Vehicle", "de": "Fahrzeug"},
    },
    series={
        "vehicle_kwh": {"en": "Car", "de": "Auto"},
    },
    roles={
        "vehicle_consumption": {"en": "Charging of the car", "de": "Laden des Autos"},
        "vehicle_soc": {"en": "Car's charge", "de": "Ladestand des Autos"},
        "vehicle_connected": {"en": "Car is plugged in", "de": "Auto ist angesteckt"},
    },
    fields={
        "vehicle": "a vehicle by its name",
        "vehicle_connected": "sensors that say whether a car is connected",
        "vehicle_consumption": "sensors of energy charged into vehicles",
        "vehicles": "by name, or one after the other",
    },
    entities={
        "plan_vehicle": {"en": "Planned charging of {device}", "de": "Geplantes Laden von {device}"},
        "vehicle_soc": {"en": "Planned state of charge of {device}", "de": "Geplanter Ladestand von {device}"},
        "vehicle_ready": {"en": "{device} ready at", "de": "{device} fertig um"},
        "override_vehicle": {"en": "Override {device}", "de": "{device} übersteuern"},
    },
    setup={
        "vehicles": {"en": "Car", "de": "Auto"},
        "none_vehicles": {"en": "No car that charges at home.", "de": "Kein Auto, das zu Hause lädt."},
        "add_vehicles": {"en": "Add a car", "de": "Auto hinzufügen"},
        "review_vehicle": {"en": "{capacity} kWh, charges with {least} to {power} kW", "de": "{capacity} kWh, lädt mit {least} bis {power} kW"},
    },
    defaults={
        "charge_efficiency": "a tenth is lost in charging",
        "wear_price": "for each kWh given to the house",
    },
    cause={
        "en": "A car is otherwise charged, plugged in or wanted than was planned.",
        "de": "Ein Auto ist anders geladen, angesteckt oder gewünscht als geplant.",
    },
    compromises={
        "manual_vehicle_full": {
            "en": ("manual: {name} {action} (the vehicle is full) {first} to {last}", "{kwh:.3f} kWh"),
            "de": ("von Hand: {name} {action} (das Fahrzeug ist voll) {first} bis {last}", "{kwh:.3f} kWh"),
        },
        "vehicle": {
            "en": ("vehicle {name}: {wanted:.0%} by {by}", "{missing:.1%}"),
            "de": ("Fahrzeug {name}: {wanted:.0%} bis {by}", "{missing:.1%}"),
        },
        "vehicle_minimum": {
            "en": ("vehicle {name}: at least {kw:g} kW from {first} to {last}", "{kwh:.3f} kWh"),
            "de": ("Fahrzeug {name}: mindestens {kw:g} kW von {first} bis {last}", "{kwh:.3f} kWh"),
        },
    },
    assumed=("vehicle_soc_assumed", "vehicle_usual"),
    doubts=("vehicle_soc_doubted",),
    notes={
        "vehicle_soc_read": {
            "en": "{vehicle} counts as {soc} full, by what its sensor said {at}.",
            "de": "{vehicle} gilt als zu {soc} voll, nach dem, was der Sensor {at} sagte.",
        },
        "vehicle_soc_said": {
            "en": "{vehicle} counts as {soc} full on arrival, as was said with its stay.",
            "de": "{vehicle} gilt bei der Ankunft als zu {soc} voll, wie beim Aufenthalt gesagt.",
        },
        "vehicle_soc_expected": {
            "en": "{vehicle} counts as {soc} full, as the plan before left it: nothing newer is known.",
            "de": "{vehicle} gilt als zu {soc} voll, wie der Plan davor es hinterließ: Neueres ist nicht bekannt.",
        },
        "vehicle_soc_assumed": {
            "en": "How full {vehicle} is, is not known: {soc} is assumed; say it with its stay, or name its sensor.",
            "de": "Wie voll {vehicle} ist, ist nicht bekannt: Angenommen sind {soc}; sag es beim Aufenthalt, oder nenne den Sensor.",
        },
        "vehicle_usual": {
            "en": "No stay of {vehicle} is known: by what it drives in a year it is planned at home from {comes} to {leaves}, with {need_kwh} a day.",
            "de": (
                "Von {vehicle} ist kein Aufenthalt bekannt: Nach den Kilometern im Jahr gilt es von {comes} bis {leaves} als zu Hause, mit {need_kwh} am Tag."
            ),
        },
        "vehicle_soc_doubted": {
            "en": "{vehicle} said {doubted_soc} {doubted_at} after {soc} {at}, more than it can do: {soc} counts until it is confirmed.",
            "de": "{vehicle} sagte {doubted_at} {doubted_soc} nach {soc} {at}, mehr als möglich: Es gelten {soc}, bis es sich bestätigt.",
        },
        "vehicle_not_connected": {
            "en": "{vehicle} has not been connected since {since}, though its stay has begun: planned as if it were.",
            "de": "{vehicle} ist seit {since} nicht angesteckt, obwohl der Aufenthalt begonnen hat: Geplant ist, als wäre es so.",
        },
        "no_session": {
            "en": "{vehicles}: no session known, not planned; say on the page Planning when it leaves, or what it drives in a year.",
            "de": "{vehicles}: kein Aufenthalt bekannt, nicht geplant; sag auf der Seite Planung, wann die Abfahrt ist, oder die Kilometer im Jahr.",
        },
    },
    reasons={
        "ev_cheapest": Words(
            en=(
                "Charges the car in the cheapest {count} of {total} slots until {time}: {kwh} at {price} on average.",
                "Charges the car in the cheapest of {total} slots until {time}: {kwh} at {price}.",
            ),
            de=(
                "Lädt das Auto in den günstigsten {count} von {total} Zeitabschnitten bis {time}: {kwh} zu {price} im Mittel.",
                "Lädt das Auto im günstigsten von {total} Zeitabschnitten bis {time}: {kwh} zu {price}.",
            ),
            short_en=("Cheapest {count} of {total} slots until {time}", "Cheapest of {total} slots until {time}", "Charges when it is cheapest"),
            short_de=("Günstigste {count} von {total} bis {time}", "Günstigster von {total} bis {time}", "Lädt, wenn es am günstigsten ist"),
        ),
        "ev_throughout": Words(
            en=(
                "Charges the car in every slot until {time}, also at {dearest}: {kwh} at {price} on average.",
                "Charges the car in every slot until {time}: {kwh} at {price}.",
                "Charges the car in every slot until {time}: {kwh}.",
            ),
            de=(
                "Lädt das Auto bis {time} in jedem Zeitabschnitt, auch zu {dearest}: {kwh} zu {price} im Mittel.",
                "Lädt das Auto bis {time} in jedem Zeitabschnitt: {kwh} zu {price}.",
                "Lädt das Auto bis {time} in jedem Zeitabschnitt: {kwh}.",
            ),
            short_en=("Charges in every slot until {time}", "Charges in every slot"),
            short_de=("Lädt bis {time} durchgehend", "Lädt durchgehend"),
            rises=(("price", "dearest"),),
        ),
        "ev_surplus": Words(
            en=(
                "Charges the car with solar surplus that would sell for {sell}.",
                "Charges the car with solar surplus that would cost {fee} to feed in.",
                "Charges the car with solar surplus; {held} more are held back.",
                "Charges the car with solar surplus that may not be fed in.",
            ),
            de=(
                "Lädt das Auto mit Solarüberschuss, der im Verkauf {sell} brächte.",
                "Lädt das Auto mit Solarüberschuss, dessen Einspeisung {fee} kosten würde.",
                "Lädt das Auto mit Solarüberschuss; weitere {held} werden abgeregelt.",
                "Lädt das Auto mit Solarüberschuss, der nicht eingespeist werden darf.",
            ),
            short_en=("Solar surplus; sold it brings {sell}", "Solar surplus"),
            short_de=("Solarüberschuss; verkauft {sell}", "Solarüberschuss"),
        ),
        "ev_every_slot": Words(
            en=("Charges the car in every slot until {time}: in fewer it would not be ready.",),
            de=("Lädt das Auto bis {time} durchgehend: In weniger Zeit würde es nicht fertig.",),
            short_en=("Needs every slot until {time}", "Needs every slot"),
            short_de=("Braucht jeden Zeitabschnitt bis {time}", "Braucht jeden Zeitabschnitt"),
        ),
        "ev_late": Words(
            en=("Charges the car as much as it can, yet {kwh} will be missing {at_time}.",),
            de=("Lädt das Auto, so viel es geht, doch {at_time} fehlen {kwh}.",),
            short_en=("Charges all it can; {kwh} will be missing", "Charges all it can, yet too late"),
            short_de=("Lädt, was geht; es fehlen {kwh}", "Lädt, was geht, doch zu spät"),
        ),
        "ev_short": Words(
            en=("The car waits, although {kwh} will be missing {at_time}.",),
            de=("Das Auto wartet, obwohl {at_time} {kwh} fehlen werden.",),
            short_en=("Waits, though {kwh} will be missing", "Waits, though something will be missing"),
            short_de=("Wartet, obwohl {kwh} fehlen werden", "Wartet, obwohl etwas fehlen wird"),
        ),
        "ev_among": Words(
            en=(
                "Charges the car at {buy}: other slots until {time} would save next to nothing, or cost more in the end.",
                "Charges the car now: other slots until {time} would save next to nothing, or cost more in the end.",
            ),
            de=(
                "Lädt das Auto für {buy}: Andere Zeitabschnitte bis {time} sparten fast nichts oder kämen am Ende teurer.",
                "Lädt das Auto jetzt: Andere Zeitabschnitte bis {time} sparten fast nichts oder kämen am Ende teurer.",
            ),
            short_en=("Charges at {buy}; elsewhere no better", "Charges; elsewhere no better"),
            short_de=("Lädt für {buy}; sonst nicht besser", "Lädt; sonst nicht besser"),
        ),
        "ev_waits": Words(
            en=("The car waits: a kWh costs {buy} now, {price} from {time} on.",),
            de=("Das Auto wartet: Die kWh kostet jetzt {buy}, ab {time} nur {price}.",),
            short_en=("Waits for {time}: {price} instead of {buy}", "Waits for a lower price"),
            short_de=("Wartet auf {time}: {price} statt {buy}", "Wartet auf einen günstigeren Preis"),
            rises=(("price", "buy"),),
        ),
        "ev_waits_surplus": Words(
            en=("The car waits for solar surplus, expected from {time} on.", "The car waits for solar surplus; not enough is expected until it leaves."),
            de=("Das Auto wartet auf Solarüberschuss, erwartet ab {time}.", "Das Auto wartet auf Solarüberschuss; bis zur Abfahrt wird nicht genug erwartet."),
            short_en=("Waits for sun from {time}", "Waits for sun"),
            short_de=("Wartet auf Sonne ab {time}", "Wartet auf Sonne"),
        ),
        "ev_waits_peak": Words(
            en=("The car waits: charging now would raise the peak by {kw}, which costs {cost} a month.",),
            de=("Das Auto wartet: Jetzt zu laden würde die Spitze um {kw} erhöhen, das kostet {cost} im Monat.",),
            short_en=("Waits: {kw} more of peak cost {cost} a month", "Waits: the peak would rise"),
            short_de=("Wartet: {kw} mehr Spitze, {cost} im Monat", "Wartet: Die Spitze würde steigen"),
        ),
        "ev_later": Words(
            en=(
                "The car charges from {time} on: charging now would cost more, or save next to nothing.",
                "The car need not charge yet: after what is planned there is time enough.",
            ),
            de=(
                "Das Auto lädt ab {time}: Jetzt zu laden käme teurer oder sparte fast nichts.",
                "Das Auto muss noch nicht laden: Nach dem geplanten Zeitraum bleibt genug Zeit.",
            ),
            short_en=("Charges from {time} on", "Charges later"),
            short_de=("Lädt ab {time}", "Lädt später"),
        ),
        "ev_ready": Words(
            en=("The car is as full as wanted.",),
            de=("Das Auto ist so voll wie gewünscht.",),
            short_en=("As full as wanted",),
            short_de=("So voll wie gewünscht",),
        ),
        "ev_gives": Words(
            en=("The car supplies the house: buying costs {buy}.",),
            de=("Das Auto versorgt das Haus: Kaufen kostet {buy}.",),
            short_en=("Supplies the house: buying costs {buy}", "Supplies the house"),
            short_de=("Versorgt das Haus: Kaufen kostet {buy}", "Versorgt das Haus"),
        ),
        "ev_pinned": Words(
            en=("Charges the car as you set.",),
            de=("Lädt das Auto, wie du es vorgegeben hast.",),
            short_en=("Charges as you set",),
            short_de=("Lädt wie vorgegeben",),
        ),
        "ev_minimum": Words(
            en=("Charges the car with its minimum of {kw}, as it does until it is full.",),
            de=("Lädt das Auto mit seinem Mindestwert von {kw}, bis es voll ist.",),
            short_en=("Charges its minimum of {kw}", "Charges its minimum"),
            short_de=("Lädt den Mindestwert von {kw}", "Lädt den Mindestwert"),
        ),
    },
)
