"""Meanings, units and clocks of headers in the words of portals, inverters and Home Assistant.

Pure.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple, cast

from luna.contracts.file_guess import StoredAs

# English, German, Dutch, Swedish and Danish, French, Italian, Spanish, Portuguese; the codes are
# OBIS, as meters and grid operators write them.
STATUS = (
    r"status|qualit|kvalitet|flag|estimat|geschatzt|schatz|kommentar|comment|notiz|note\b|"
    r"zustand|gultig|obtencion|metodo|autofact"
)
TOTAL = (
    r"standing|kosten|cost\b|cout|coste|custo|betrag|amount|kostnad|co2|tempera|humid|"
    r"voltage|spannung|tension|current \(a\)|strom \(a\)|freque|"
    r"frequenz|\bcos\b|volt\b"
)
PART = (
    r"eigenverbrauch|direkt.?verbrauch|direct(ly)? "
    r"(self.?)?consum|self.?consum|autocons|zelfverbruik|egen(for)?bru|autarki|self.?"
    r"suffic|"
    r"direct use|autoproduc"
)
SOC = (
    r"\bsoc\b|state.of.charge|ladezustand|ladestand|fullstand|battery.level|batterie.?"
    r"stand|batterij.?niveau|laadniveau|etat.de.charge|"
    r"estado.de.(la.)?carga|stato.di.carica|laddniva"
)
PRICE = (
    r"preis|\bprice|\bprix|precio|preco|\bprijs|\bpris\b|elpris|prezzo|\brate\b|tarif(f|fa|a)?"
    r"\b(?!\s*\d)"
)
SPOT = (
    r"spot|day.?ahead|epex|borse|exaa|nord.?pool|omie|market|markt|mercado|marche\b|grossist|"
    r"auction"
)
BATTERY = r"batt?er|akku|speicher|accu\b|accumul|storage|acumul|bateria"
DISCHARGE = r"entlad|discharg|descarg|descarreg|scaric|ontlad|urladd|aflad|decharg"
CHARGE = (
    r"(?<!ent)\bladen|(?<!ent)ladung|geladen|beladung|\bcharg|\bcarga|carregamento|ricaric|"
    r"\bcaric|oplad|opgeladen|\bladd"
)
EXPORT = (
    r"einspeis|ruckspeis|rucklief|eingespeist|ins "
    r"netz|feed.?in|fed.?in|export|to.?grid|inje[ck]|inyecc|excedent|vertid|vertido|"
    r"teruglever|"
    r"teruggelever|surplus|"
    r"immiss|immess|cedut|overskott|inmatning|inmatad|returned|grid.return|afgeleverd|"
    r"uberschuss|uebersch|2\.8\.\d|2\.29\.\d|till nat|energia rede saida"
)
IMPORT = (
    r"bezug|bezogen|\bimport|from.?grid|grid.consumption|grid.supply|aus.(dem.)?netz|"
    r"vom.netz|aus netz|purchas|bought|soutir|prelev|preliev|"
    r"afname|afgenomen|uttag|compra|"
    r"electricity.imported|1\.8\.\d|1\.29\.\d|consumo.(da.|de.)?(la.)?red|netzverbrauch|"
    r"fran nat|levering\b"
)
PV = (
    r"\bpv\b|solar|solaire|photovolt|fotovolt|zonne|erzeug|ertrag|yield|produktion|"
    r"producti|producao|produccion|produzione|productie|opwek|"
    r"generat|generac|wechselrichter|\bsol\b|sole?l|soltrackning|inverter.(output|power)"
)
LOAD = (
    r"hausverbrauch|haushalt|house|home|haus\b|\bload|\blast\b|gesamtverbrauch|total "
    r"consumption|huis\b|casa\b|maison"
)
CONSUMPTION = (
    r"verbrauch|consum|verbruik|forbruk|forbrug|usage|\bused\b|\buso\b|lastgang|"
    r"netznutzung|entnahme|wirkarbeit|wirkenergie|courbe de charge|"
    r"active energy|energia ativa|energia activa"
)
GRID = (
    r"\bgrid|netz|\bnet\b|\brete\b|\breseau|\brede\b|\bred\b|meter.?power|power.?meter|"
    r"zahler|smart.?meter|wirkleistung|active.power|saldo|bilanz|"
    r"nettstrom"
)
# What only a meter of the grid has: a consumption in such a file is what was bought.
METER_FILE = (
    r"zahlpunkt|netzbetreiber|lastgang|\bean\b|\bprm\b|\bmpan\b|\bmprn\b|\bcups\b|\bcpe\b|"
    r"\bpod\b|messlokation|malo\b|melo\b|courbe de charge|"
    r"anlaggnings.?id|grid area|elnat|obis|zahlernummer|meter.?(number|serial)|prise d"
)
TARIFF_PART = (
    r"\bt[12]\b|tarif(f)?\s?[12]|\bht\b|\bnt\b|hoog|laag|normaal|\bdal\b|hochtarif|"
    r"niedertarif|peak|off.?peak|vazio|ponta|cheias|heures? (pleines|"
    r"creuses)|\bhp\b|\bhc\b|1\.8\.[12]|2\.8\.[12]"
)
COUNTER = (
    r"zahlerstand|counter|meter.?(reading|stand)|stand\b|total.?(increasing|yield)|"
    r"gesamtertrag|lifetime|index\b|meterstand|leitura|lectura|"
    r"matarstallning|1\.8\.\d|2\.8\.\d|import t[12]|export t[12]"
)
START = (
    r"\bab\b|ab-|\bvon\b|\bfrom\b|start|begin|beginn|debut|inicio|\bde\b|\bvan\b|\bfra\b|"
    r"fran\b|inizio|\bda\b"
)
END = (
    r"\bbis\b|bis-|\bto\b|\bend|\bende\b|\btot\b|\btil(l)?\b|slut|\bfin\b|\bfim\b|\bate\b|"
    r"\bfine\b|\ba\b|hasta"
)
UTC = r"\butc\b|\bgmt\b"
STANDARD = r"\bmez\b|winterzeit|\bcet\b(?!.*cest)|normalzeit|ohne sommerzeit|standard time"
UNIT = re.compile(
    r"(?<![a-z])(kwh|mwh|wh|kw|mw|w|%|(?:eur|€|ct|cent|c€|chf|rp|sek|kr|ore|øre|öre|dkk|"
    r"nok|gbp|£|p|pence)\s*/\s*[km]wh)(?![a-z])",
    re.IGNORECASE,
)
# Units beside which a price per something stands differently than Luna's.
CENT_WORDS = {"cent": "ct", "c€": "ct", "rp": "ct", "pence": "p", "ore": "öre"}


class Meaning(NamedTuple):
    """The meaning of a column by its header, and the word that gives it."""

    stored_as: StoredAs
    word: str
    consumption: bool = False


def plain(text: str) -> str:
    """Return a text in small letters without accents, words apart where a machine joined them."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", text.replace("ß", "ss"))
    folded = unicodedata.normalize("NFKD", parted.replace("ø", "o").replace("Ø", "O")).casefold()
    return re.sub(
        r"[_|:]+", " ", "".join(letter for letter in folded if not unicodedata.combining(letter))
    )


def find(pattern: str, text: str) -> str | None:
    """Return the word of a plain text that a pattern finds."""
    match = re.search(pattern, text)
    return None if match is None else match[0]


def read_meaning(header: str) -> Meaning | None:
    """Return the meaning of a column by its header, None where it has none.

    ``consumption``: of a house or of a meter, which the header alone does not tell.
    """
    text = plain(header)
    if own := find(r"^(import|export|pv|load|charge|discharge) kwh$", text):
        return Meaning(cast("StoredAs", own.replace(" ", "_")), header)
    # What is said more narrowly comes first.
    price = find(PRICE, text)
    spot = find(SPOT, text)
    priced = (
        Meaning(
            "spot_price" if spot else "export_price" if find(EXPORT, text) else "import_price",
            spot or price,
        )
        if price
        else None
    )
    for meaning in (
        _read_words(text, ((PART, "nothing"), (SOC, "soc"), (TOTAL, "nothing"))),
        priced,
        _read_battery(text, header),
    ):
        if meaning is not None:
            return meaning
    sold, bought, produced, used = (
        find(pattern, text) for pattern in (EXPORT, IMPORT, PV, CONSUMPTION)
    )
    if sold and bought:
        return Meaning("grid", f"{sold}/{bought}")
    flow = (
        Meaning("export_kwh", sold)
        if sold
        else Meaning("import_kwh", bought)
        if bought
        else _read_words(text, ((LOAD, "load_kwh"),))
    )
    if flow is not None:
        return flow
    if produced and not used:
        return Meaning("pv_kwh", produced)
    return (
        Meaning("load_kwh", used, consumption=True)
        if used
        else _read_words(text, ((GRID, "grid"), (STATUS, "nothing")))
    )


def _read_words(text: str, meanings: Sequence[tuple[str, StoredAs]]) -> Meaning | None:
    return next(
        (
            Meaning(stored_as, word)
            for pattern, stored_as in meanings
            if (word := find(pattern, text))
        ),
        None,
    )


def _read_battery(text: str, header: str) -> Meaning | None:
    battery = find(BATTERY, text)
    charge = find(CHARGE, text)
    if word := find(DISCHARGE, text):
        return Meaning("discharge_kwh", word)
    # Suppliers charge as well, in money: without a battery's word only an energy is one.
    energy = read_unit(header) in {"Wh", "kWh", "MWh", "W", "kW"} and not find(
        f"{EXPORT}|{IMPORT}|{CONSUMPTION}", text
    )
    if charge and (battery or energy):
        return Meaning("charge_kwh", charge)
    return None if battery is None else Meaning("battery", battery)


def read_unit(text: str) -> str:
    """Return the unit that a header, or a cell of units, names last; empty where it names none."""
    units = UNIT.findall(text.replace("_", " "))
    if not units:
        return ""
    unit = re.sub(r"\s", "", units[-1]).casefold()
    if "/" in unit:
        money, energy = unit.split("/")
        return (
            f"{CENT_WORDS.get(money, money)}/{energy.replace('kwh', 'kWh').replace('mwh', 'MWh')}"
        )
    return {"kwh": "kWh", "wh": "Wh", "mwh": "MWh", "kw": "kW", "w": "W", "mw": "MW"}.get(
        unit, unit
    )
