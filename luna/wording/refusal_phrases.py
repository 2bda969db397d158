"""What pages say of refusals: by what the error says, else by its code. A pattern is held against message and remedy, a line each; its groups are figures."""

from typing import NamedTuple

from luna.wording.pages import Phrase


class RefusalPhrases(NamedTuple):
    """What is told of errors that ``pattern`` fits; ``quotes``: the error itself stands beside it, for it says more."""

    pattern: str
    sentence: Phrase
    remedy: Phrase
    quotes: bool = False


_LATER = Phrase("Choose a time that is still to come.", "Wähl eine Zeit, die noch kommt.")
_THERE_ARE = Phrase("There are: {names}.", "Es gibt: {names}.")
_RELOAD = Phrase("Load the page again.", "Lade die Seite neu.")
_SHORTLY = Phrase("Try again shortly.", "Versuch es gleich noch einmal.")
_INSTALLATION = Phrase(
    "Try again shortly. If it stays so, the page Installation says what is away.",
    "Versuch es gleich noch einmal. Bleibt es so, sagt die Seite Installation, was fehlt.",
)

PLANNING = (
    RefusalPhrases(
        r"no forecast covers the start\n.*",
        Phrase("There is no forecast of consumption and sun for now.", "Für jetzt gibt es keine Vorhersage von Verbrauch und Sonne."),
        Phrase(
            "Luna makes one every quarter-hour; “Plan now” asks at once.",
            "Luna macht jede Viertelstunde eine; „Jetzt planen“ fragt sofort.",
        ),
    ),
    RefusalPhrases(
        r"\d+ slots have no price, the first at (?P<when>.*)\nThey are known in (?P<known>.*) alone, and the site pays in [A-Z]+: .*"
        r"--market (?P<market>\S+) --currency (?P<currency>[A-Z]+);.*",
        Phrase(
            "Prices of {market} are known in {known} alone, and you pay in {currency}: from {when} on none can be used.",
            "Preise von {market} sind nur in {known} bekannt, und du zahlst in {currency}: Ab {when} ist keiner zu gebrauchen.",
        ),
        Phrase(
            "Name the market's own currency in the home's description, or hand over its prices in {currency} on the page Data.",
            "Nenn in der Beschreibung des Zuhauses die Währung des Marktes, oder gib seine Preise in {currency} auf der Seite Daten ab.",
        ),
    ),
    RefusalPhrases(
        r"\d+ slots have no price, the first at (?P<when>.*)\n.*",
        Phrase("Prices are missing from {when} on.", "Ab {when} fehlen Preise."),
        Phrase(
            "Luna asks for them every hour where it may; else hand them over on the page Data.",
            "Luna fragt stündlich danach, wo es darf; sonst gib sie auf der Seite Daten ab.",
        ),
    ),
    RefusalPhrases(
        r"(a block|a stay|a warning) ends after it begins.*|.*the window ends before it begins.*|.*to_day .*from_day.*|.*from_day .*to_day.*",
        Phrase("The end lies before the beginning.", "Das Ende liegt vor dem Anfang."),
        Phrase("Choose a later end.", "Wähl ein späteres Ende."),
    ),
    RefusalPhrases(
        r"this goes with charge and discharge, not with .*",
        Phrase("A power goes with charging and discharging alone.", "Eine Leistung gehört nur zum Laden und Entladen."),
        Phrase("Leave the power empty.", "Lass die Leistung leer."),
    ),
    RefusalPhrases(
        r"(the block has passed already|the stay is over already|this has passed)\n.*", Phrase("This time has passed.", "Diese Zeit ist vorbei."), _LATER
    ),
    RefusalPhrases(
        r"the (block|stay) is too long\n.* last (?P<days>\d+) days.*",
        Phrase("This is too long.", "Das ist zu lang."),
        Phrase("At most {days} days.", "Höchstens {days} Tage."),
    ),
    RefusalPhrases(
        r"the site has no such (device|vehicle)\n(Name one of|There are): (?P<names>.*)\.",
        Phrase("There is no such device here.", "Dieses Gerät gibt es hier nicht."),
        _THERE_ARE,
    ),
    RefusalPhrases(
        r"the site has no such vehicle\n.*",
        Phrase("There is no vehicle here.", "Hier gibt es kein Fahrzeug."),
        Phrase("Add one to the site first.", "Trag zuerst eins beim Standort ein."),
    ),
    RefusalPhrases(
        r"the site's section control does not name it\nThere are (?P<names>.*)\.",
        Phrase("Luna does not control this device.", "Dieses Gerät steuert Luna nicht."),
        _THERE_ARE,
    ),
    RefusalPhrases(
        r"(?P<device>.+) (knows no such action|has no such mode)\n.*",
        Phrase("{device} cannot do that.", "{device} kann das nicht."),
        Phrase("Choose something that is offered.", "Wähl etwas, das angeboten wird."),
    ),
    RefusalPhrases(
        r"more power than the device has\n.* (takes|gives) (?P<number>\S+) kW at most\.",
        Phrase("The device does not have so much power.", "So viel Leistung hat das Gerät nicht."),
        Phrase("At most {number} kW.", "Höchstens {number} kW."),
    ),
    RefusalPhrases(
        r"too little power to charge at all\nIt charges from (?P<number>\S+) kW on\.",
        Phrase("That is too little power to charge at all.", "Mit so wenig Leistung lädt das Gerät nicht."),
        Phrase("At least {number} kW.", "Mindestens {number} kW."),
    ),
    RefusalPhrases(
        r"\w+ contradicts \w+.*\n.*",
        Phrase("This contradicts something that is fixed already.", "Das widerspricht etwas, das schon festgelegt ist."),
        Phrase("Take one of the two back, or let them follow on each other.", "Nimm eins von beiden zurück oder lass sie aufeinander folgen."),
    ),
    RefusalPhrases(
        r"the site has no section control\n.*",
        Phrase("Nobody has said yet how the devices are told.", "Noch hat niemand gesagt, wie die Geräte gesteuert werden."),
        Phrase("Describe it in the site's file, under control.", "Beschreib es in der Datei des Standorts, unter control."),
    ),
    RefusalPhrases(
        r"there is no plan to compare with yet\n.*",
        Phrase("There is no plan yet.", "Noch gibt es keinen Plan."),
        Phrase("Wait for the first one.", "Warte auf den ersten."),
    ),
    RefusalPhrases(
        r"how full the vehicle comes is not known\n.*",
        Phrase("It is not known how full the car comes.", "Es ist nicht bekannt, wie voll das Auto kommt."),
        Phrase("Enter how full it is on arrival.", "Gib an, wie voll es bei der Ankunft ist."),
    ),
    RefusalPhrases(
        r"(?P<device>.+) stays from .* already\n.*",
        Phrase("{device} is at its charger at that time already.", "{device} steht zu dieser Zeit schon an der Ladestation."),
        Phrase("Take that stay back first, or begin after it.", "Nimm den anderen Aufenthalt zuerst zurück oder beginne danach."),
    ),
    RefusalPhrases(
        r"the vehicle is never charged this far\nAt most (?P<share>\S+), its max_soc\.",
        Phrase("The car is never charged this far.", "So weit wird das Auto nie geladen."),
        Phrase("At most {share} %.", "Höchstens {share} %."),
    ),
)

DATA = (
    RefusalPhrases(
        r"(the form has no file|the form has two files)\n.*",
        Phrase("It takes one file.", "Es braucht genau eine Datei."),
        Phrase("Choose a file, then send it.", "Wähl eine Datei und schick sie."),
    ),
    RefusalPhrases(
        r"(the body is no multipart form|the form is .*|the caller hung up|the name of a part is no text)\n.*",
        Phrase("The file did not arrive whole.", "Die Datei kam nicht ganz an."),
        Phrase("Send it again; nothing was stored.", "Schick sie noch einmal; gespeichert ist nichts."),
    ),
    RefusalPhrases(
        r"\d+ files come in already\n.*", Phrase("Too many files come in at the same time.", "Gerade kommen zu viele Dateien auf einmal an."), _SHORTLY
    ),
    RefusalPhrases(
        r"no value was changed\n.*",
        Phrase("No value was changed.", "Kein Wert wurde geändert."),
        Phrase("Change one, or let the row in as it is.", "Ändere einen oder übernimm die Zeile, wie sie ist."),
    ),
    RefusalPhrases(
        r"the row was \w+ already\n.*",
        Phrase("Somebody has decided about this row already.", "Über diese Zeile ist schon entschieden."),
        Phrase("Load a file with the right value instead.", "Lade stattdessen eine Datei mit dem richtigen Wert."),
    ),
    RefusalPhrases(
        r"the row cannot be let in: .*\n.*",
        Phrase("Like this the row cannot be let in.", "So lässt sich die Zeile nicht übernehmen."),
        Phrase("Correct the value, or leave the row out.", "Verbessere den Wert oder lass die Zeile weg."),
        quotes=True,
    ),
    RefusalPhrases(
        r"the entry stands for (?P<count>\d+) readings, .*\n.*",
        Phrase(
            "The entry stands for {count} readings, which no single value corrects.",
            "Der Eintrag steht für {count} Messwerte, die kein einzelner Wert verbessert.",
        ),
        Phrase("Let them in, or leave them out.", "Übernimm sie oder lass sie weg."),
    ),
    RefusalPhrases(
        r"\d+ minutes alone make no quarter-hour\n.*",
        Phrase("The row is shorter than a quarter-hour.", "Die Zeile ist kürzer als eine Viertelstunde."),
        Phrase("Correct the file, and load it again.", "Verbessere die Datei und lade sie neu."),
    ),
    RefusalPhrases(
        r"(\d+ slots of the window have no observation.*|nothing was measured in the window|no forecasts were issued for the window)\n.*",
        Phrase("Something of these days is unknown.", "Von diesen Tagen ist etwas unbekannt."),
        Phrase("Choose days without gaps; the page Data shows them.", "Wähl Tage ohne Lücken; die Seite Daten zeigt sie."),
        quotes=True,
    ),
    RefusalPhrases(
        r"(half|a tenth) of the values lie beyond (?P<number>\S+) (?P<unit>\S+), (?P<times>\d+) times (?P<known>\S+), .*"
        r"say it with --unit (?P<other>\S+); if it is right, with --unit (?P<same>\S+)\.",
        Phrase(
            "Read in {unit} the values reach {number}, {times} times the {known} known of them: they seem to be in another unit.",
            "In {unit} gelesen reichen die Werte bis {number}, {times}-mal die bekannten {known}: Sie scheinen in einer anderen Einheit zu stehen.",
        ),
        Phrase(
            "Nothing was stored. Load the file again with its unit: {other}, or {same} if that is right.",
            "Gespeichert ist nichts. Lade die Datei noch einmal mit ihrer Einheit: {other}, oder {same}, wenn das stimmt.",
        ),
    ),
    RefusalPhrases(
        r"no such time zone\n.*",
        Phrase("There is no such time zone.", "Diese Zeitzone gibt es nicht."),
        Phrase("Write it like Europe/Berlin.", "Schreib sie wie Europe/Berlin."),
    ),
)

# Of any form: times, numbers, choices, in the words of pydantic and of ``luna.timeline``.
FORMS = (
    RefusalPhrases(
        r"(this is no number|Input should be a (valid|finite) (number|integer).*)\n.*",
        Phrase("This is no number.", "Das ist keine Zahl."),
        Phrase("Write a number, such as 3.5.", "Schreib eine Zahl, etwa 3,5."),
    ),
    RefusalPhrases(
        r"(Input should be a valid date.*|Input should have timezone info|Datetimes? .*|not a (time|day)|the year is out of range"
        r"|the time (has no offset|lies outside.*)|the offset has no sign)\n.*",
        Phrase("This is no time that can be read.", "Das ist keine lesbare Zeitangabe."),
        Phrase("Choose day and time anew.", "Wähl Tag und Uhrzeit neu."),
    ),
    RefusalPhrases(
        r"the clock of .* shows this time twice\n.*",
        Phrase("When the clocks go back, this time comes twice.", "Bei der Zeitumstellung gibt es diese Uhrzeit zweimal."),
        Phrase("Choose one an hour before or after.", "Wähl eine Stunde früher oder später."),
    ),
    RefusalPhrases(
        r"the clock of .* skips this time\n.*",
        Phrase("When the clocks go forward, this time is left out.", "Bei der Zeitumstellung fällt diese Uhrzeit aus."),
        Phrase("Choose one an hour before or after.", "Wähl eine Stunde früher oder später."),
    ),
    RefusalPhrases(
        r"Input should be greater than or equal to (?P<number>\S+)\n.*",
        Phrase("This is too small.", "Das ist zu klein."),
        Phrase("At least {number}.", "Mindestens {number}."),
    ),
    RefusalPhrases(
        r"Input should be greater than (?P<number>\S+)\n.*",
        Phrase("This is too small.", "Das ist zu klein."),
        Phrase("More than {number}.", "Mehr als {number}."),
    ),
    RefusalPhrases(
        r"Input should be less than (or equal to )?(?P<number>\S+)\n.*",
        Phrase("This is too large.", "Das ist zu groß."),
        Phrase("At most {number}.", "Höchstens {number}."),
    ),
    RefusalPhrases(r"Field required\n.*", Phrase("Something is missing.", "Hier fehlt etwas."), Phrase("Fill it in.", "Füll es aus.")),
    RefusalPhrases(
        r"String should have at most (?P<count>\d+) characters?\n.*",
        Phrase("This is too long.", "Das ist zu lang."),
        Phrase("At most {count} characters.", "Höchstens {count} Zeichen."),
    ),
    RefusalPhrases(
        r"String should have at least (?P<count>\d+) characters?\n.*",
        Phrase("This is too short.", "Das ist zu kurz."),
        Phrase("At least {count} characters.", "Mindestens {count} Zeichen."),
    ),
    RefusalPhrases(
        r"(Input should be '.*|Input should be a valid boolean.*|Input tag .*)\n.*",
        Phrase("This cannot be chosen.", "Das lässt sich nicht wählen."),
        Phrase("Choose something that is offered.", "Wähl etwas, das angeboten wird."),
    ),
)

ENTERING = (
    RefusalPhrases(
        r"no such draft of a site\n.*",
        Phrase("What was entered is not there any more.", "Diese Eingaben gibt es nicht mehr."),
        Phrase("Begin anew: /ui/setup", "Fang neu an: /ui/setup"),
    ),
    RefusalPhrases(
        r"the site is not stored yet\n.*",
        Phrase("The site is not finished yet.", "Der Standort ist noch nicht fertig."),
        Phrase("Go through the steps to the end.", "Geh die Schritte bis zum Ende."),
    ),
    RefusalPhrases(
        r"there is a site of that name\n.*",
        Phrase("There is a site of that name.", "Einen Standort dieses Namens gibt es schon."),
        Phrase("Take another name.", "Nimm einen anderen Namen."),
    ),
    RefusalPhrases(r"the name is taken\n.*", Phrase("The name is taken.", "Den Namen gibt es schon."), Phrase("Take another one.", "Nimm einen anderen.")),
    RefusalPhrases(
        r"(has fewer than \d+ or more than \d+ characters|is one that is tried first)\n.*",
        Phrase("This password is too short, or one that is tried first.", "Dieses Passwort ist zu kurz oder eins, das zuerst probiert wird."),
        Phrase("Take a few words that nobody says together.", "Nimm ein paar Wörter, die niemand zusammen sagt."),
    ),
    RefusalPhrases(
        r"the page's token is missing or of another session\n.*",
        Phrase("The page is from another sign-in.", "Die Seite stammt aus einer anderen Anmeldung."),
        Phrase("Load it again, then repeat what you did.", "Lade sie neu und wiederhole, was du getan hast."),
    ),
    RefusalPhrases(
        r"(this takes the scope|this task takes the scope|only who has every site|the job is for every site|a key may no more).*\n.*",
        Phrase("Your account may not do this.", "Dein Konto darf das nicht."),
        Phrase("Ask whoever looks after Luna.", "Frag, wer sich um Luna kümmert."),
    ),
    RefusalPhrases(
        r"there is no such page\n.*", Phrase("There is no such page.", "Diese Seite gibt es nicht."), Phrase("Begin at the start page.", "Geh zur Startseite.")
    ),
    RefusalPhrases(
        r"no such site\n.*",
        Phrase("There is no such site, or it is not yours.", "Diesen Standort gibt es nicht, oder er ist nicht deiner."),
        Phrase("Choose one at the top.", "Wähl oben einen aus."),
    ),
)

_PUBLIC = Phrase("Give the address of a public page or file.", "Gib die Adresse einer öffentlichen Seite oder Datei an.")
_BY_HAND = Phrase("Try again later, or download the file and add it.", "Versuch es später noch einmal, oder lade die Datei herunter und füg sie hinzu.")

FETCHING = (
    RefusalPhrases(
        r"nothing was fetched: .*",
        Phrase("No service gave anything.", "Kein Dienst hat etwas geliefert."),
        Phrase(
            "Luna tries again by itself, prices every ten minutes, the weather every hour.",
            "Luna versucht es von selbst wieder, Preise alle zehn Minuten, Wetter jede Stunde.",
        ),
        quotes=True,
    ),
    RefusalPhrases(
        r"The address leads to a private network, .*\n.*",
        Phrase(
            "This address leads into a private network; from there nothing is fetched.",
            "Diese Adresse führt in ein privates Netz; von dort wird nichts geholt.",
        ),
        _PUBLIC,
    ),
    RefusalPhrases(
        r"(The address cannot be read|Only http and https addresses are fetched|The address holds a user or password"
        r"|The address names its host by a number .*)\n.*",
        Phrase("This address cannot be used.", "Diese Adresse lässt sich nicht verwenden."),
        _PUBLIC,
    ),
    RefusalPhrases(
        r"The address leads on more than \d+ times\n.*",
        Phrase("This address leads on and on.", "Diese Adresse führt immer weiter."),
        Phrase("Give the address it ends at.", "Gib die Adresse an, bei der sie endet."),
    ),
    RefusalPhrases(
        r"The host of the address is not known\n.*",
        Phrase("Nobody knows this address just now.", "Diese Adresse kennt gerade niemand."),
        Phrase("Check how it is written.", "Prüf, wie sie geschrieben ist."),
    ),
    RefusalPhrases(
        r"The server did not answer, or not in time\n.*", Phrase("The page's server does not answer.", "Der Server der Seite antwortet nicht."), _BY_HAND
    ),
    RefusalPhrases(
        r"The server answers with status (?P<count>\d+)\nTry again later.*",
        Phrase("The page's server is busy (status {count}).", "Der Server der Seite ist überlastet (Status {count})."),
        _BY_HAND,
    ),
    RefusalPhrases(
        r"The server answers with status (?P<count>\d+)\n.*",
        Phrase("The page's server does not give it (status {count}).", "Der Server der Seite gibt sie nicht heraus (Status {count})."),
        Phrase("Check that the address opens without signing in.", "Prüf, ob sich die Adresse ohne Anmeldung öffnet."),
    ),
    RefusalPhrases(
        r"The address holds more than (?P<count>[\d,]+) bytes\n.*",
        Phrase("The file is too large.", "Die Datei ist zu groß."),
        Phrase("Give the address of a smaller one.", "Gib die Adresse einer kleineren an."),
    ),
    RefusalPhrases(
        r"(The server sends the content in a compression that was not asked for|The content's compression is damaged)\n.*",
        Phrase("What the page's server sends cannot be read.", "Was der Server der Seite schickt, lässt sich nicht lesen."),
        Phrase("Download the file and add it.", "Lade die Datei herunter und füg sie hinzu."),
    ),
)

AWAY = (
    RefusalPhrases(
        r"no reply within (?P<number>\S+) s\n.*",
        Phrase("Nobody answered within {number} seconds.", "Niemand hat innerhalb von {number} Sekunden geantwortet."),
        _INSTALLATION,
    ),
    RefusalPhrases(
        r"(\d+ requests wait already|the task waited too long to begin|too many passwords are being checked|\d+ streams are open already)\n.*",
        Phrase("There is too much to do just now.", "Gerade ist zu viel zu tun."),
        _SHORTLY,
    ),
    RefusalPhrases(
        r"the task took (longer|more memory) than .*\n.*",
        Phrase("This took too long or too much.", "Das hat zu lange gedauert oder zu viel gebraucht."),
        Phrase("Ask for less at once.", "Verlange weniger auf einmal."),
    ),
)

STORED = (
    RefusalPhrases(
        r"the stored site (?P<site>.+) cannot be read by this release: .*\n.*",
        Phrase(
            "The site {site} is stored with something that this release of Luna does not know. It is not planned or measured until that is mended.",
            "Der Standort {site} ist mit etwas gespeichert, das diese Ausgabe von Luna nicht kennt. Bis das behoben ist, wird er weder geplant noch gemessen.",
        ),
        Phrase(
            "Update Luna again, or enter the site anew under the same name on the page Set up. What is stored is kept, and no other site is harmed.",
            "Aktualisiere Luna wieder, oder gib den Standort unter demselben Namen auf der Seite Einrichten neu ein. "
            "Gespeichertes bleibt, und kein anderer Standort nimmt Schaden.",
        ),
        quotes=True,
    ),
)

PATTERNS = (*PLANNING, *DATA, *FORMS, *ENTERING, *FETCHING, *AWAY, *STORED)

# Where nothing above fits: what kind of error it is, by its code. The error itself stands beside it.
CODES: dict[str, tuple[Phrase, Phrase]] = {
    "invalid-input": (
        Phrase("This cannot be used.", "Diese Angabe lässt sich nicht verwenden."),
        Phrase("Correct it, then send it again.", "Verbessere sie und schick sie noch einmal."),
    ),
    "unauthenticated": (Phrase("Nobody is signed in.", "Niemand ist angemeldet."), Phrase("Sign in.", "Melde dich an.")),
    "forbidden": (Phrase("This is not allowed.", "Das ist nicht erlaubt."), Phrase("Ask whoever looks after Luna.", "Frag, wer sich um Luna kümmert.")),
    "not-found": (Phrase("This is not there, or not any more.", "Das gibt es nicht oder nicht mehr."), _RELOAD),
    "conflict": (
        Phrase("This contradicts what is there.", "Das widerspricht dem, was da ist."),
        Phrase("Load the page again; it shows how things stand.", "Lade die Seite neu; sie zeigt, wie es steht."),
    ),
    "unreadable": (
        Phrase("What is stored has a form that this release of Luna does not know.", "Das ist in einer Form gespeichert, die diese Luna nicht kennt."),
        Phrase("Update Luna again; what is stored is kept.", "Aktualisiere Luna wieder; Gespeichertes bleibt."),
    ),
    "too-many-requests": (Phrase("That was too often in a short time.", "Das war zu oft in kurzer Zeit."), Phrase("Wait a minute.", "Warte eine Minute.")),
    "unavailable": (Phrase("Something that is needed is away just now.", "Gerade fehlt etwas, das dafür nötig ist."), _INSTALLATION),
    "full": (
        Phrase("A disk is full; nothing was changed.", "Ein Datenträger ist voll; geändert wurde nichts."),
        Phrase("Free some space on Luna's machine, then try again.", "Schaff Platz auf Lunas Rechner, dann versuch es noch einmal."),
    ),
    "internal": (
        Phrase("Something went wrong inside Luna.", "In Luna ist etwas schiefgegangen."),
        Phrase("Try again; if it happens again, report the number below.", "Versuch es noch einmal; geschieht es wieder, nenne die Nummer unten."),
    ),
}

# The fields of forms as people call them.
FIELDS: dict[str, Phrase] = {
    "from": Phrase("from", "von"),
    "from_day": Phrase("from", "von"),
    "to": Phrase("to", "bis"),
    "to_day": Phrase("to", "bis"),
    "until": Phrase("until", "bis"),
    "power_kw": Phrase("power", "Leistung"),
    "device": Phrase("device", "Gerät"),
    "vehicle": Phrase("vehicle", "Fahrzeug"),
    "action": Phrase("action", "Aktion"),
    "mode": Phrase("mode", "Betriebsart"),
    "arrival_soc": Phrase("charge on arrival", "Ladestand bei Ankunft"),
    "arrival": Phrase("charge on arrival", "Ladestand bei Ankunft"),
    "target_soc": Phrase("charge on departure", "Ladestand bei Abfahrt"),
    "target": Phrase("charge on departure", "Ladestand bei Abfahrt"),
    "hours": Phrase("hours", "Stunden"),
    "month": Phrase("month", "Monat"),
    "file": Phrase("file", "Datei"),
    "url": Phrase("address", "Adresse"),
    "kind": Phrase("what it holds", "Inhalt"),
    "timezone": Phrase("time zone", "Zeitzone"),
    "name": Phrase("name", "Name"),
    "password": Phrase("password", "Passwort"),
    "days": Phrase("days", "Tage"),
    "battery": Phrase("battery", "Batterie"),
    "fixed_price": Phrase("price", "Preis"),
    "investment": Phrase("investment", "Anschaffung"),
    "expert": Phrase("document", "Dokument"),
    "manual": Phrase("what is fixed", "Festgelegtes"),
    "site": Phrase("site", "Standort"),
}
