"""Words by which the subject of a question is recognised.

Pure; texts are those that ``fold`` made plain.
"""

import re

from services.rag.months import ANY_MONTH
from services.rag.tools.energies import SeriesName


def any_of(*patterns: str) -> re.Pattern[str]:
    """Return a pattern that finds any of these words as a whole word."""
    return re.compile(r"(?<!\w)(?:" + "|".join(patterns) + r")(?!\w)")


# Questions with one of these go to documents, whatever else is named: no data of a site holds the
# answer.
DOCUMENT = any_of(
    r"\w*handbuch\w*|bedienungs\w*|\w*anleitung\w*|manuals?|instructions?|datasheets?|"
    r"datenblatt|datenblaetter",
    r"\w*vertrag\w*|\w*vertraeg\w*|contracts?|agreements?|kuendig\w*|cancel\w*|widerruf\w*|"
    r"agb|terms|conditions|bedingungen",
    r"garantie\w*|gewaehrleistung\w*|warrant\w*|guarantee\w*|haftung\w*|liabilit\w*|"
    r"versicher\w*|insur\w*",
    r"foerder\w*|subsid\w*|zuschuss\w*|zuschuess\w*|grants?|kredit\w*|loans?|steuer\w*|tax|"
    r"taxes|umsatzsteuer|mwst",
    r"gesetz\w*|paragra\w*|verordnung\w*|vorschrift\w*|norm|normen|regulations?|regulatory|"
    r"laws?|legal|legally|eeg|enwg|14a",
    r"§ ?\d*\w*|directive|policy|policies",
    r"dokument\w*|documents?|documentation|pdf|tarifblatt|preisblatt|tariff sheet|price "
    r"sheet|broschuere|brochure|rechnungsnummer|formular\w*|forms?",
    r"laut|gemaess|according to|steht (?:in|im|auf|da)|say about|says about|said "
    r"about|mentioned?|erwaehnt|describ\w+ in|beschrieben",
    r"frist\w*|deadlines?|notice "
    r"period|laufzeit\w*|antrag\w*|beantrag\w*|anmeld\w*|register\w*|appl(?:y|ies|"
    r"ication)\w*|genehmig\w*|permits?|permission",
    r"install\w*|einbau\w*|montage|montier\w*|anschliess\w*|anschluss\w*|wiring|reset|"
    r"zuruecksetz\w*|fehlercodes?|error codes?",
    r"fehlermeldung\w*|firmware|update\w*",
    r"reinig\w*|clean\w*|wart(?:ung|en)\w*|maintenance|reparatur\w*|reparier\w*|repair\w*|"
    r"temperaturbereich|brand\w*|fire|sicherheit\w*|safety",
    r"\w*verguetung\w*|feed-in tariffs?|remuneration|\w*gebuehr\w*|base fee|standing charges?"
    r"|netzentgelt\w*|\w*abschlag\w*|wo finde\w*|where (?:can|do|is|are)\w*",
    r"deutschland|germany|europa|europe|weltweit|worldwide|(?:durchschnittlich\w*|average) "
    r"(?:household|home|family|haushalt|haus|familie)\w*|durchschnittshaushalt\w*",
    r"ansprechpartner|kundendienst|hotline|support|telefonnummer|phone "
    r"number|adresse|address|e-?mail",
    r"wie kann ich|wie koennen wir|wie soll ich|how can i|how do i|how can we|how should "
    r"i|soll(?:te)? ich|should i|darf ich",
    r"muss ich|am i allowed|do i have to|lohnt|tipps?|tips?|advice",
)
_AMOUNT = r"(?:\d|(?:a|one|two|three|half|ein\w*|zwei|drei|halb\w*) )"
# Leaves out a part of the time or of the energy, or asks whether a bound holds: what a tool tells
# of the whole answers another question.
NARROWED = any_of(
    r"at (?:the )?(?:very )?(?:least|most)|no (?:more|less|fewer) "
    r"than|mindestens|wenigstens|zumindest|hoechstens|allerhoechstens|maximal "
    r"\d\w*|minimal \d\w*",
    # "More than last week" compares.
    (
        r"(?:more|less|fewer|higher|lower|greater) than(?= "
        rf"{_AMOUNT})|(?:mehr|weniger|hoeher|niedriger|tiefer) als(?= {_AMOUNT})"
    ),
    r"(?:over|above|below|under|beyond|ueber|oberhalb(?: von)?|unter|unterhalb(?: von)?|up "
    r"to|bis zu)"
    r"(?= [\d.,]+ ?(?:m?wh|kwh?|w|%|percent|prozent|ct|cents?|eur\w*|€))",
    r"exceed\w*|uebersteig\w*|ueberstieg\w*|ueberschr\w+|unterschr\w+",
    # At the beginning it goes on with what was asked before.
    r"(?<=\w )(?:only|nur|lediglich|solely|ausschliesslich|exclusively)",
    r"never|nie|niemals|hardly|rarely|kaum|selten|barely|mostly|meistens|immer|always",
    r"except(?:ing)?|excluding|exclusive of|apart from|other than|without(?! luna)|ohne(?! "
    r"luna)|ausser|abgesehen von|ausgenommen|abzueglich|not counting",
    r"ausserhalb|outside of",
    r"(?:first|second|other|erste[nrsm]?|zweite[nrsm]?|andere[nrsm]?) "
    r"(?:half|haelfte)|(?:the )?rest of|rest (?:des|der)|remaining|restliche[nrsm]?",
    # So far ahead no tool looks: a document may.
    r"(?:next|coming) (?:month|quarter|year)|naechste[nrsm]? "
    r"(?:monats?|quartals?|jahre?s?)|kommende[nrsm]? (?:monats?|quartals?|jahre?s?)",
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days(?!')|(?:montag|dienstag|mittwoch|"
    r"donnerstag|freitag|samstag|sonnabend|sonntag)s",
    r"(?:every|each|jede[nrms]?) "
    r"\w*(?:day|tag|abend|nacht|morgen|morning|evening|night)|weekdays?|weekends|workdays?|"
    r"werktags?|werktagen?|wochentags"
    r"|an wochenenden|unter der woche",
    r"(?:since|seit|until|till|bis|before|vor|after|nach) (?:the |dem |zum |zur "
    r")?(?:middle|mid|end|ende|mitte)|(?:since|until) mid-\w+"
    r"|(?:until|till|bis|before|vor|after|nach) (?:the |dem |zum )?(?:beginning|start|anfang)",
)
# A weekday at one end of the time to come, where nothing says that it is over.
UNTIL_WEEKDAY = any_of(
    r"(?:bis|until|till|through|ab|after|nach)(?: zum| the| kommenden| naechsten| next)* "
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|(?:bis|ab|nach)(?: zum| dem| kommenden| naechsten)* "
    r"(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag)"
    r"|from (?:mon|tues|wednes|thurs|fri|satur|sun)day on(?:wards?)?"
)
PAST = any_of(
    r"war|waren|lag|lagen|hat|hatte|hatten|haben|was|were|did|had|has|have|gekostet|"
    r"bezahlt|paid|letzte\w*|vergangene\w*|last|past|since|seit"
    r"|(?:von|vom|from) (?:mon|tues|wednes|thurs|fri|satur|sun)day (?:to|until|till|through)"
    r"|(?:von|vom) (?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag)"
)
_NIGHTS = (
    r"nachts|nachtsueber|at night|overnight|by night|tagsueber|during the (?:day|night)|in the "
    r"night"
)
# A part of each day, which no tool tells by itself.
NIGHTLY = any_of(_NIGHTS)
# Of what is added up: per day it is another figure, and a night is a part of it.
DIVIDED = any_of(
    r"(?:per|je|pro|each|every|jede[nrms]?) "
    r"(?:hour|day|week|month|stunde|tag|woche|monat)|taeglich\w*|daily|stuendlich\w*|"
    r"hourly|monthly|weekly"
    r"|woechentlich\w*|monatlich\w*",
    r"on average|average|im (?:schnitt|durchschnitt|mittel)|mittlere[nrsm]?",
    _NIGHTS,
)
# Asks when it began, which was measured.
SINCE_WHEN = any_of(
    r"(?:since|seit) (?:when|wann)|how long (?:has|have)|wie lange (?:schon|bereits|\w+ "
    r"(?:\w+ ){0,3}(?:schon|bereits))"
)
BATTERY_STATE = any_of(
    r"\w*laedt|\w*laden|\w*geladen|entlaed\w*|entlad\w*|\w*charg\w+|idle|idling|rest|rests|"
    r"resting|ruht|nichts|nothing"
)
# Past spans that reach until now have no plan.
SINCE = any_of(r"(?:since|seit)(?! wann| when)")
# Asks what a word means, not what happened.
DEFINITION = re.compile(
    r"^(?:bitte )?(?:was (?:ist|sind|bedeute[tn]?|heisst|versteht)|what(?:'s| is| are| does)|define"
    r"|wie (?:funktionier\w+|arbeite[tn]?|entsteh\w+)|how (?:does|do|is|are)"
    r"|erklaere?n? (?:mir |uns )?(?:bitte )?(?:was|wie)"
    r"|explain (?:to me )?(?:what|how)|wer |who |wo |where )"
)
OWN = any_of(
    r"mein\w*|unser\w*|ich|wir|mich|uns|my|our|ours|i|we|us|the house|das haus|zu "
    r"?hause|at home|home"
)

WHAT_IF = any_of(
    r"was waere,? wenn|was wuerde\w*|wuerde\w* .{0,40}(?:kosten|sparen)|angenommen|was,? "
    r"wenn|what if|what would|how much would",
    r"would .{0,40}(?:cost|save)|suppose",
    r"was kostete es|wie teuer waere\w*|wie viel (?:mehr|weniger)? ?wuerde\w*",
)
WHY = any_of(
    r"warum|wieso|weshalb|why|weswegen|aus welchem grund|what's the reason|what is the reason"
)
BATTERY = any_of(r"\w*batterie\w*|akkus?|\w*speichers?|batter(?:y|ies)|storage|plan|luna")
# Of batteries in general, not of the asker's.
ANY_BATTERY = re.compile(r"\b(?:batteries|batterien|akkus|a battery|eine batterie|lithium\w*)\b")
BATTERY_ACTION = any_of(
    r"\w*laedt|\w*laden|\w*geladen|lade|entlaedt|entlaed\w*|entlad\w*|entleer\w*|haelt|"
    r"halten|spart|aufspar\w*|wartet|warten",
    r"speist|einspeis\w*|verkauf\w*|versorg\w*",
    r"charg\w+|discharg\w+|hold\w*|sav(?:e|es|ing)|wait\w*|sell\w*|sold|export\w*|idle|"
    r"suppl\w+|feed\w*|empty\w*|do(?:es|ing)?",
    r"tut|macht|nichts|nothing|full|voll|leer",
)
BATTERY_QUESTION = any_of(
    r"was (?:macht|tut|wird)|what (?:does|will|is|do)|wann|when|wie voll|how "
    r"full|wird|will|next|als naechstes|ladestand|state of charge"
)
PLAN = any_of(
    r"(?:aktuelle\w*|heutige\w*|morgige\w*|geltende\w*|mein\w*|unser\w*|der|den|lunas|"
    r"luna's) (?:\w+ )?(?:plan|fahrplan|ladeplan|batterieplan|energieplan)",
    r"(?:current|today's|tomorrow's|my|our|the|luna's) (?:battery |energy |charging "
    r")?(?:plan|schedule)",
    r"was (?:ist|hat luna) (?:fuer )?(?:\w+ )?geplant|what (?:is|has luna) (?:\w+ "
    r")?planned|was plant luna",
    r"plan (?:fuer|for) (?:heute|morgen|today|tomorrow)|what does luna plan|what is luna planning",
    # "Was hat die Batterie heute vor": who intends something is asked what.
    r"was (?:hat|haben) (?:die |der |das |mein\w* |unser\w* "
    r")?(?:\w*batterie|akku|\w*speicher|luna|anlage)\b.{0,40} vor",
    r"what (?:is|are) (?:the |my |our )?(?:\w+ )?(?:battery|storage|luna|system) (?:up "
    r"to|going to do)",
)
# What an energy query tells: forms other than a sum, and comparisons with what was expected.
DEAR = any_of(r"teuer\w*|teuren?|expensive|dear|dearer|costly|pricey")
CHEAP = any_of(r"billig\w*|guenstig\w*|cheap\w*|inexpensive")
LITTLE = any_of(r"wenig\w*|niedrig\w*|gering\w*|little|low|lower|less")
MUCH_OR_LITTLE = any_of(
    r"viel|hoch|hohe\w*|hoeher\w*|mehr|much|high|higher|more",
    r"wenig\w*|niedrig\w*|gering\w*|little|low|lower|less",
)
HIGHEST = any_of(
    r"hoechste[nrsm]?|meiste[nrsm]?|groesste[nrsm]?|spitze\w*|\w*spitze|maximale?[nrsm]?|"
    r"teuerste[nrsm]?",
    r"most|highest|peak\w*|maximum|biggest|largest|dearest",
)
LOWEST = any_of(
    r"niedrigste[nrsm]?|geringste[nrsm]?|kleinste[nrsm]?|wenigste[nrsm]?|minimale?[nrsm]?|"
    r"guenstigste[nrsm]?|billigste[nrsm]?",
    r"least|lowest|minimum|smallest|cheapest|fewest",
)
WHICH_DAY = any_of(
    r"(?:which|what) (?:\w+ )?days?|(?:the|our|my) \w+ days?|\w+ days (?:with|on which)",
    r"welche[rnsm]? (?:\w+ )?tage?n?|(?:die|der|an den) \w+ tage?n?|tage? mit",
)
# What was earned is a part of the cost that no ranking tells apart.
EARNED = any_of(r"verdien\w*|eingenommen|eingebracht|earn\w*")
# A mean of other lengths than a day, or a part of each day.
OTHER_MEAN = any_of(
    r"(?:per|je|pro|each|every|a) (?:hour|week|month|stunde|woche|monat)(?! ago| before)",
    r"stuendlich\w*|hourly|monthly|weekly|woechentlich\w*|monatlich\w*",
    _NIGHTS,
)
# A comparison by its words, whatever its periods.
MORE_THAN = any_of(
    r"(?:more|less|higher|lower|mehr|weniger|hoeher|niedriger|tiefer) .{0,60} ?(?:than|als)"
)
_PERIOD_WORD = (
    rf"(?:{ANY_MONTH}|20\d\d|gegen|gegenueber|against|versus|vs|und|and|with|mit|zu|to|the|der|"
    r"dem|den|im|in|vergleich\w*|compare[ds]?|last|this|letzte\w*|diese\w*|woche|week|monat|month|"
    r"jahr|year|yesterday|today|gestern|vorgestern|heute|\w+day|\w+tag|mittwoch)"
)
# A question that names periods and nothing else.
PERIODS_ALONE = re.compile(rf"(?:{_PERIOD_WORD}[ ?!.,]+)*{_PERIOD_WORD}[ ?!.,]*")
# Ranks other spans than days and quarter-hours.
OTHER_SPAN = any_of(
    r"(?:which|what|welche[rnsm]?) (?:\w+ ){0,2}(?:month|week|hour|monat|woche|stunde)s?",
    r"(?:expensive|dearest|cheapest|teuerste\w*|guenstigste\w*|highest|hoechste\w*) "
    r"(?:\w+ )?(?:month|week|hour|monat|woche|stunde|bill|rechnung)",
)
DAILY_MEAN = any_of(
    r"(?:per|each|every) day|a day(?! ago| before| after)|daily|on average|average|mean",
    r"(?:je|pro) tag|taeglich\w*|im (?:schnitt|durchschnitt|mittel)|durchschnittlich\w*|"
    r"mittlere[nrsm]?|\w*durchschnitt",
)
SHARE = any_of(
    r"wie ?viele? prozent|welche[rnsm]? (?:an)?teil|anteil\w*|\w*anteil|prozentsatz",
    r"what (?:share|percentage|part|proportion|fraction|percent)|how many percent|"
    r"(?:share|percentage|proportion|fraction) of",
)
OWN_USE = any_of(
    r"selbst (?:verbraucht|genutzt|verwendet|gebraucht)|eigenverbrauch\w*",
    r"ourselves|myself|self-consum\w+|at home",
)
COURSE = any_of(
    r"\w*verlauf\w*|\w*kurve|lastgang|\w*profil|wie (?:verlief|lief)|erklaere?n?|beschreibe?n?",
    r"course|curve|profile|pattern|explain|describe",
)
THAN_PLANNED = any_of(
    r"(?:ueber|unter|gegenueber|als|vom|zum|mit)(?: dem| der| das| im)* plan|als geplant",
    r"(?:than|to|with|over|above|below|under|against)(?: was| we| our| the)* plan(?:ned)?",
)
THAN_FORECAST = any_of(
    r"als (?:vorhergesagt|prognostiziert|erwartet|vorausgesagt)",
    r"(?:ueber|unter|gegenueber|mit|zur|als)(?: der| die| das)* (?:\w*prognose|\w*vorhersage)",
    r"(?:than|to|with|over|above|below|under|against)(?: was| we| our| the)* "
    r"(?:forecast\w*|predict\w*|expect\w*)",
)
HOUSE_NOW = any_of(
    r"was (?:passiert|geschieht|laeuft) (?:gerade|jetzt|im moment)|was ist "
    r"(?:gerade|jetzt|im moment) los|was (?:macht|tut) (?:luna|das haus) (?:gerade|jetzt)",
    r"wie steht (?:es um )?(?:das|mein|unser) (?:haus|zuhause)|wie ist die lage|(?:gib mir "
    r"einen )?ueberblick(?: ueber (?:heute|das haus|mein haus))?",
    r"what(?:'s| is) (?:happening|going on|up)(?: at home| in the house)?(?: right)? "
    r"?(?:now|at the moment)?",
    r"what (?:is luna doing|does luna do)(?: right)?(?: now| at the moment)|how (?:is|are) "
    r"(?:the|my|our) (?:house|home|site)(?: doing)?(?: now)?",
    r"(?:give me an )?overview of (?:today|the house|my house)",
)
# Abilities of a device, not its orders.
ABILITY = any_of(
    r"maxim\w*|minim\w*|\w*kapazitaet|capacity|lebensdauer|lifetime|zyklen|cycles|"
    r"\w*leistung|modus|modi|modes?|chart|diagramm|seite|page|symbol|icon|last"
)
WEATHER = any_of(
    r"\w*wetter\w*|weather|\w*temperatur\w*|temperature|regen|rain|wind|\w*preis\w*|prices?"
)
RUNNING = any_of(r"geladen|entladen|charged|charging|discharg\w+|eingespeist|verkauft|sold|selling")
# Other things that are called a plan.
NO_PLAN = any_of(
    r"(?:tarif|zahlungs|wartungs|bau|finanzierungs|rate|payment|tariff|pricing|phone|"
    r"business|floor|maintenance|installation) ?plan\w*",
    r"plan to|plane zu|planen zu",
)
SAVINGS = any_of(
    r"\w*gespart|\w*ersparnis\w*|einsparung\w*|(?:did|has|have) (?:\w+ )?(?:luna |we |i "
    r"|the battery )?(?:actually )?save[d]?|savings?|saved"
)
NO_SAVINGS = any_of(
    r"co2|kohlendioxid|carbon|emission\w*|energiespar\w*|savings "
    r"account|sparkonto|sparplan|saving tips|daylight saving\w*"
)
COMPARE = any_of(
    r"vergleich\w*|vergl\.|verglichen|gegenueber|im "
    r"vergleich|unterschied\w*|compar\w+|versus|vs\.?|difference between",
    r"(?:more|less|mehr|weniger) \w+ (?:than|als)",
    r"gegen(?! \d)|against",
    r"(?:more|less|higher|lower|mehr|weniger|hoeher|niedriger|tiefer) .{0,60} (?:than|als)",
    r"as opposed to|mehr als|weniger als|more than|less than|hoeher als|higher than|lower than",
)
BEFORE = any_of(
    r"(?:zur|mit der|die|der) (?:vor)?woche (?:davor|zuvor)|(?:the )?week before|zum "
    r"(?:monat davor|vormonat)",
    r"(?:the )?month before|zum (?:tag davor|vortag)|(?:the )?day before(?! yesterday)",
    r"als (?:im |in der |am )?(?:\w+ )?(?:davor|zuvor|vorher)|than (?:the one |the \w+ "
    r")?(?:before|previously)",
)
FORECAST = any_of(
    r"\w*prognose\w*|\w*vorhersage\w*|forecast\w*|predict\w*|erwart\w+|expect\w*|"
    r"voraussichtlich\w*|wird|werden|will|going to",
    r"kommt|koennen wir|bringt|outlook|ausblick",
)
PRICE = any_of(
    r"strompreis\w*|preisverlauf\w*|preiskurve\w*|spotpreis\w*|spotmarktpreis\w*|"
    r"boersenpreis\w*|boersenstrompreis\w*",
    r"marktpreis\w*|bezugspreis\w*|einspeisepreis\w*|epex|day-ahead|spot",
    r"(?:electricity|power|energy|spot|market|import|export|feed-in|grid|wholesale|hourly|"
    r"dynamic) (?:price|prices|rate|rates|costs? per kwh)",
    r"price (?:curve|course|history|trend)\w*",
    r"stundenpreis\w*|negativ\w* (?:strom)?preise?|negative prices?|preise?n?|prices?",
)
EXPENSIVE = any_of(
    r"was kostet|what does .{0,20}cost|teuer|guenstig|billig|expensive|cheap|(?:wie|so) "
    r"(?:teuer|guenstig|billig)|how (?:expensive|cheap|dear)"
)
EQUIPMENT = any_of(
    r"\w*batterie\w*|akkus?|\w*speicher|battery|storage|\w*anlage|system|autos?|car|ev|"
    r"heating|heizung|haus|house"
)
CHEAPEST = any_of(r"(?:am )?(?:guenstigst|billigst|teuerst)\w*|cheapest|most expensive|dearest")
SPOT = any_of(
    r"epex|spot\w*|boerse\w*|\w*boersen\w*|day-ahead|wholesale|marktpreis\w*|market prices?"
)
EXPORT_PRICE = any_of(r"einspeisepreis\w*|export price\w*|feed-in (?:price|rate)\w*")
ELECTRIC = any_of(r"\w*strom\w*|electric\w*|power|energy|energie|kwh|kilowattstunde\w*")
# Things with a price of their own, in euros apiece.
GOODS = any_of(
    r"neue[nrsm]?|kauf\w* (?:von|eine)|waermepumpe\w*|heat "
    r"pumps?|wallbox\w*|wechselrichter\w*|inverters?|new|solaranlage\w*",
    r"panels?|modul\w*|modules?|anschaffung\w*|oil|gas|benzin|petrol|house "
    r"prices|aktie\w*|stock\w*",
)
COST = any_of(
    r"stromkosten|energiekosten|stromrechnung|gekostet|kosten|gezahlt|bezahlt|ausgegeben|"
    r"eingenommen|verdient|eingebracht|kosteten|ausgaben",
    r"electricity (?:cost|bill)\w*|energy (?:cost|bill)\w*|power bill",
    r"(?:did|have) (?:i|we) (?:pay|paid|spend|spent|earn|earned)|(?:did|has) "
    r".{0,30}cost|costs?|paid|spend|spent|earned|bill|rechnung",
)
SITE = any_of(
    r"welche geraete|welche batterie|welchen? (?:strom)?tarif (?:habe|haben|hat|nutze\w*)",
    r"wie gross ist (?:mein|unser|der|die)\w* "
    r"(?:batterie|akku|speicher|pv-anlage|solaranlage|anlage)",
    r"which devices|what devices|what tariff do (?:i|we) have|which tariff do (?:i|we) have",
    r"how big is (?:my|our|the) (?:battery|pv|solar|storage)\w*|describe (?:my|our|the) "
    r"(?:site|home|system)",
    r"beschreibe?n? (?:mir )?(?:mein|unser|den|die)\w* (?:standort|anlage|haus)|was "
    r"(?:habe ich|haben wir) (?:alles )?(?:fuer geraete|an geraeten)",
)
STARTED_BY_HAND = any_of(
    r"\w*waschmaschine|\w*waesche\w*|spuelmaschine|geschirrspueler|\w*trockner|backofen|buegeln",
    r"washing machine|washer|laundry|dishwasher|tumble dryer|dryer|oven",
)
# "Shall I start it now" asks for a time, "shall I buy it" for advice.
SHALL_START = re.compile(
    r"\b(?:soll(?:te)? ich|should i|shall i|can i|kann ich)\b(?=.*\b(?:jetzt|now|run|start\w*|"
    r"laufen|anmachen|einschalten|turn on|switch on)\b)"
)
WHEN_SHALL = re.compile(r"\bwann soll(?:te|ten|en)? (?:ich|wir)\b")
STARTED_BY_HAND_QUESTION = any_of(
    r"wann|when|am besten|best "
    r"time|jetzt|now|starten?|start|laufen|run|anmachen|einschalten|turn on|switch "
    r"on|soll|should|shall"
)

_SERIES: tuple[tuple[SeriesName, re.Pattern[str]], ...] = (
    (
        "load",
        any_of(
            r"\w*verbrauch\w*|verbraucht\w*|consum\w+|usage|used?|using|hausverbrauch|"
            r"lasten?|(?:spitzen|grund)last|last(?:verlauf|gang|profil|kurve)|load|"
            r"gebraucht|brauchen|demand"
        ),
    ),
    (
        "pv",
        any_of(
            r"pv\w*|pv-\w+|\w*solar\w*|photovoltaik\w*|sonnenstrom|sonne|sun|roof|\w*erzeug\w*|"
            r"produzier\w*|\w*produktion|produced?",
            r"production|generat\w+|\w*ertrag\w*|yield\w*",
        ),
    ),
    (
        "import",
        any_of(
            r"\w*bezug|netzbezug\w*|bezogen|zugekauft|gekauft|bought|import|imported|"
            r"imports|from the grid|aus dem netz|drawn|drew|purchased|"
            r"buy|buys|kauften"
        ),
    ),
    (
        "export",
        any_of(
            r"\w*einspeis\w*|eingespeist\w*|verkauf\w*|export|exported|exports|exporting|"
            r"fed in|fed into|feed-in|feed in",
            r"sold|sell|selling|ins netz|to the grid|liefer\w+ .{0,40}zurueck",
        ),
    ),
    ("charge", any_of(r"geladen|aufgeladen|charged|charging|ladung")),
    ("discharge", any_of(r"entladen|entladung|discharged|discharging")),
)
BALANCE = any_of(
    r"autark\w*|eigenversorg\w*|eigenverbrauchsquote|self-sufficien\w+|energiebilanz|"
    r"energy balance|energiefluss\w*|energy flows?|bilanz"
)


# Devices with a meter of their own, which use what the house does not.
_METERED: tuple[tuple[SeriesName, re.Pattern[str]], ...] = (
    (
        "vehicle",
        any_of(r"\w*autos?|e-autos?|\w*fahrzeuge?s?|wallbox|ladestation|cars?|evs?|vehicles?"),
    ),
    ("heat_pump", any_of(r"waermepumpen?|heat pumps?")),
    ("water_heater", any_of(r"boilers?|warmwasser\w*|heizstab\w*|water heaters?|hot water")),
)
# What a device did with energy, in words that name no series by themselves.
_TOOK = any_of(r"charged?|laden|lud|ging|gingen|went|take|took|taken|need\w*")
_BATTERY = any_of(r"\w*batterien?|akkus?|\w*speichers?|batter(?:y|ies)|storage")
# Sold solar power is what is fed in, not what is made.
_MADE = any_of(
    r"\w*erzeug\w*|produzier\w*|\w*produktion|produced?|production|generat\w+|\w*ertrag\w*|"
    r"yield\w*|made|gemacht"
)


def find_series(text: str) -> tuple[SeriesName, ...]:
    """Return the energies that a text names, in a fixed order."""
    names = [name for name, pattern in _SERIES if pattern.search(text)]
    devices = [name for name, pattern in _METERED if pattern.search(text)]
    others = [name for name in names if name not in ("load", "charge")]
    is_used = others != names or _TOOK.search(text) is not None
    if devices and not _BATTERY.search(text) and is_used:
        # "The car's consumption" asks for the car's meter, not for the house's.
        return tuple(devices + others)
    if "export" in names and "pv" in names and not _MADE.search(text):
        names.remove("pv")
    return tuple(names)
