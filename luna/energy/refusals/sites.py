"""What is refused of a site: what it is described as, and how it is entered, changed and removed."""

from luna.energy.errors import ConflictError, NotFoundError, OutdatedError, UnavailableError, UnreadableError
from luna.energy.refusals.reason import PageText, RefusalReason

REASONS: dict[str, RefusalReason] = {
    "outside-meter-no-device": RefusalReason(
        "outside_house_meter: no device has the sensor {sensor!r}",
        "Name sensors there that stand under {roles} or {last} as well.",
        PageText(
            "Unter outside_house_meter steht {sensor}, und kein Gerät hat diesen Sensor.",
            "Nenn dort Sensoren, die auch unter {roles} oder {last} stehen.",
        ),
    ),
    "outside-meter-no-meter": RefusalReason(
        "outside_house_meter: the house has no meter of its own, total_load_consumption",
        "Remove it; where the grid's meter does not see a device either, name the device's sensor under total_grid_import as well.",
        PageText(
            "Unter outside_house_meter steht etwas, und das Haus hat keinen eigenen Zähler (total_load_consumption).",
            "Streich es; sieht auch der Netzzähler ein Gerät nicht, nenn dessen Sensor zusätzlich unter total_grid_import.",
        ),
    ),
    "no-such-site": RefusalReason(
        "no such site",
        "Known sites: {names}.",
        PageText("Diesen Standort gibt es nicht, oder er ist nicht deiner.", "Wähl oben einen aus."),
        PageText("There is no such site, or it is not yours.", "Choose one at the top."),
        error=NotFoundError,
    ),
    "no-site-of-yours": RefusalReason(
        "no such site",
        "You have no site yet; an admin can give you one.",
        PageText("Du hast noch keinen Standort.", "Frag, wer sich um Luna kümmert."),
        PageText("You have no site yet.", "Ask whoever looks after Luna."),
        error=NotFoundError,
    ),
    "no-site-yet": RefusalReason(
        "no such site",
        "Add one with `luna site add --file site.yaml`.",
        PageText("Noch gibt es keinen Standort.", "Richte einen ein: /ui/setup"),
        PageText("There is no site yet.", "Set one up: /ui/setup"),
        error=NotFoundError,
    ),
    "no-such-place": RefusalReason(
        "no such place",
        "Choose one of the list, or give latitude, longitude and time zone.",
        PageText("Diesen Ort gibt es nicht in der Liste.", "Wähl einen aus der Liste, oder gib Breite, Länge und Zeitzone an."),
        error=NotFoundError,
    ),
    "never-charges": RefusalReason(
        "min_charge_kw {min_charge_kw} must not exceed charge_limit_kw {charge_limit_kw}, or it never charges",
        None,
        PageText(
            "Die kleinste Ladeleistung ({min_charge_kw:number} kW) ist größer als die größte ({charge_limit_kw:number} kW); so würde nie geladen.",
            "Verbessere eine der beiden.",
        ),
        PageText(
            "The least charging power ({min_charge_kw:number} kW) is above the greatest ({charge_limit_kw:number} kW), so it would never charge.",
            "Correct one of the two.",
        ),
    ),
    "inverter-carries-nothing": RefusalReason(
        "inverters: {inverter} carries neither pv nor batteries; name them, or leave it out",
        None,
        PageText("Der Wechselrichter {inverter} trägt weder Solaranlage noch Batterie.", "Nenn sie dort, oder lass den Wechselrichter weg."),
    ),
    "soc-bounds-crossed": RefusalReason(
        "min_soc {min_soc} must lie below max_soc {max_soc}",
        None,
        PageText("Der kleinste Ladestand ({min_soc:share}) muss unter dem größten ({max_soc:share}) liegen.", "Verbessere einen der beiden."),
        PageText("The lowest charge ({min_soc:share}) must lie below the highest ({max_soc:share}).", "Correct one of the two."),
    ),
    "wear-priced-twice": RefusalReason(
        "wear_price and wear_by_depth price the same wear: give one of them",
        None,
        PageText("Der Verschleiß hat zwei Preise: wear_price und wear_by_depth.", "Gib nur einen der beiden an."),
    ),
    "wear-depths": RefusalReason(
        "wear_by_depth: to_depth rises from segment to segment up to 1, here {depths}",
        None,
        PageText("In wear_by_depth steigt to_depth von Abschnitt zu Abschnitt bis 1.", "Verbessere die Tiefen: {depths:numbers}."),
    ),
    "wear-prices-fall": RefusalReason(
        "wear_by_depth: what lies deeper wears no less, prices here are {prices}",
        None,
        PageText("In wear_by_depth kostet, was tiefer liegt, mindestens so viel.", "Verbessere die Preise: {prices:numbers}."),
    ),
    "power-in-watts": RefusalReason(
        "{name} {power_kw:g} would move all {capacity_kwh:g} kWh within seconds; give kW, not W",
        None,
        PageText("Mit {power_kw:number} kW wären {capacity_kwh:number} kWh in Sekunden bewegt.", "Gib Kilowatt an, nicht Watt."),
        PageText("With {power_kw:number} kW all {capacity_kwh:number} kWh would be moved within seconds.", "Give kilowatts, not watts."),
    ),
    "inverter-names-stranger": RefusalReason(
        "inverters: {inverter} names {name!r}, which is not under {kind}",
        None,
        PageText("Der Wechselrichter {inverter} nennt „{name}“, das nicht unter {kind} steht.", "Trag es dort ein, oder lass es beim Wechselrichter weg."),
    ),
    "behind-two-inverters": RefusalReason(
        "inverters: {name!r} stands behind two of them; one carries it",
        None,
        PageText("„{name}“ steht hinter zwei Wechselrichtern.", "Lass es bei einem der beiden weg."),
    ),
    "file-unreadable": RefusalReason(
        "cannot be read: {why}",
        "Name a readable file.",
        PageText("Die Datei lässt sich nicht lesen.", "Nenn eine lesbare Datei."),
    ),
    "file-no-text": RefusalReason(
        "is no UTF-8 text",
        "Save it as UTF-8.",
        PageText("Die Datei ist kein Text in UTF-8.", "Speicher sie als UTF-8."),
    ),
    "file-no-yaml": RefusalReason(
        "is no YAML: {why}",
        "Correct it at that line; config/site.yaml is an example.",
        PageText("Die Datei ist kein YAML.", "Verbessere sie an der genannten Stelle."),
        quotes=True,
    ),
    "site-field-fixed": RefusalReason(
        "cannot be changed",
        "Change one of: {names}.",
        PageText("Das lässt sich hier nicht ändern.", "Ändern lassen sich: {names}."),
    ),
    "no-member-of-name": RefusalReason(
        "there is none of this name",
        "There are: {names}.",
        PageText("Etwas dieses Namens gibt es nicht.", "Es gibt: {names}."),
    ),
    "vacation-no-such-load": RefusalReason(
        "strategy.vacation.loads_off: the site has no load {device!r}",
        None,
        PageText("Für den Urlaub ist ein Gerät genannt, das der Standort nicht hat: {device:device}.", "Streich es, oder trag das Gerät ein."),
    ),
    "export-share-without-pv": RefusalReason(
        "grid.export_limit_share is a share of the PV's peak power, and the site has no PV",
        None,
        PageText(
            "Die Grenze der Einspeisung ist ein Anteil der Solarleistung, und der Standort hat keine Solaranlage.", "Trag sie ein, oder streich die Grenze."
        ),
    ),
    "name-twice": RefusalReason(
        "{kind}: the name {name!r} stands twice",
        None,
        PageText("Der Name „{name}“ steht zweimal.", "Gib jedem Gerät einen eigenen."),
    ),
    "control-names": RefusalReason(
        "control: everything is named once, as under {kind}; wrong is {name!r}",
        None,
        PageText("In der Steuerung steht jedes Gerät einmal, so wie es beim Standort heißt; falsch ist „{name}“.", "Verbessere den Abschnitt control."),
    ),
    "control-advice-names": RefusalReason(
        "by: with advice nothing is sent, so that no batteries, vehicles, loads or pv are named",
        None,
        PageText("Mit „advice“ wird nichts gesendet; also steht dort kein Gerät.", "Streich die Geräte unter control, oder nenn einen anderen Weg unter by."),
    ),
    "control-names-nothing": RefusalReason(
        "batteries, vehicles, loads or pv: name what is told",
        None,
        PageText("Unter control steht kein Gerät.", "Nenn unter batteries, vehicles, loads oder pv, was gesteuert wird."),
    ),
    "control-soc-missing": RefusalReason(
        "batteries: soc is needed; without it nobody knows whether a command is safe",
        None,
        PageText("Einer Batterie unter control fehlt soc; ohne Ladestand weiß niemand, ob ein Befehl sicher ist.", "Nenn, wo ihr Ladestand zu lesen ist."),
    ),
    "control-read-back-missing": RefusalReason(
        "writes: read_back is needed with MQTT: the topic at which the device says what holds",
        None,
        PageText("Mit MQTT braucht jeder Wert unter writes auch read_back.", "Nenn das Thema, unter dem das Gerät sagt, was gilt."),
    ),
    "control-mode-missing": RefusalReason(
        "modes: {mode} is needed; name what makes the device do that",
        None,
        PageText("Unter modes fehlt {mode}.", "Nenn, womit das Gerät das tut."),
    ),
    "control-placeholder": RefusalReason(
        "no such placeholder: {{{placeholder}}}; there are {names}",
        None,
        PageText("Den Platzhalter {{{placeholder}}} gibt es nicht.", "Es gibt {names}."),
    ),
    "sensor-ends-early": RefusalReason(
        "{name} ends before it begins: let until be later than from",
        None,
        PageText("Der Sensor {name} endet, bevor er beginnt.", "Lass until nach from liegen."),
    ),
    "sensor-twice": RefusalReason(
        "{name} stands twice for the same time: let one entry end (until) where the other begins (from)",
        None,
        PageText("Der Sensor {name} steht zweimal für dieselbe Zeit.", "Lass einen Eintrag enden (until), wo der andere beginnt (from)."),
    ),
    "blocks-open": RefusalReason(
        "blocks: each but the last needs up_to_kwh, and the last has none",
        None,
        PageText("Jeder Block des Tarifs außer dem letzten braucht up_to_kwh, der letzte hat keins.", "Verbessere die Blöcke."),
    ),
    "peak-names": RefusalReason(
        "peak: each component of a capacity tariff needs a name of its own",
        None,
        PageText("Jeder Teil eines Leistungspreises braucht einen eigenen Namen.", "Benenn sie verschieden."),
    ),
    "blocks-fall": RefusalReason(
        "blocks: up_to_kwh rises; that of block {number} is {up_to_kwh:g} after {before:g}",
        None,
        PageText("Die Grenzen der Blöcke steigen; die von Block {number} ist {up_to_kwh:number} kWh nach {before:number} kWh.", "Sortiere die Blöcke."),
    ),
    "blocks-cheaper": RefusalReason(
        "blocks: a later block costs at least as much; block {number} costs {price:g} after {before:g}",
        None,
        PageText("Ein späterer Block kostet mindestens so viel; Block {number} kostet {price:number} nach {before:number}.", "Verbessere die Preise."),
    ),
    "window-within-interval": RefusalReason(
        "the window's {clock} lies within an interval of {interval_minutes} minutes",
        None,
        PageText("{clock} liegt mitten in einem Abschnitt von {interval_minutes} Minuten.", "Wähl eine Zeit, mit der ein Abschnitt beginnt."),
    ),
    "name-in-other-case": RefusalReason(
        "a site is called {other}",
        "Write {other} where you mean that one, or take another name.",
        PageText("Es gibt einen Standort „{other}“, der sich nur in Groß- und Kleinschreibung unterscheidet.", "Nimm einen anderen Namen."),
        error=ConflictError,
    ),
    "site-exists": RefusalReason(
        "there is a site of that name",
        "Take another name, or change the site that is there.",
        PageText("Einen Standort dieses Namens gibt es schon.", "Nimm einen anderen Namen."),
        PageText("There is a site of that name.", "Take another name."),
        error=ConflictError,
    ),
    "site-outdated": RefusalReason(
        "the site has version {stored}",
        "Read the site again and change what is there.",
        PageText("Der Standort wurde inzwischen geändert; er hat jetzt die Version {stored}.", "Lade ihn neu, und ändere, was da steht."),
        error=OutdatedError,
    ),
    "no-such-site-version": RefusalReason(
        "the site had no such version",
        "Choose one of those that its page lists.",
        PageText("Diese Version hatte der Standort nicht.", "Wähl eine von seiner Seite."),
        error=NotFoundError,
    ),
    "site-without-configuration": RefusalReason(
        "the site has no configuration",
        "Add it again with `luna site add --file site.yaml`.",
        PageText("Der Standort hat keine Beschreibung.", "Richte ihn neu ein: /ui/setup"),
        PageText("The site has no configuration.", "Set it up anew: /ui/setup"),
        error=NotFoundError,
    ),
    "site-unreadable": RefusalReason(
        "the stored site {site_id} cannot be read by this release: {message}",
        "Update Luna again where a newer release stored it, or store the site anew: luna site add --file site.yaml; what is"
        " stored is kept, luna site show --site {site_id} shows it.",
        PageText(
            "Der Standort {site_id} ist mit etwas gespeichert, das diese Ausgabe von Luna nicht kennt. Bis das behoben ist, wird er"
            " weder geplant noch gemessen.",
            "Aktualisiere Luna wieder, oder gib den Standort unter demselben Namen auf der Seite Einrichten neu ein. Gespeichertes"
            " bleibt, und kein anderer Standort nimmt Schaden.",
        ),
        PageText(
            "The site {site_id} is stored with something that this release of Luna does not know. It is not planned or measured until that is mended.",
            "Update Luna again, or enter the site anew under the same name on the page Set up. What is stored is kept, and no other site is harmed.",
        ),
        error=UnreadableError,
        quotes=True,
    ),
    "no-such-draft": RefusalReason(
        "no such draft of a site",
        "Begin anew at /ui/setup.",
        PageText("Diese Eingaben gibt es nicht mehr.", "Fang neu an: /ui/setup"),
        PageText("What was entered is not there any more.", "Begin anew: /ui/setup"),
        error=NotFoundError,
    ),
    "site-clock-changes": RefusalReason(
        "the site's clock is {zone} since {since:%Y-%m-%d}, and what is recorded would be billed and drawn by other days and hours",
        "Keep the time zone, store what is somewhere else now as a site of its own, or accept it: luna site add"
        " --accept-time-zone, accept_time_zone=true over HTTP. Days that were judged stay those of the old clock.",
        PageText(
            "Die Uhr des Standorts ist seit {since:day} {zone}; was aufgezeichnet ist, fiele auf andere Tage und Stunden.",
            "Behalte die Zeitzone, lege einen eigenen Standort an, oder stimm der neuen Uhr auf der letzten Seite von Einrichten zu.",
        ),
        PageText(
            "The site's clock is {zone} since {since:day}, and what is recorded would fall on other days and hours.",
            "Keep the time zone, store a site of its own, or accept the new clock on the last page of set-up.",
        ),
        error=ConflictError,
    ),
    "site-armed": RefusalReason(
        "the site is armed",
        "Disarm it first, so that its devices are handed back: luna control disarm --site {site_id}.",
        PageText("Der Standort wird gerade gesteuert.", "Schalte die Steuerung auf der Seite Planung erst aus, damit die Geräte zurückgegeben werden."),
        PageText("The site is armed.", "Disarm it on the page Planning first, so that its devices are handed back."),
        error=ConflictError,
    ),
    "devices-handed-back": RefusalReason(
        "the site's devices are being handed back",
        "Try again once the executor has done so.",
        PageText("Die Geräte des Standorts werden gerade zurückgegeben.", "Versuch es gleich noch einmal."),
        error=ConflictError,
    ),
    "site-jobs-open": RefusalReason(
        "jobs of the site are open",
        "Wait until job {job} and the others of the site have ended, or cancel them.",
        PageText("Für den Standort laufen noch Arbeiten.", "Warte, bis {job} und die anderen zu Ende sind, oder brich sie ab."),
        error=ConflictError,
    ),
    "site-changed-meanwhile": RefusalReason(
        "the site was changed meanwhile",
        "Change it again from how it is now.",
        PageText("Der Standort wurde inzwischen geändert.", "Ändere ihn noch einmal, von dem aus, was er jetzt ist."),
        error=ConflictError,
    ),
    "draft-not-stored": RefusalReason(
        "the site is not stored yet",
        "Finish it: /ui/setup/{draft_id}/review",
        PageText("Der Standort ist noch nicht fertig.", "Geh die Schritte bis zum Ende."),
        PageText("The site is not finished yet.", "Go through the steps to the end."),
        error=ConflictError,
    ),
    "nothing-fetched": RefusalReason(
        "nothing was fetched: {fault}",
        "It is tried again by itself.",
        PageText("Kein Dienst hat etwas geliefert.", "Luna versucht es von selbst wieder, Preise alle zehn Minuten, Wetter jede Stunde."),
        PageText("No service gave anything.", "Luna tries again by itself, prices every ten minutes, the weather every hour."),
        error=UnavailableError,
        quotes=True,
    ),
    "site-keeps-name": RefusalReason(
        "a site keeps its name",
        "Write {site_id}, or add a new site.",
        PageText("Ein Standort behält seinen Namen.", "Schreib {site_id}, oder leg einen neuen Standort an."),
    ),
}
