"""Regions whose customers pay different prices, and the postcode areas inside each.

Great Britain: the distribution regions by letter. Source: Elexon, "GSP Group". Postcode areas:
"Postcode district to DNO location" of UKEnergyCompanyLibs, read 2026-11-30. An area that lies in
one region but for a few districts is listed, and those districts are left open; areas that lie in
several are left out.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple


class Region(NamedTuple):
    """A region: its letter, its name, and the postcode areas that lie inside it."""

    letter: str
    name: str
    postcode_areas: tuple[str, ...]


_GREAT_BRITAIN = (
    Region(
        "A",
        "Eastern England",
        ("AL", "CB", "CM", "CO", "EN", "HA", "IP", "LU", "NR", "RM", "SG", "SS", "WD"),
    ),
    Region("B", "East Midlands", ("CV", "DE", "LE", "MK", "NG", "NN")),
    Region("C", "London", ("E", "EC", "SE", "SW", "WC")),
    Region("D", "Merseyside and North Wales", ("CH", "CW", "L", "LL")),
    Region("E", "West Midlands", ("B", "DY", "GL", "HR", "ST", "TF", "WR", "WS", "WV")),
    Region("F", "North East England", ("DH", "DL", "HG", "NE", "SR", "TS")),
    Region("G", "North West England", ("BB", "BL", "CA", "FY", "LA", "M", "OL", "PR", "SK", "WN")),
    Region("H", "Southern England", ("BH", "OX", "PO", "RG", "SL", "SN", "SO", "SP")),
    Region("J", "South East England", ("BN", "CT", "KT", "ME", "RH", "SM", "TN")),
    Region("K", "South Wales", ("CF", "NP", "SA")),
    Region("L", "South West England", ("BS", "EX", "PL", "TA", "TQ", "TR")),
    Region("M", "Yorkshire", ("BD", "DN", "HD", "HU", "HX", "LS", "S", "WF")),
    Region("N", "South Scotland", ("DG", "EH", "G", "KA", "KY", "ML")),
    Region("P", "North Scotland", ("AB", "DD", "HS", "IV", "KW", "PH", "ZE")),
)
# Districts of an area at a border: a customer's bill says on which side they lie.
_BORDERS: Mapping[str, tuple[int, ...]] = {
    "B": (77, 78, 79, 95),
    "BB": (18,),
    "BD": (24,),
    "BN": (18,),
    "BS": (35,),
    "CV": (35, 36, 37, 47),
    "CW": (12,),
    "DD": (6,),
    "DN": (10, 21, 22),
    "G": (63,),
    "GL": (7,),
    "KA": (23, 27, 28),
    "L": (40,),
    "LU": (7,),
    "MK": (40, 41, 42, 43, 44, 45, 46),
    "OX": (9, 16, 17),
    "PR": (8, 9),
    "RH": (14,),
    "S": (18, 21, 32, 33, 40, 41, 42, 43, 44, 45, 49, 80, 81),
    "ST": (14,),
}
# By country, ISO 3166.
REGIONS: Mapping[str, tuple[Region, ...]] = {"GB": _GREAT_BRITAIN}
# A district, and the area as its beginning: "SW1" of "SW1A 1AA", "B7" of "B77AA".
_DISTRICT = re.compile(r"(?P<area>[A-Z]{1,2})(?P<number>[0-9]{1,2})[A-Z]?(?: *[0-9][A-Z]{2})?")


def find_region(country: str, postcode: str) -> Region | None:
    """Return the region of a postcode or of its district; None where it may be several."""
    match = _DISTRICT.fullmatch(postcode.strip().upper())
    if match is None or int(match["number"]) in _BORDERS.get(match["area"], ()):
        return None
    for region in REGIONS.get(country, ()):
        if match["area"] in region.postcode_areas:
            return region
    return None
