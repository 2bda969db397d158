"""Defaults of a site by country.

They are time zone, currency, markets, VAT and mark-up, and the coordinates of large towns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from luna.energy.refusals import refuse


class Town(NamedTuple):
    """A large town: its name, degrees north, degrees east.

    ``timezone`` is the town's own where it is not the country's; IANA.
    """

    name: str
    latitude: float
    longitude: float
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Country:
    """The usual values of a country.

    Args:
        code: ISO 3166.
        timezone: of most of it; IANA.
        currency: ISO 4217.
        vat: on a household's electricity, share. Source: European Commission, "VAT rates applied in
            the Member States", as of 2025. GB: VAT Notice 701/19, reduced rate. AU: A New Tax
            System (Goods and Services Tax) Act 1999. NZ: Goods and Services Tax Act 1985. ZA:
            Value-Added Tax Act 1991. CA: Excise Tax Act, the federal GST alone; provinces add to
            it. US: none of the country's; states tax differently or not at all.
        markup: what taxes, grid and supplier add to a kWh's day-ahead price, currency per kWh
            before tax: of the order of household bills of 2025.
        markets: bidding zones by their names in tariffs, the largest first; none where Luna reads
            no prices.
        towns: the largest first.
    """

    code: str
    timezone: str
    currency: str
    vat: float
    markup: float
    markets: tuple[str, ...]
    towns: tuple[Town, ...]

    def timezone_of(self, town: Town) -> str:
        """Return the time zone of one of the country's towns."""
        return town.timezone or self.timezone


_COUNTRIES = (
    Country(
        "AT",
        "Europe/Vienna",
        "EUR",
        0.2,
        0.1,
        ("AT",),
        (
            Town("Wien", 48.21, 16.37),
            Town("Graz", 47.07, 15.44),
            Town("Linz", 48.31, 14.29),
            Town("Innsbruck", 47.26, 11.39),
        ),
    ),
    Country(
        "AU",
        "Australia/Sydney",
        "AUD",
        0.1,
        0.18,
        (),
        (
            Town("Sydney", -33.87, 151.21),
            Town("Melbourne", -37.81, 144.96, "Australia/Melbourne"),
            Town("Brisbane", -27.47, 153.03, "Australia/Brisbane"),
            Town("Perth", -31.95, 115.86, "Australia/Perth"),
            Town("Adelaide", -34.93, 138.6, "Australia/Adelaide"),
            Town("Gold Coast", -28.02, 153.4, "Australia/Brisbane"),
            Town("Newcastle", -32.93, 151.78),
            Town("Canberra", -35.28, 149.13),
            Town("Hobart", -42.88, 147.33, "Australia/Hobart"),
            Town("Townsville", -19.26, 146.82, "Australia/Brisbane"),
            Town("Cairns", -16.92, 145.77, "Australia/Brisbane"),
            Town("Darwin", -12.46, 130.84, "Australia/Darwin"),
        ),
    ),
    Country(
        "BE",
        "Europe/Brussels",
        "EUR",
        0.06,
        0.14,
        ("BE",),
        (Town("Bruxelles", 50.85, 4.35), Town("Antwerpen", 51.22, 4.4), Town("Liège", 50.63, 5.57)),
    ),
    Country(
        "BG",
        "Europe/Sofia",
        "EUR",
        0.2,
        0.05,
        ("BG",),
        (Town("Sofia", 42.7, 23.32), Town("Varna", 43.21, 27.91)),
    ),
    Country(
        "CA",
        "America/Toronto",
        "CAD",
        0.05,
        0.1,
        (),
        (
            Town("Toronto", 43.65, -79.38),
            Town("Montréal", 45.5, -73.57),
            Town("Calgary", 51.05, -114.07, "America/Edmonton"),
            Town("Ottawa", 45.42, -75.7),
            Town("Edmonton", 53.55, -113.49, "America/Edmonton"),
            Town("Winnipeg", 49.9, -97.14, "America/Winnipeg"),
            Town("Vancouver", 49.28, -123.12, "America/Vancouver"),
            Town("Québec", 46.81, -71.21),
            Town("Halifax", 44.65, -63.57, "America/Halifax"),
            Town("Saskatoon", 52.13, -106.67, "America/Regina"),
            Town("Regina", 50.45, -104.62, "America/Regina"),
            Town("St. John's", 47.56, -52.71, "America/St_Johns"),
            Town("Whitehorse", 60.72, -135.06, "America/Whitehorse"),
        ),
    ),
    Country(
        "CH",
        "Europe/Zurich",
        "CHF",
        0.081,
        0.16,
        ("CH",),
        (
            Town("Zürich", 47.38, 8.54),
            Town("Genève", 46.2, 6.14),
            Town("Bern", 46.95, 7.45),
            Town("Lugano", 46.0, 8.95),
        ),
    ),
    Country(
        "CZ",
        "Europe/Prague",
        "CZK",
        0.21,
        2.8,
        ("CZ",),
        (Town("Praha", 50.08, 14.44), Town("Brno", 49.2, 16.61)),
    ),
    Country(
        "DE",
        "Europe/Berlin",
        "EUR",
        0.19,
        0.17,
        ("DE-LU",),
        (
            Town("Berlin", 52.52, 13.4),
            Town("Hamburg", 53.55, 9.99),
            Town("München", 48.14, 11.58),
            Town("Köln", 50.94, 6.96),
            Town("Frankfurt", 50.11, 8.68),
            Town("Stuttgart", 48.78, 9.18),
            Town("Leipzig", 51.34, 12.37),
            Town("Dortmund", 51.51, 7.47),
            Town("Bremen", 53.08, 8.8),
            Town("Dresden", 51.05, 13.74),
            Town("Hannover", 52.37, 9.73),
            Town("Nürnberg", 49.45, 11.08),
            Town("Freiburg", 48.0, 7.85),
            Town("Rostock", 54.09, 12.14),
        ),
    ),
    Country(
        "DK",
        "Europe/Copenhagen",
        "DKK",
        0.25,
        1.2,
        ("DK1", "DK2"),
        (Town("København", 55.68, 12.57), Town("Aarhus", 56.16, 10.2), Town("Odense", 55.4, 10.4)),
    ),
    Country("EE", "Europe/Tallinn", "EUR", 0.24, 0.08, ("EE",), (Town("Tallinn", 59.44, 24.75),)),
    Country(
        "ES",
        "Europe/Madrid",
        "EUR",
        0.21,
        0.07,
        ("ES",),
        (
            Town("Madrid", 40.42, -3.7),
            Town("Barcelona", 41.39, 2.17),
            Town("Valencia", 39.47, -0.38),
            Town("Sevilla", 37.39, -5.99),
            Town("Bilbao", 43.26, -2.93),
            Town("Palma", 39.57, 2.65),
        ),
    ),
    Country(
        "FI",
        "Europe/Helsinki",
        "EUR",
        0.255,
        0.07,
        ("FI",),
        (Town("Helsinki", 60.17, 24.94), Town("Tampere", 61.5, 23.76), Town("Oulu", 65.01, 25.47)),
    ),
    Country(
        "FR",
        "Europe/Paris",
        "EUR",
        0.2,
        0.11,
        ("FR",),
        (
            Town("Paris", 48.86, 2.35),
            Town("Lyon", 45.76, 4.84),
            Town("Marseille", 43.3, 5.37),
            Town("Toulouse", 43.6, 1.44),
            Town("Nantes", 47.22, -1.55),
            Town("Strasbourg", 48.58, 7.75),
        ),
    ),
    Country(
        "GB",
        "Europe/London",
        "GBP",
        0.05,
        0.15,
        (),
        (
            Town("London", 51.51, -0.13),
            Town("Birmingham", 52.48, -1.9),
            Town("Leeds", 53.8, -1.55),
            Town("Glasgow", 55.86, -4.25),
            Town("Manchester", 53.48, -2.24),
            Town("Edinburgh", 55.95, -3.19),
            Town("Liverpool", 53.41, -2.98),
            Town("Bristol", 51.45, -2.59),
            Town("Cardiff", 51.48, -3.18),
            Town("Belfast", 54.6, -5.93),
            Town("Newcastle", 54.97, -1.61),
            Town("Plymouth", 50.38, -4.14),
            Town("Aberdeen", 57.15, -2.09),
            Town("Norwich", 52.63, 1.3),
        ),
    ),
    Country(
        "GR",
        "Europe/Athens",
        "EUR",
        0.06,
        0.07,
        ("GR",),
        (Town("Athína", 37.98, 23.73), Town("Thessaloníki", 40.64, 22.94)),
    ),
    Country(
        "HR",
        "Europe/Zagreb",
        "EUR",
        0.13,
        0.07,
        ("HR",),
        (Town("Zagreb", 45.81, 15.98), Town("Split", 43.51, 16.44)),
    ),
    Country(
        "HU",
        "Europe/Budapest",
        "HUF",
        0.27,
        25.0,
        ("HU",),
        (Town("Budapest", 47.5, 19.04), Town("Debrecen", 47.53, 21.63)),
    ),
    Country(
        "IE",
        "Europe/Dublin",
        "EUR",
        0.09,
        0.17,
        (),
        (
            Town("Dublin", 53.35, -6.26),
            Town("Cork", 51.9, -8.47),
            Town("Limerick", 52.66, -8.63),
            Town("Galway", 53.27, -9.05),
            Town("Waterford", 52.26, -7.11),
            Town("Drogheda", 53.72, -6.35),
            Town("Letterkenny", 54.95, -7.73),
            Town("Sligo", 54.27, -8.47),
        ),
    ),
    Country(
        "IT",
        "Europe/Rome",
        "EUR",
        0.1,
        0.1,
        (
            "IT-North",
            "IT-Centre-North",
            "IT-Centre-South",
            "IT-South",
            "IT-Calabria",
            "IT-Sicily",
            "IT-Sardinia",
        ),
        (
            Town("Roma", 41.9, 12.5),
            Town("Milano", 45.46, 9.19),
            Town("Napoli", 40.85, 14.27),
            Town("Torino", 45.07, 7.69),
            Town("Palermo", 38.12, 13.36),
            Town("Bolzano", 46.5, 11.35),
        ),
    ),
    Country(
        "LT",
        "Europe/Vilnius",
        "EUR",
        0.21,
        0.09,
        ("LT",),
        (Town("Vilnius", 54.69, 25.28), Town("Kaunas", 54.9, 23.9)),
    ),
    Country(
        "LU", "Europe/Luxembourg", "EUR", 0.08, 0.1, ("DE-LU",), (Town("Luxembourg", 49.61, 6.13),)
    ),
    Country("LV", "Europe/Riga", "EUR", 0.21, 0.08, ("LV",), (Town("Rīga", 56.95, 24.11),)),
    Country(
        "NL",
        "Europe/Amsterdam",
        "EUR",
        0.21,
        0.12,
        ("NL",),
        (
            Town("Amsterdam", 52.37, 4.9),
            Town("Rotterdam", 51.92, 4.48),
            Town("Utrecht", 52.09, 5.12),
            Town("Eindhoven", 51.44, 5.48),
            Town("Groningen", 53.22, 6.57),
        ),
    ),
    Country(
        "NO",
        "Europe/Oslo",
        "NOK",
        0.25,
        0.5,
        ("NO1", "NO2", "NO3", "NO4", "NO5"),
        (
            Town("Oslo", 59.91, 10.75),
            Town("Bergen", 60.39, 5.32),
            Town("Trondheim", 63.43, 10.4),
            Town("Tromsø", 69.65, 18.96),
        ),
    ),
    Country(
        "NZ",
        "Pacific/Auckland",
        "NZD",
        0.15,
        0.16,
        (),
        (
            Town("Auckland", -36.85, 174.76),
            Town("Christchurch", -43.53, 172.64),
            Town("Wellington", -41.29, 174.78),
            Town("Hamilton", -37.79, 175.28),
            Town("Tauranga", -37.69, 176.17),
            Town("Dunedin", -45.87, 170.5),
            Town("Palmerston North", -40.36, 175.61),
            Town("Napier", -39.49, 176.92),
            Town("Nelson", -41.27, 173.28),
            Town("Invercargill", -46.41, 168.35),
        ),
    ),
    Country(
        "PL",
        "Europe/Warsaw",
        "PLN",
        0.23,
        0.5,
        ("PL",),
        (
            Town("Warszawa", 52.23, 21.01),
            Town("Kraków", 50.06, 19.94),
            Town("Wrocław", 51.11, 17.03),
            Town("Gdańsk", 54.35, 18.65),
        ),
    ),
    Country(
        "PT",
        "Europe/Lisbon",
        "EUR",
        0.23,
        0.08,
        ("PT",),
        (Town("Lisboa", 38.72, -9.14), Town("Porto", 41.15, -8.61)),
    ),
    Country(
        "RO",
        "Europe/Bucharest",
        "RON",
        0.21,
        0.5,
        ("RO",),
        (Town("București", 44.43, 26.1), Town("Cluj-Napoca", 46.77, 23.6)),
    ),
    Country(
        "SE",
        "Europe/Stockholm",
        "SEK",
        0.25,
        1.0,
        ("SE3", "SE4", "SE2", "SE1"),
        (
            Town("Stockholm", 59.33, 18.07),
            Town("Göteborg", 57.71, 11.97),
            Town("Malmö", 55.6, 13.0),
            Town("Umeå", 63.83, 20.26),
        ),
    ),
    Country(
        "SI",
        "Europe/Ljubljana",
        "EUR",
        0.22,
        0.07,
        ("SI",),
        (Town("Ljubljana", 46.06, 14.51), Town("Maribor", 46.55, 15.65)),
    ),
    Country(
        "SK",
        "Europe/Bratislava",
        "EUR",
        0.23,
        0.1,
        ("SK",),
        (Town("Bratislava", 48.15, 17.11), Town("Košice", 48.72, 21.26)),
    ),
    Country(
        "US",
        "America/New_York",
        "USD",
        0.0,
        0.13,
        (),
        (
            Town("New York", 40.71, -74.01),
            Town("Los Angeles", 34.05, -118.24, "America/Los_Angeles"),
            Town("Chicago", 41.88, -87.63, "America/Chicago"),
            Town("Houston", 29.76, -95.37, "America/Chicago"),
            Town("Phoenix", 33.45, -112.07, "America/Phoenix"),
            Town("Dallas", 32.78, -96.8, "America/Chicago"),
            Town("San Francisco", 37.77, -122.42, "America/Los_Angeles"),
            Town("Seattle", 47.61, -122.33, "America/Los_Angeles"),
            Town("Denver", 39.74, -104.99, "America/Denver"),
            Town("Boston", 42.36, -71.06),
            Town("Atlanta", 33.75, -84.39),
            Town("Miami", 25.76, -80.19),
            Town("Honolulu", 21.31, -157.86, "Pacific/Honolulu"),
            Town("Anchorage", 61.22, -149.9, "America/Anchorage"),
        ),
    ),
    Country(
        "ZA",
        "Africa/Johannesburg",
        "ZAR",
        0.15,
        1.5,
        (),
        (
            Town("Johannesburg", -26.2, 28.05),
            Town("Cape Town", -33.92, 18.42),
            Town("Durban", -29.86, 31.02),
            Town("Pretoria", -25.75, 28.19),
            Town("Gqeberha", -33.96, 25.6),
            Town("Bloemfontein", -29.12, 26.22),
            Town("East London", -33.02, 27.91),
            Town("Polokwane", -23.9, 29.45),
            Town("Kimberley", -28.74, 24.76),
            Town("Mbombela", -25.47, 30.97),
        ),
    ),
)
COUNTRIES: Mapping[str, Country] = {country.code: country for country in _COUNTRIES}


def place_named(place: str) -> tuple[Country, Town]:
    """Return the country and town of ``<country code>:<town>``.

    Raises:
        NotFoundError: no such place.
    """
    code, _, name = place.partition(":")
    country = COUNTRIES.get(code)
    town = next((town for town in country.towns if town.name == name), None) if country else None
    if country is None or town is None:
        raise refuse("no-such-place", field="place", value=place)
    return country, town


def places() -> Iterator[tuple[str, str]]:
    """Yield every place in the form of ``place_named``, with its country's code."""
    for country in _COUNTRIES:
        for town in country.towns:
            yield f"{country.code}:{town.name}", country.code
