"""What is refused of planning: requests, owners' orders, what-ifs, and what a plan rests on."""

from luna.energy.errors import ConflictError, NotFoundError, UnavailableError
from luna.energy.refusals.reason import PageText, RefusalReason

REASONS: dict[str, RefusalReason] = {
    "block-contradicts": RefusalReason(
        "{action} contradicts {other}{block} from {span}",
        "Remove one of the two, or let them follow on each other.",
        PageText("Das widerspricht etwas, das schon festgelegt ist.", "Nimm eins von beiden zurück oder lass sie aufeinander folgen."),
        PageText("This contradicts something that is fixed already.", "Take one of the two back, or let them follow on each other."),
    ),
    "no-such-device": RefusalReason(
        "the site has no such device",
        "Name one of: {names}.",
        PageText("Dieses Gerät gibt es hier nicht.", "Es gibt: {names:devices}."),
        PageText("There is no such device here.", "There are: {names:devices}."),
    ),
    "device-cannot": RefusalReason(
        "{device} knows no such action",
        "Choose from: {actions}.",
        PageText("{device:device} kann das nicht.", "Wähl etwas, das angeboten wird."),
        PageText("{device:device} cannot do that.", "Choose something that is offered."),
    ),
    "block-passed": RefusalReason(
        "the block has passed already",
        "Name a time that is still to come.",
        PageText("Diese Zeit ist vorbei.", "Wähl eine Zeit, die noch kommt."),
        PageText("This time has passed.", "Choose a time that is still to come."),
    ),
    "block-too-long": RefusalReason(
        "the block is too long",
        "Blocks last {days} days at most; what shall hold for good belongs into the site.",
        PageText("Das ist zu lang.", "Höchstens {days} Tage."),
        PageText("This is too long.", "At most {days} days."),
    ),
    "power-too-small": RefusalReason(
        "too little power to charge at all",
        "It charges from {least:g} kW on.",
        PageText("Mit so wenig Leistung lädt das Gerät nicht.", "Mindestens {least:number} kW."),
        PageText("That is too little power to charge at all.", "At least {least:number} kW."),
    ),
    "no-control": RefusalReason(
        "the site has no section control",
        "Describe how its devices are told, as in config/site.yaml, and add it again: luna site add --file site.yaml.",
        PageText("Noch hat niemand gesagt, wie die Geräte gesteuert werden.", "Beschreib es in der Datei des Standorts, unter control."),
        PageText("Nobody has said yet how the devices are told.", "Describe it in the site's file, under control."),
    ),
    "only-advised": RefusalReason(
        "the site is only advised; nothing is sent",
        "Choose on the page of the site how its battery is told, then arm it.",
        PageText("Luna berät hier nur; gesendet wird nichts.", "Wähl auf der Seite des Standorts, wie die Batterie gesteuert wird."),
        PageText("Luna only advises here; nothing is sent.", "Choose on the page of the site how its battery is told."),
    ),
    "instant-passed": RefusalReason(
        "this has passed",
        "Name an instant that is still to come.",
        PageText("Diese Zeit ist vorbei.", "Wähl eine Zeit, die noch kommt."),
        PageText("This time has passed.", "Choose a time that is still to come."),
    ),
    "device-not-controlled": RefusalReason(
        "the site's section control does not name it",
        "There are {devices}.",
        PageText("Dieses Gerät steuert Luna nicht.", "Es gibt: {devices:devices}."),
        PageText("Luna does not control this device.", "There are: {devices:devices}."),
    ),
    "no-such-mode": RefusalReason(
        "{device} has no such mode",
        "There are {modes}.",
        PageText("{device:device} kann das nicht.", "Wähl etwas, das angeboten wird."),
        PageText("{device:device} cannot do that.", "Choose something that is offered."),
    ),
    "window-reversed": RefusalReason(
        "the window ends before it begins",
        "Swap the days.",
        PageText("Das Ende liegt vor dem Anfang.", "Wähl ein späteres Ende."),
        PageText("The end lies before the beginning.", "Choose a later end."),
    ),
    "carbon-missing": RefusalReason(
        "the grid's carbon intensity is missing",
        "Add it, load it (luna data load --kind carbon), or leave carbon out.",
        PageText("Der CO₂-Gehalt des Netzstroms fehlt.", "Gib ihn auf der Seite Daten ab, oder lass CO₂ aus der Abwägung."),
        PageText("The grid's carbon intensity is missing.", "Hand it over on the page Data, or leave carbon out."),
    ),
    "weighted-price-high": RefusalReason(
        "a weighted price is too high",
        "Lower carbon_price_per_kg or self_sufficiency_price: prices count up to ±{most_price:g} per kWh.",
        PageText("Ein gewichteter Preis ist zu hoch.", "Senk carbon_price_per_kg oder self_sufficiency_price: Preise zählen bis ±{most_price:number} je kWh."),
    ),
    "slot-price-missing": RefusalReason(
        "the price of this slot is missing",
        "Load it: luna data load --kind prices.",
        PageText("Für diese Zeit fehlt ein Preis.", "Luna fragt stündlich danach, wo es darf; sonst gib ihn auf der Seite Daten ab."),
        PageText("A price is missing for this time.", "Luna asks for it every hour where it may; else hand it over on the page Data."),
    ),
    "no-such-block": RefusalReason(
        "the site has no such block",
        "List them: luna manual list --site {site_id}.",
        PageText("Das gibt es nicht oder nicht mehr.", "Lade die Seite neu."),
        PageText("This is not there, or not any more.", "Load the page again."),
        error=NotFoundError,
    ),
    "no-such-question": RefusalReason(
        "no such question",
        "Take the what_if_id from the answer that accepted it.",
        PageText("Diese Frage gibt es nicht oder nicht mehr.", "Geh zur Seite zurück, auf der sie gestellt wurde."),
        PageText("There is no such question, or not any more.", "Go back to the page that asked it."),
        error=NotFoundError,
    ),
    "no-such-plan": RefusalReason(
        "no such plan",
        "Take the plan_id from the answer of a plan.",
        PageText("Diesen Plan gibt es nicht oder nicht mehr.", "Lade die Seite neu."),
        PageText("There is no such plan, or not any more.", "Load the page again."),
        error=NotFoundError,
    ),
    "no-plan-yet": RefusalReason(
        "the site has no plan yet",
        "Ask for one: POST /v1/plans, or luna plan.",
        PageText("Noch gibt es keinen Plan.", "Plan neu: „Jetzt planen“ auf der Seite Planung."),
        PageText("There is no plan yet.", "Plan anew: “Plan now” on the page Planning."),
        error=NotFoundError,
    ),
    "no-plan-before": RefusalReason(
        "no plan was issued before it for the same slots",
        "Take the plan_id from the answer of a plan, or name the plan to compare with.",
        PageText("Davor gab es keinen Plan für dieselbe Zeit.", "Vergleich mit einem anderen Plan."),
        error=NotFoundError,
    ),
    "price-no-number": RefusalReason(
        "a price is no finite number",
        "Leave the slot out.",
        PageText("Ein Preis ist keine Zahl.", "Lass diese Zeit weg."),
    ),
    "no-market-prices": RefusalReason(
        "no prices of this market",
        "Load some, or name the market that the site's tariff names.",
        PageText("Von diesem Markt gibt es keine Preise.", "Gib welche auf der Seite Daten ab, oder nenn den Markt des Tarifs."),
        error=NotFoundError,
    ),
    "start-within-slot": RefusalReason(
        "the start lies {over:g} minutes within a slot of {slot_minutes}",
        "Give first_slot_minutes: {remains:g} beside it, what remains of that slot; or start at {start}, where it begins.",
        PageText(
            "Der Beginn liegt {over:number} Minuten in einem Zeitschritt von {slot_minutes}.",
            "Gib first_slot_minutes: {remains:number} dazu an, oder beginne {start:instant}.",
        ),
    ),
    "plan-without-site": RefusalReason(
        "a plan without a stored site needs site, start and outlook",
        "Add them to the request.",
        PageText("Ein Plan ohne gespeicherten Standort braucht site, start und outlook.", "Gib sie mit an."),
    ),
    "terminal-batteries": RefusalReason(
        "values do not fit the site's batteries",
        "Name exactly: {names}.",
        PageText("Die Werte passen nicht zu den Batterien des Standorts.", "Nenn genau: {names}."),
    ),
    "no-such-component": RefusalReason(
        "the tariff has no such component",
        "Its components are: {names}.",
        PageText("Diesen Teil hat der Tarif nicht.", "Es gibt: {names}."),
    ),
    "no-such-battery": RefusalReason(
        "the site has no such battery",
        "Name one of: {names}.",
        PageText("Diese Batterie gibt es hier nicht.", "Es gibt: {names}."),
    ),
    "state-no-such-battery": RefusalReason(
        "the site has no such battery",
        "Its batteries are: {names}.",
        PageText("Diese Batterie gibt es hier nicht.", "Es gibt: {names}."),
    ),
    "soc-missing": RefusalReason(
        "the battery's state of charge is missing",
        "Add it, a share from 0 to 1.",
        PageText("Der Ladestand der Batterie fehlt.", "Gib ihn an, von 0 bis 1."),
    ),
    "run-reversed": RefusalReason(
        "the run is to be over before it may begin",
        "Give a later instant.",
        PageText("Der Lauf müsste zu Ende sein, bevor er beginnen darf.", "Gib einen späteren Zeitpunkt an."),
    ),
    "no-such-load": RefusalReason(
        "the site has none of this name among its {kind}",
        "Known: {names}.",
        PageText("Ein Gerät dieses Namens gibt es hier nicht.", "Es gibt: {names}."),
    ),
    "no-forecast-by-then": RefusalReason(
        "no forecast was issued by then",
        "Issue one: luna forecast issue.",
        PageText("Für jetzt gibt es keine Vorhersage von Verbrauch und Sonne.", "Luna macht jede Viertelstunde eine; „Jetzt planen“ fragt sofort."),
        PageText("There is no forecast of consumption and sun for now.", "Luna makes one every quarter-hour; “Plan now” asks at once."),
    ),
    "no-forecast-then": RefusalReason(
        "no forecast covers this instant",
        "Issue one: luna forecast issue.",
        PageText("Für jetzt gibt es keine Vorhersage von Verbrauch und Sonne.", "Luna macht jede Viertelstunde eine; „Jetzt planen“ fragt sofort."),
        PageText("There is no forecast of consumption and sun for now.", "Luna makes one every quarter-hour; “Plan now” asks at once."),
    ),
    "no-such-variant": RefusalReason(
        "the question has no such variant",
        "It has: {variants}.",
        PageText("Diese Variante hat die Frage nicht.", "Es gibt: {variants}."),
    ),
    "request-without-start": RefusalReason(
        "the stored request has no start",
        "Plan anew.",
        PageText("Der gespeicherte Plan hat keinen Beginn.", "Plan neu: „Jetzt planen“ auf der Seite Planung."),
    ),
    "request-without-outlook": RefusalReason(
        "the stored request has no outlook",
        "Plan anew.",
        PageText("Der gespeicherte Plan hat keine Vorschau.", "Plan neu: „Jetzt planen“ auf der Seite Planung."),
    ),
    "no-forecast-at-start": RefusalReason(
        "no forecast covers the start",
        "Issue one: luna forecast issue --site {site} --at T --version {version}.",
        PageText("Für jetzt gibt es keine Vorhersage von Verbrauch und Sonne.", "Luna macht jede Viertelstunde eine; „Jetzt planen“ fragt sofort."),
        PageText("There is no forecast of consumption and sun for now.", "Luna makes one every quarter-hour; “Plan now” asks at once."),
        error=NotFoundError,
    ),
    "no-forecasts-issued": RefusalReason(
        "no forecasts were issued for the window",
        "Issue them: luna replay does so, or luna forecast issue --site {site_id} --version {version}.",
        PageText("Für diese Tage gibt es keine Vorhersagen.", "Wähl Tage ohne Lücken; die Seite Daten zeigt sie."),
        PageText("There are no forecasts of these days.", "Choose days without gaps; the page Data shows them."),
        error=NotFoundError,
    ),
    "observations-missing": RefusalReason(
        "{count} slots of the window have no observation, the first at {slot}",
        "Load them (luna data load --kind observations), or choose days without gaps (luna data query shows them).",
        PageText("Von diesen Tagen ist etwas unbekannt: {count} Zeitschritte, der erste {slot}.", "Wähl Tage ohne Lücken; die Seite Daten zeigt sie."),
        PageText("Something of these days is unknown: {count} slots, the first at {slot}.", "Choose days without gaps; the page Data shows them."),
    ),
    "carbon-figure-missing": RefusalReason(
        "the grid's carbon intensity is missing",
        "Add it, load it (luna data load --kind carbon), or ask for other figures.",
        PageText("Der CO₂-Gehalt des Netzstroms fehlt.", "Gib ihn auf der Seite Daten ab, oder frag nach anderen Zahlen."),
        PageText("The grid's carbon intensity is missing.", "Hand it over on the page Data, or ask for other figures."),
    ),
    "plans-apart": RefusalReason(
        "both plans have no slots in common",
        "Name a plan before it that covers some of the same slots.",
        PageText("Beide Pläne haben keine Zeit gemeinsam.", "Nenn einen Plan davor, der dieselbe Zeit betrifft."),
    ),
    "stored-slot-length": RefusalReason(
        "a stored site is planned in slots of 15 minutes",
        "Leave it out.",
        PageText("Ein gespeicherter Standort wird in Zeitschritten von 15 Minuten geplant.", "Lass die Länge weg."),
    ),
    "inputs-without-site": RefusalReason(
        "the plan's inputs hold no site",
        "Plan anew.",
        PageText("Womit dieser Plan gerechnet wurde, nennt keinen Standort.", "Plan neu: „Jetzt planen“ auf der Seite Planung."),
    ),
    "margin-of-plan": RefusalReason(
        "a plan has no margin, acting on it has",
        "Ask it of recorded days: luna what-if --from DAY --to DAY.",
        PageText("Ein Plan hat keine Marge; die hat erst, wer nach ihm handelt.", "Stell die Frage zu vergangenen Tagen."),
        PageText("A plan has no margin, acting on it has.", "Ask it of recorded days."),
    ),
    "no-battery-sells": RefusalReason(
        "no battery of the site may sell",
        "Set discharge_to_grid of one to true.",
        PageText("Keine Batterie des Standorts darf verkaufen.", "Erlaub es einer: discharge_to_grid."),
    ),
    "sale-beyond": RefusalReason(
        "more than can be sold within the horizon",
        "Ask for {most:.1f} kWh at most.",
        PageText("Mehr, als in dieser Zeit verkauft werden kann.", "Höchstens {most:number} kWh."),
    ),
    "why-not-no-such-device": RefusalReason(
        "the site has no such device",
        "Name one of: {names}.",
        PageText("Dieses Gerät gibt es hier nicht.", "Es gibt: {names}."),
        PageText("There is no such device here.", "There are: {names}."),
    ),
    "why-not-no-such-mode": RefusalReason(
        "is no mode of this device",
        "Choose from: {modes}.",
        PageText("Diese Betriebsart hat das Gerät nicht.", "Wähl etwas, das angeboten wird."),
    ),
    "outside-plan": RefusalReason(
        "lies outside the plan",
        "The plan covers {span}.",
        PageText("Das liegt außerhalb des Plans.", "Der Plan reicht {span}."),
    ),
    "usual-unknown": RefusalReason(
        "nothing was observed in the days before, of which the usual is made",
        "Begin the window a day later, or load what was observed before.",
        PageText(
            "Von den Tagen davor, aus denen das Übliche gebildet wird, ist nichts bekannt.", "Beginn einen Tag später, oder lade, was davor gemessen wurde."
        ),
    ),
    "no-array-to-scale": RefusalReason(
        "the site has no array whose production could be scaled",
        "Load the production of an array nearby as pv_kwh of this site, and give the site that array.",
        PageText(
            "Der Standort hat keine Solaranlage, deren Ertrag sich umrechnen ließe.",
            "Lade den Ertrag einer Anlage in der Nähe als pv_kwh, und trag die Anlage ein.",
        ),
    ),
    "not-from-recorded-days": RefusalReason(
        "cannot be told from recorded days",
        "Ask it of a plan: luna what-if --plan.",
        PageText("Das lässt sich aus vergangenen Tagen nicht sagen.", "Stell die Frage zu einem Plan."),
        PageText("This cannot be told from recorded days.", "Ask it of a plan."),
    ),
    "part-of-recorded-load": RefusalReason(
        "what it used is part of the recorded load and cannot be told from it",
        "Leave it as it is, or add another; a plan (luna what-if --plan) can change it.",
        PageText(
            "Was es verbrauchte, ist Teil des gemessenen Verbrauchs und nicht von ihm zu trennen.",
            "Lass es, wie es ist, füg ein weiteres hinzu, oder stell die Frage zu einem Plan.",
        ),
        PageText("What it used is part of the recorded load and cannot be told from it.", "Leave it as it is, add another, or ask it of a plan."),
    ),
    "cost-not-in-time": RefusalReason(
        "what the block costs was not found in time",
        "Try again, or give plans more time: options.time_limit_s.",
        PageText("Was das kostet, war nicht rechtzeitig zu finden.", "Versuch es noch einmal, oder gib Plänen mehr Zeit: options.time_limit_s."),
        error=UnavailableError,
    ),
    "no-plan-to-compare": RefusalReason(
        "there is no plan to compare with yet",
        "Plan first; then every block says its cost.",
        PageText("Noch gibt es keinen Plan.", "Warte auf den ersten."),
        PageText("There is no plan yet.", "Wait for the first one."),
        error=ConflictError,
    ),
    "no-such-question-here": RefusalReason(
        "no such question",
        "Go back to the page that asked it.",
        PageText("Diese Frage gibt es hier nicht.", "Geh zur Seite zurück, auf der sie gestellt wurde."),
        error=NotFoundError,
    ),
    "no-number": RefusalReason(
        "this is no number",
        "Write kilowatts, such as 3.5, or leave it empty.",
        PageText("Das ist keine Zahl.", "Schreib Kilowatt, etwa 3,5, oder lass es leer."),
    ),
    "block-reversed": RefusalReason(
        "a block ends after it begins, so this must be later than from",
        None,
        PageText("Das Ende liegt vor dem Anfang.", "Wähl ein späteres Ende."),
        PageText("The end lies before the beginning.", "Choose a later end."),
    ),
    "power-without-charge": RefusalReason(
        "this goes with charge and discharge, not with {action}",
        None,
        PageText("Eine Leistung gehört nur zum Laden und Entladen.", "Lass die Leistung leer."),
        PageText("A power goes with charging and discharging alone.", "Leave the power empty."),
    ),
    "warning-reversed": RefusalReason(
        "a warning ends after it begins: to must be later than from",
        None,
        PageText("Das Ende liegt vor dem Anfang.", "Wähl ein späteres Ende."),
        PageText("The end lies before the beginning.", "Choose a later end."),
    ),
    "terminal-value-missing": RefusalReason(
        "terminal.value is needed: currency per stored kWh",
        None,
        PageText("terminal.value fehlt: Währung je gespeicherter kWh.", "Gib es an."),
    ),
    "risk-without-scenarios": RefusalReason(
        "options.risk weighs scenarios: it needs options.uncertainty: scenarios",
        None,
        PageText("options.risk wägt Szenarien ab und braucht options.uncertainty: scenarios.", "Gib beides an, oder lass options.risk weg."),
    ),
    "site-or-site-id": RefusalReason(
        "give either site (with start, outlook and state) or site_id",
        None,
        PageText("Es braucht entweder site (mit start, outlook und state) oder site_id.", "Gib eins von beiden an."),
    ),
    "site-without-outlook": RefusalReason(
        "a site in the request needs start and outlook beside it",
        None,
        PageText("Ein Standort in der Anfrage braucht start und outlook daneben.", "Gib sie mit an."),
    ),
    "scenarios-missing": RefusalReason(
        "options.uncertainty: scenarios needs outlook.scenarios: probability, load_kwh, pv_kwh",
        None,
        PageText("options.uncertainty: scenarios braucht outlook.scenarios.", "Gib probability, load_kwh und pv_kwh an."),
    ),
    "first-slot-too-long": RefusalReason(
        "first_slot_minutes is what remains of the first slot: at most slot_minutes",
        None,
        PageText("first_slot_minutes ist, was vom ersten Zeitschritt bleibt: höchstens slot_minutes.", "Gib weniger an."),
    ),
    "course-energies": RefusalReason(
        "courses are energies from 0 to {most_kwh} kWh by course and slot",
        None,
        PageText("Verläufe sind Energien von 0 bis {most_kwh:number} kWh je Verlauf und Zeitschritt.", "Verbessere sie."),
    ),
    "probabilities-sum": RefusalReason(
        "probabilities add up to {probability:g}, one at most",
        None,
        PageText("Die Wahrscheinlichkeiten ergeben zusammen {probability:number}, höchstens 1.", "Verbessere sie."),
    ),
    "on-and-off": RefusalReason(
        "on_hours {on_hours:g} and off_hours {off_hours:g}: it is on or off, give one of them",
        None,
        PageText("Es ist an oder aus: on_hours und off_hours sind beide angegeben.", "Gib eins von beiden an."),
    ),
    "until-before-slot": RefusalReason(
        "until must be later than slot",
        None,
        PageText("Das Ende liegt vor dem Anfang.", "Wähl ein späteres Ende."),
        PageText("The end lies before the beginning.", "Choose a later end."),
    ),
    "figures-without-charge": RefusalReason(
        "power_kw and target_soc go with charge and export, not with {mode}",
        None,
        PageText("Leistung und Ziel gehören nur zum Laden und Verkaufen.", "Lass sie leer."),
    ),
    "variant-names": RefusalReason(
        "every variant has a name of its own, and {baseline} is the site as it is; wrong is {name!r}",
        None,
        PageText("Jede Variante braucht einen eigenen Namen; falsch ist „{name}“.", "Benenn sie anders; {baseline} ist der Standort, wie er ist."),
    ),
    "figures-alike": RefusalReason(
        "figures: name two different ones",
        None,
        PageText("Es braucht zwei verschiedene Zahlen.", "Nenn zwei verschiedene."),
    ),
    "charges-with-less": RefusalReason(
        "more power than the device has",
        "{device} takes {most:g} kW at most.",
        PageText("So viel Leistung hat das Gerät nicht.", "Höchstens {most:number} kW."),
        PageText("The device does not have so much power.", "At most {most:number} kW."),
    ),
    "discharges-with-less": RefusalReason(
        "more power than the device has",
        "{device} gives {most:g} kW at most.",
        PageText("So viel Leistung hat das Gerät nicht.", "Höchstens {most:number} kW."),
        PageText("The device does not have so much power.", "At most {most:number} kW."),
    ),
    "slots-beyond-interval": RefusalReason(
        "slots are longer than the tariff's interval",
        "Plan in shorter slots.",
        PageText("Die Zeitschritte sind länger als ein Abschnitt des Leistungspreises.", "Plan in kürzeren Zeitschritten."),
    ),
    "no-own-prices": RefusalReason(
        "no prices were loaded for the site itself",
        "Load them: luna data load --kind prices.",
        PageText("Für den Standort selbst gibt es keine Preise.", "Gib sie auf der Seite Daten ab."),
        PageText("There are no prices of the site itself.", "Hand them over on the page Data."),
    ),
    "market-without-prices": RefusalReason(
        "no prices of this market",
        "Load them: luna data load --kind prices.",
        PageText("Von diesem Markt gibt es keine Preise.", "Luna fragt stündlich danach, wo es darf; sonst gib sie auf der Seite Daten ab."),
        PageText("There are no prices of this market.", "Luna asks for them every hour where it may; else hand them over on the page Data."),
    ),
    "prices-missing": RefusalReason(
        "{count} slots have no price, the first at {when}",
        "Load them: luna data load --kind prices.",
        PageText("Ab {since:instant} fehlen Preise.", "Luna fragt stündlich danach, wo es darf; sonst gib sie auf der Seite Daten ab."),
        PageText("Prices are missing from {since:instant} on.", "Luna asks for them every hour where it may; else hand them over on the page Data."),
    ),
    "prices-in-other-currency": RefusalReason(
        "{count} slots have no price, the first at {when}",
        "They are known in {known} alone, and the site pays in {currency}: ask for them in {currency}:"
        " luna data prices --market {market} --currency {currency}; or load them in {currency}: luna data load --kind prices.",
        PageText(
            "Preise von {market} sind nur in {known} bekannt, und du zahlst in {currency}: Ab {since:instant} ist keiner zu gebrauchen.",
            "Nenn in der Beschreibung des Zuhauses die Währung des Marktes, oder gib seine Preise in {currency} auf der Seite Daten ab.",
        ),
        PageText(
            "Prices of {market} are known in {known} alone, and you pay in {currency}: from {since:instant} on none can be used.",
            "Name the market's own currency in the home's description, or hand over its prices in {currency} on the page Data.",
        ),
    ),
    "own-prices-in-other-currency": RefusalReason(
        "{count} slots have no price, the first at {when}",
        "They are known in {known} alone, and the site pays in {currency}: load them in {currency}: luna data load --kind prices.",
        PageText(
            "Deine Preise sind nur in {known} bekannt, und du zahlst in {currency}: Ab {since:instant} ist keiner zu gebrauchen.",
            "Gib sie in {currency} auf der Seite Daten ab.",
        ),
        PageText(
            "Your prices are known in {known} alone, and you pay in {currency}: from {since:instant} on none can be used.",
            "Hand them over in {currency} on the page Data.",
        ),
    ),
    "block-impossible": RefusalReason(
        "{why}", "Leave the block out, or move it.", PageText("So geht das nicht.", "Lass es weg, oder verschieb es."), quotes=True
    ),
    "prices-of-quarter-hours": RefusalReason(
        "stored prices are those of quarter-hours",
        "Plan in slots of 15 minutes.",
        PageText("Gespeicherte Preise gelten für Viertelstunden.", "Plan in Zeitschritten von 15 Minuten."),
    ),
    "which-battery": RefusalReason(
        "which battery is not said",
        "Name one of: {names}.",
        PageText("Es ist nicht gesagt, welche Batterie gemeint ist.", "Nenn eine davon: {names}."),
    ),
    "no-battery": RefusalReason(
        "which battery is not said",
        "The site has no battery.",
        PageText("Der Standort hat keine Batterie.", "Trag zuerst eine ein."),
        PageText("The site has no battery.", "Add one first."),
    ),
    "no-battery-mode": RefusalReason(
        "is no mode of a battery",
        "Choose from: {modes}.",
        PageText("Diese Betriebsart hat eine Batterie nicht.", "Wähl etwas, das angeboten wird."),
    ),
    "alternative-impossible": RefusalReason(
        "impossible: {why}",
        "Ask for less, for another mode or for another slot.",
        PageText("Das ist nicht möglich.", "Verlange weniger, eine andere Betriebsart oder eine andere Zeit."),
        quotes=True,
    ),
    "fault-strikes-once": RefusalReason(
        "a fault that names its instant strikes once: leave out times, or from",
        None,
        PageText("Ein Fehler mit Zeitpunkt kommt einmal.", "Lass times oder from weg."),
    ),
    "days-together": RefusalReason(
        "from_day and to_day are named together, or neither",
        None,
        PageText("Es braucht beide Tage oder keinen.", "Gib from_day und to_day an."),
    ),
    "validity-reversed": RefusalReason(
        "valid_until must not be before valid_from",
        None,
        PageText("Das Ende liegt vor dem Anfang.", "Wähl ein späteres Ende."),
        PageText("The end lies before the beginning.", "Choose a later end."),
    ),
    "to-day-alone": RefusalReason(
        "to_day needs from_day before it",
        None,
        PageText("Vor dem letzten Tag fehlt der erste.", "Gib from_day an."),
    ),
    "days-apart": RefusalReason(
        "to_day lies at most {days} days after from_day, and not before it",
        None,
        PageText("Der letzte Tag liegt höchstens {days} Tage nach dem ersten und nicht davor.", "Wähl andere Tage."),
    ),
    "days-from": RefusalReason(
        "this is a day from from_day on, at most {days} days of it",
        None,
        PageText("Das ist ein Tag ab dem ersten, zusammen höchstens {days} Tage.", "Wähl einen anderen Tag."),
    ),
}
