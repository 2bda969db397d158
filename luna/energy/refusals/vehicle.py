"""What is refused of vehicles: how they and their chargers are described and told, their stays, and the habits of those that a variant adds."""

from luna.energy.errors import NotFoundError
from luna.energy.refusals.reason import PageText, RefusalReason

REASONS: dict[str, RefusalReason] = {
    "current-bounds-crossed": RefusalReason(
        "min_current_a {min_current_a:g} must not exceed max_current_a {max_current_a:g}",
        None,
        PageText("Der kleinste Ladestrom ({min_current_a:number} A) liegt über dem größten ({max_current_a:number} A).", "Verbessere einen der beiden."),
    ),
    "vehicle-soc-bounds-crossed": RefusalReason(
        "min_soc {min_soc:g} must not exceed max_soc {max_soc:g}",
        None,
        PageText("Der kleinste Ladestand ({min_soc:share}) liegt über dem größten ({max_soc:share}).", "Verbessere einen der beiden."),
        PageText("The lowest charge ({min_soc:share}) lies above the highest ({max_soc:share}).", "Correct one of the two."),
    ),
    "charger-powers": RefusalReason(
        "charger: its powers lie outside min_charge_kw {min_charge_kw:g} to charge_limit_kw {charge_limit_kw:g}",
        None,
        PageText(
            "Die Leistungen der Ladestation liegen außerhalb von {min_charge_kw:number} bis {charge_limit_kw:number} kW.",
            "Verbessere die Ladestation oder die Grenzen des Fahrzeugs.",
        ),
    ),
    "control-vehicle-soc-missing": RefusalReason(
        "soc is needed where a car gives; without it nobody knows whether it may",
        None,
        PageText("Ein Auto, das abgibt, braucht unter control soc; sonst weiß niemand, ob es darf.", "Nenn, wo sein Ladestand zu lesen ist."),
    ),
    "control-no-charger": RefusalReason(
        "control: currents and phases of {vehicle!r} are not known; name vehicles.charger, or write {{power_w}}",
        None,
        PageText("Ströme und Phasen von „{vehicle}“ sind nicht bekannt.", "Nenn die Ladestation des Fahrzeugs, oder schreib {{power_w}}."),
    ),
    "arrival-unknown": RefusalReason(
        "how full the vehicle comes is not known",
        "Say how full it is when it comes, or now where it is there: 0.4; or name its sensor under input_sensors.vehicle_soc.",
        PageText("Es ist nicht bekannt, wie voll das Auto kommt.", "Gib an, wie voll es bei der Ankunft ist."),
        PageText("It is not known how full the car comes.", "Enter how full it is on arrival."),
    ),
    "stay-reversed": RefusalReason(
        "a stay ends after it begins, so this must be later than from",
        None,
        PageText("Das Ende liegt vor dem Anfang.", "Wähl ein späteres Ende."),
        PageText("The end lies before the beginning.", "Choose a later end."),
    ),
    "stay-overlaps": RefusalReason(
        "{vehicle} stays from {span} already",
        "Remove it first, or begin after it: session {session_id}.",
        PageText("{vehicle:device} steht zu dieser Zeit schon an der Ladestation.", "Nimm den anderen Aufenthalt zuerst zurück oder beginne danach."),
        PageText("{vehicle:device} is at its charger at that time already.", "Take that stay back first, or begin after it."),
    ),
    "stay-passed": RefusalReason(
        "the stay is over already",
        "Name a time that is still to come.",
        PageText("Diese Zeit ist vorbei.", "Wähl eine Zeit, die noch kommt."),
        PageText("This time has passed.", "Choose a time that is still to come."),
    ),
    "stay-too-long": RefusalReason(
        "the stay is too long",
        "Stays last {days} days at most.",
        PageText("Das ist zu lang.", "Höchstens {days} Tage."),
        PageText("This is too long.", "At most {days} days."),
    ),
    "stay-repeats-early": RefusalReason(
        "it comes again before it has left",
        "Name fewer days, or a shorter stay.",
        PageText("Das Auto käme wieder, bevor es weg war.", "Nenn weniger Tage oder einen kürzeren Aufenthalt."),
    ),
    "charge-power-beyond": RefusalReason(
        "the vehicle never charges with so much",
        "At most {most_kw:g} kW, its charger counted.",
        PageText("Mit so viel Leistung lädt das Auto nie.", "Höchstens {most_kw:number} kW, die Ladestation mitgerechnet."),
        PageText("The car never charges with so much.", "At most {most_kw:number} kW, its charger counted."),
    ),
    "soc-beyond": RefusalReason(
        "the vehicle is never charged this far",
        "At most {max_soc:g}, its max_soc.",
        PageText("So weit wird das Auto nie geladen.", "Höchstens {max_soc:share}."),
        PageText("The car is never charged this far.", "At most {max_soc:share}."),
    ),
    "no-such-stay": RefusalReason(
        "the site has no such stay",
        "List them: luna session list --site {site_id}.",
        PageText("Das gibt es nicht oder nicht mehr.", "Lade die Seite neu."),
        PageText("This is not there, or not any more.", "Load the page again."),
        error=NotFoundError,
    ),
    "session-reversed": RefusalReason(
        "the session ends before it begins",
        "Swap from and to.",
        PageText("Das Ende liegt vor dem Anfang.", "Wähl ein späteres Ende."),
        PageText("The end lies before the beginning.", "Choose a later end."),
    ),
    "session-power-beyond": RefusalReason(
        "the vehicle never charges with so much",
        "At most {most_kw:g} kW (vehicles.{name}, its charger counted).",
        PageText("Mit so viel Leistung lädt {name:device} nie.", "Höchstens {most_kw:number} kW, die Ladestation mitgerechnet."),
    ),
    "session-overlaps": RefusalReason(
        "the session begins before the one before it has ended",
        "Begin it at {to} or later, or join both.",
        PageText("Der Aufenthalt beginnt, bevor der davor zu Ende ist.", "Beginn ihn {to:instant} oder später, oder fass beide zusammen."),
    ),
    "session-soc-beyond": RefusalReason(
        "the vehicle is never charged this far",
        "At most {max_soc:g} (vehicles.{name}.max_soc).",
        PageText("So weit wird {name:device} nie geladen.", "Höchstens {max_soc:share}."),
        PageText("{name:device} is never charged this far.", "At most {max_soc:share}."),
    ),
    "soc-beyond-limit": RefusalReason(
        "{name} {wanted:g} must not exceed limit_soc {limit_soc:g}",
        None,
        PageText("Der gewünschte Ladestand ({wanted:share}) liegt über der Grenze ({limit_soc:share}).", "Verbessere einen der beiden."),
    ),
    "habit-without-vehicle": RefusalReason(
        "a habit goes with a vehicle that the variant adds",
        "Give each vehicle that is added from, to and energy_kwh_per_day, and no other.",
        PageText(
            "Eine Gewohnheit gehört zu einem Fahrzeug, das die Variante hinzufügt.",
            "Gib jedem neuen Fahrzeug from, to und energy_kwh_per_day, und keinem anderen.",
        ),
    ),
    "variant-no-such-vehicle": RefusalReason(
        "the site has no such vehicle",
        "Its vehicles are: {names}.",
        PageText("Dieses Fahrzeug gibt es hier nicht.", "Es gibt: {names}."),
    ),
    "day-beyond-vehicle": RefusalReason(
        "a day takes more than the vehicle holds",
        "It holds {holds_kwh:g} kWh; give it a larger battery or a shorter way.",
        PageText("Ein Tag braucht mehr, als das Fahrzeug fasst.", "Es fasst {holds_kwh:number} kWh; gib ihm eine größere Batterie oder einen kürzeren Weg."),
    ),
    "no-such-vehicle": RefusalReason(
        "the site has no such vehicle",
        "There are: {names}.",
        PageText("Dieses Fahrzeug gibt es hier nicht.", "Es gibt: {names:devices}."),
        PageText("There is no such vehicle here.", "There are: {names:devices}."),
    ),
    "no-vehicle": RefusalReason(
        "the site has no such vehicle",
        "Describe one in the site's file, under vehicles.",
        PageText("Hier gibt es kein Fahrzeug.", "Trag zuerst eins beim Standort ein."),
        PageText("There is no vehicle here.", "Add one to the site first."),
    ),
}
