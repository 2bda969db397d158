"""Words by which the entities of cars and chargers are told from others, in three languages.

Source: entity names of the integrations volkswagencarnet, myskoda, cupra_we_connect, Tesla Fleet,
Teslemetry, tesla_custom, bmw_connected_drive, kia_uvo, renault, polestar_api, volvo and
mbapi2020, which an owner's language translates.
"""

# What people call a car or its charger.
_CAR = r"\bev\b|\bcar\b|\bauto\b|vehicle|fahrzeug|voertuig|wallbox|laadpaal|ladestation"
# Makers that build nothing for the house, and models; BYD and Tesla build batteries for it.
_MAKERS = (
    r"volkswagen|\bvw\b|skoda|škoda|cupra|audi|bmw|hyundai|\bkia\b|renault|dacia|polestar|volvo|"
    r"mercedes|nissan|peugeot|citro[eë]n|porsche|\bopel\b|\bfiat\b"
)
_MODELS = (
    r"\bid ?[34567]\b|\bid buzz\b|enyaq|elroq|tavascan|e-?tron|taycan|\bmodel [3sxy]\b|"
    r"\bi[3457x]\b|\bix[123]?\b|ioniq|\bkona\b|\bniro\b|\bev[2369]\b|\bzoe\b|megane|\br[45]\b|"
    r"twingo|[ex]c40|\be?x[39]0\b|\beq[abcesv]\b|ariya|\bleaf\b|mach-e|\bmg[45]\b|\batto ?3\b"
)
# No house battery has such a name.
CAR_NAMES = rf"{_CAR}|{_MAKERS}|{_MODELS}"
# Of a car that may share its maker with a battery of the house.
CAR_OR_TESLA = rf"{CAR_NAMES}|\btesla\b"
# Other things with a battery, a plug or a range near a car.
_OTHER_THINGS = (
    r"powerwall|speicher|storage|inverter|wechselrichter|omvormer|phone|handy|watch|tablet|"
    r"\bkey\b|schlüssel|sleutel|tracker|remote|door|tür|deur|window|fenster|raam|"
    r"t[iy]re|reifen|\bband\b|\b12 ?v"
)
LEVEL_OF_OTHERS = (
    rf"{_OTHER_THINGS}|limit|target|ziel|doel|minimum|maximum|humidity|health|gesundheit|"
    r"brightness|volume|fuel|tank|kraftstoff|brandstof"
)
# The cable is meant, not the car's connection to its maker's cloud or to a phone.
PLUG_WORDS = (
    r"plug|cable|kabel|connected|connection|verbunden|verbindung|angesteckt|eingesteckt|"
    r"angeschlossen|aangesloten|ingestekt|verbonden|stecker|stekker|charger\b"
)
PLUG_OF_OTHERS = (
    rf"{_OTHER_THINGS}|online|cloud|wi-?fi|wlan|internet|bluetooth|server|update|lock|verriegel|"
    r"slot vergrendeld|smart plug|socket|steckdose|stopcontact|error|fehler|fout|problem"
)
RANGE_WORDS = (
    r"range|reichweite|actieradius|rijbereik|\bbereik\b|autonom|distance to empty|\breach\b"
)
RANGE_OF_OTHERS = (
    r"fuel|petrol|diesel|benzin|gasoline|\btank\b|adblue|combined|kombiniert|gecombineerd|total|"
    r"gesamt|totaal|odometer|kilometerstand|service|inspe[ck]|wi-?fi|home|zuhause|thuis"
)
