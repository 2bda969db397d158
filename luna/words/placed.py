"""Why a car charges or waits, and an appliance runs or waits."""

from luna.words.words import Words

CARS: dict[str, Words] = {
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
}

APPLIANCES: dict[str, Words] = {
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
}

PLACED: dict[str, Words] = CARS | APPLIANCES
