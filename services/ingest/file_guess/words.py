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
# Words of grid meters only: a consumption in such a file is bought energy.
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
# Words for cents, as Luna writes them.
CENT_WORDS = {"cent": "ct", "c€": "ct", "rp": "ct", "pence": "p", "ore": "öre"}


UNIT_SPELLINGS = {"kwh": "kWh", "wh": "Wh", "mwh": "MWh", "kw": "kW", "w": "W", "mw": "MW"}


class Meaning(NamedTuple):
    """The meaning of a column by its header, and the word that gives it."""

    stored_as: StoredAs
    word: str
    consumption: bool = False


def plain(text: str) -> str:
    """Return a text in small letters without accents, with words apart that a machine joined."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", text.replace("ß", "ss"))
    folded = unicodedata.normalize("NFKD", parted.replace("ø", "o").replace("Ø", "O")).casefold()
    return re.sub(
        r"[_|:]+", " ", "".join(letter for letter in folded if not unicodedata.combining(letter))
    )


def find(pattern: str, text: str) -> str | None:
    """Return the first match of a pattern in a plain text."""
    match = re.search(pattern, text)
    return None if match is None else match[0]


def read_meaning(header: str) -> Meaning | None:
    """Return the meaning of a column by its header, or None if it has none.

    A consumption may be a house's or a meter's, which the header alone does not tell.
    """
    text = plain(header)
    own = find(r"^(import|export|pv|load|charge|discharge) kwh$", text)
    if own:
        return Meaning(cast("StoredAs", own.replace(" ", "_")), header)
    # Narrower words come first.
    meaning = _read_words(text, ((PART, "nothing"), (SOC, "soc"), (TOTAL, "nothing")))
    if meaning is None:
        meaning = _read_price(text)
    if meaning is None:
        meaning = _read_battery(text, header)
    if meaning is None:
        meaning = _read_flow(text)
    return meaning


def _read_price(text: str) -> Meaning | None:
    price = find(PRICE, text)
    if not price:
        return None
    spot = find(SPOT, text)
    if spot:
        return Meaning("spot_price", spot)
    return Meaning("export_price" if find(EXPORT, text) else "import_price", price)


def _read_flow(text: str) -> Meaning | None:
    sold = find(EXPORT, text)
    bought = find(IMPORT, text)
    if sold and bought:
        return Meaning("grid", f"{sold}/{bought}")
    if sold:
        return Meaning("export_kwh", sold)
    if bought:
        return Meaning("import_kwh", bought)
    return _read_use(text)


def _read_use(text: str) -> Meaning | None:
    load = find(LOAD, text)
    if load:
        return Meaning("load_kwh", load)
    produced = find(PV, text)
    used = find(CONSUMPTION, text)
    if produced and not used:
        return Meaning("pv_kwh", produced)
    if used:
        return Meaning("load_kwh", used, consumption=True)
    return _read_words(text, ((GRID, "grid"), (STATUS, "nothing")))


def _read_words(text: str, meanings: Sequence[tuple[str, StoredAs]]) -> Meaning | None:
    """Return the meaning of the first pattern that matches."""
    for pattern, stored_as in meanings:
        word = find(pattern, text)
        if word:
            return Meaning(stored_as, word)
    return None


def _read_battery(text: str, header: str) -> Meaning | None:
    discharge = find(DISCHARGE, text)
    if discharge:
        return Meaning("discharge_kwh", discharge)
    battery = find(BATTERY, text)
    charge = find(CHARGE, text)
    # Suppliers charge money as well: without a battery's word only an energy is a charge.
    has_unit = read_unit(header) in {"Wh", "kWh", "MWh", "W", "kW"}
    is_energy = has_unit and not find(f"{EXPORT}|{IMPORT}|{CONSUMPTION}", text)
    if charge and (battery or is_energy):
        return Meaning("charge_kwh", charge)
    return None if battery is None else Meaning("battery", battery)


def read_unit(text: str) -> str:
    """Return the last unit that a header or a cell of units names, or an empty text."""
    units = UNIT.findall(text.replace("_", " "))
    if not units:
        return ""
    unit = re.sub(r"\s", "", units[-1]).casefold()
    if "/" in unit:
        money, energy = unit.split("/")
        energy = energy.replace("kwh", "kWh").replace("mwh", "MWh")
        return f"{CENT_WORDS.get(money, money)}/{energy}"
    return UNIT_SPELLINGS.get(unit, unit)
