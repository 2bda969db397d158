"""Small files as portals, inverters and Home Assistant write them, with what is true of the house
behind them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from math import pi, sin
from zoneinfo import ZoneInfo

import xlsxwriter  # type: ignore[import-untyped]

BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class House:
    """What a house took, made and sold from the local midnight of ``first`` (a date) on, over so
    many days, by intervals of ``step``.
    """

    first: str
    days: int
    step: timedelta = QUARTER
    zone: ZoneInfo = BERLIN

    @cached_property
    def starts(self) -> list[datetime]:
        """The intervals' starts, UTC."""
        begin = datetime.fromisoformat(self.first)
        end = (begin + timedelta(days=self.days)).replace(tzinfo=self.zone).astimezone(UTC)
        start = begin.replace(tzinfo=self.zone).astimezone(UTC)
        return [start + place * self.step for place in range((end - start) // self.step)]

    @cached_property
    def pv(self) -> list[float]:
        """Solar energy of each interval, kWh; noon is at eleven o'clock UTC."""
        hours = self.step / HOUR
        return [
            round(
                max(0.0, 4 * sin((start.hour + start.minute / 60 - 5) / 12 * pi))
                * hours
                * (1 + place % 3 / 10),
                3,
            )
            for place, start in enumerate(self.starts)
        ]

    @cached_property
    def load(self) -> list[float]:
        """What the house used, kWh."""
        return [
            round(
                (0.3 + place * 7 % 11 / 10 + (start.hour in {6, 18, 19}) * 1.2)
                * (self.step / HOUR),
                3,
            )
            for place, start in enumerate(self.starts)
        ]

    @cached_property
    def bought(self) -> list[float]:
        """What came from the grid, kWh."""
        return [round(max(load - pv, 0.0), 3) for load, pv in zip(self.load, self.pv, strict=True)]

    @cached_property
    def sold(self) -> list[float]:
        """What went into the grid, kWh."""
        return [round(max(pv - load, 0.0), 3) for load, pv in zip(self.load, self.pv, strict=True)]

    def local(self, place: int, written: str, *, end: bool = False) -> str:
        """Return an interval's start, or its end, as its clock shows it."""
        return f"{self.local_start(place, end=end):{written}}"

    def local_start(self, place: int, *, end: bool = False) -> datetime:
        """Return an interval's start, or its end, in local time."""
        return (self.starts[place] + (self.step if end else timedelta())).astimezone(self.zone)

    def counter(self, energies: Sequence[float], first: float) -> list[float]:
        """Return a counter's readings at the starts."""
        return [round(first + sum(energies[:place]), 3) for place in range(len(energies))]


@dataclass(frozen=True)
class ForeignFile:
    """A file, the series that lie in it, the answers to what it leaves open, and the keys of the
    questions that may be asked at most.
    """

    name: str
    content: bytes
    house: House
    series: Mapping[str, Sequence[float]]
    asked: frozenset[str] = frozenset()
    answers: Mapping[str, str] = field(default_factory=dict)
    # A counter tells nothing after its last reading, a sensor that speaks at odd times nothing
    # before its first.
    open_ends: int = 0
    tolerance: float = 1e-9


def comma(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".replace(".", ",")


def lines(*rows: str, end: str = "\r\n") -> str:
    return end.join(rows) + end


def workbook(rows: Sequence[Sequence[object]]) -> bytes:
    content = BytesIO()
    book = xlsxwriter.Workbook(content, {"default_date_format": "dd.mm.yyyy hh:mm"})
    sheet = book.add_worksheet("Export")
    for line, row in enumerate(rows):
        for place, cell in enumerate(row):
            if cell is not None:
                sheet.write(line, place, cell)
    book.close()
    return content.getvalue()


def german_load_profile() -> ForeignFile:
    house = House("2024-10-26", 3)
    head = [
        "Netzbetreiber;Stadtwerke Musterstadt",
        "Zählpunkt;DE00012345678901234567890123456789",
        "",
        "Datum;Uhrzeit von;Uhrzeit bis;Verbrauch (kWh);Status",
    ]
    rows = [
        (
            f"{house.local(at, '%d.%m.%Y')};{house.local(at, '%H:%M')};"
            f"{house.local(at, '%H:%M', end=True)};{comma(kwh)};gemessen"
        )
        for at, kwh in enumerate(house.bought)
    ]
    return ForeignFile(
        "Lastgang.csv", lines(*head, *rows).encode("latin-1"), house, {"import_kwh": house.bought}
    )


def austrian_portal() -> ForeignFile:
    house = House("2024-03-30", 3, zone=ZoneInfo("Europe/Vienna"))
    rows = [
        (
            f"{house.local(at, '%d.%m.%Y')};{house.local(at, '%H:%M:%S')};"
            f"{house.local(at, '%H:%M:%S', end=True)};{comma(kwh)};"
        )
        for at, kwh in enumerate(house.bought)
    ]
    content = lines("Datum;Zeit von;Zeit bis;Verbrauch [kWh];", *rows).encode("utf-8-sig")
    key = "column:Verbrauch [kWh]"
    return ForeignFile(
        "VERBRAUCH-VIERTELSTUNDENWERTE.csv",
        content,
        house,
        {"import_kwh": house.bought},
        frozenset({key}),
        {key: "import_kwh"},
    )


def swiss_workbook() -> ForeignFile:
    house = House("2024-06-01", 3, zone=ZoneInfo("Europe/Zurich"))
    rows = [
        [house.local_start(at).replace(tzinfo=None), house.bought[at], house.sold[at]]
        for at in range(len(house.starts))
    ]
    content = workbook(
        [["Messpunkt CH1234"], [], ["Zeitstempel", "Bezug (kWh)", "Einspeisung (kWh)"], *rows]
    )
    return ForeignFile(
        "export.xlsx",
        content,
        house,
        {"import_kwh": house.bought, "export_kwh": house.sold},
        frozenset({"zone"}),
    )


def swedish_hours() -> ForeignFile:
    house = House("2024-03-29", 4, HOUR, ZoneInfo("Europe/Stockholm"))
    rows = [
        f"{house.local(at, '%Y-%m-%d %H:%M')};{comma(house.bought[at])};{comma(house.sold[at])}"
        for at in range(len(house.starts))
    ]
    return ForeignFile(
        "timvarden.csv",
        lines("Datum;Förbrukning (kWh);Inmatning (kWh)", *rows).encode(),
        house,
        {"import_kwh": house.bought, "export_kwh": house.sold},
    )


def dutch_p1_meter() -> ForeignFile:
    house = House("2024-05-01", 2, zone=ZoneInfo("Europe/Amsterdam"))
    high = house.counter([kwh * (at % 2) for at, kwh in enumerate(house.bought)], 4210.123)
    low = house.counter([kwh * (1 - at % 2) for at, kwh in enumerate(house.bought)], 3980.456)
    sold = house.counter(house.sold, 812.5)
    rows = [
        f"{house.local(at, '%Y-%m-%d %H:%M')},{low[at]},{high[at]},{sold[at]},0.000"
        for at in range(len(house.starts))
    ]
    content = lines(
        "time,Import T1 kWh,Import T2 kWh,Export T1 kWh,Export T2 kWh", *rows, end="\n"
    ).encode()
    return ForeignFile(
        "P1e-2024-5-1.csv",
        content,
        house,
        {"import_kwh": house.bought, "export_kwh": house.sold},
        frozenset({"zone"}),
        open_ends=1,
    )


def french_load_curve() -> ForeignFile:
    house = House("2024-10-26", 2, timedelta(minutes=30), ZoneInfo("Europe/Paris"))
    head = [
        (
            "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur "
            "physique;Grandeur metier;Etape metier;Unite"
        ),
        (
            "12345678901234;Courbe de charge;26/10/2024;28/10/2024;Energie "
            "active;Consommation;Comptage Brut;W"
        ),
        "Horodate;Valeur",
    ]
    rows = [
        f"{house.local_start(at, end=True).isoformat()};{kwh * 2000:.0f}"
        for at, kwh in enumerate(house.bought)
    ]
    return ForeignFile(
        "Enedis_CDC.csv",
        lines(*head, *rows, end="\n").encode(),
        house,
        {"import_kwh": house.bought},
    )


def portuguese_meter() -> ForeignFile:
    house = House("2024-02-10", 3, zone=ZoneInfo("Europe/Lisbon"))
    head = [
        "Leituras",
        "CPE;PT0002000012345678AB",
        "",
        "Data;Hora;Consumo registado (kW), Ativo;Injeção na rede registada (kW), Ativo",
    ]

    def row(at: int) -> str:
        start = house.local_start(at)
        clock = house.local(at, "%H:%M", end=True)
        return (
            f"{start:%Y/%m/%d};{'24:00' if clock == '00:00' else clock};"
            f"{comma(house.bought[at] * 4)};{comma(house.sold[at] * 4)}"
        )

    content = lines(*head, *map(row, range(len(house.starts)))).encode("utf-8-sig")
    return ForeignFile(
        "Consumos.csv",
        content,
        house,
        {"import_kwh": house.bought, "export_kwh": house.sold},
        frozenset({"zone"}),
    )


def british_supplier() -> ForeignFile:
    house = House("2024-03-30", 2, timedelta(minutes=30), ZoneInfo("Europe/London"))
    rows = [
        (
            f"{kwh:.3f}, {kwh * 22.4:.2f}, {1.1:.2f}, {house.local_start(at).isoformat()}, "
            f"{house.local_start(at, end=True).isoformat()}"
        )
        for at, kwh in enumerate(house.bought)
    ]
    content = lines(
        "Consumption (kwh), Estimated Cost Inc. Tax (p), Standing Charge Inc. Tax (p), Start, End",
        *rows,
        end="\n",
    ).encode()
    key = "column:Consumption (kwh)"
    return ForeignFile(
        "consumption.csv",
        content,
        house,
        {"import_kwh": house.bought},
        frozenset({key}),
        {key: "import_kwh"},
    )


def fronius_export() -> ForeignFile:
    house = House("2024-07-01", 2)
    head = [
        (
            "Datum und Uhrzeit;Produktion;Verbrauch;Energie ins Netz eingespeist;Energie vom "
            "Netz bezogen;Direkt verbraucht"
        ),
        "[dd.MM.yyyy HH:mm];[Wh];[Wh];[Wh];[Wh];[Wh]",
    ]
    rows = [
        ";".join(
            [
                house.local(at, "%d.%m.%Y %H:%M"),
                *(f"{kwh * 1000:.0f}" for kwh in _flows(house, at)),
                f"{min(house.pv[at], house.load[at]) * 1000:.0f}",
            ]
        )
        for at in range(len(house.starts))
    ]
    series = {
        "pv_kwh": house.pv,
        "load_kwh": house.load,
        "export_kwh": house.sold,
        "import_kwh": house.bought,
    }
    return ForeignFile(
        "Haus.csv", lines(*head, *rows).encode("utf-8-sig"), house, series, frozenset({"zone"})
    )


def _flows(house: House, at: int) -> tuple[float, ...]:
    return house.pv[at], house.load[at], house.sold[at], house.bought[at]


def sma_export() -> ForeignFile:
    house = House("2024-10-26", 3)
    total = house.counter(house.pv, 4210.123)
    head = [
        "sep=;",
        "Version CSV1|Tool SE|Linebreaks CR/LF|Delimiter semicolon|Decimalpoint comma|Precision 3",
        "",
        ";SN: 2100123456;SN: 2100123456",
        ";SB 5000TL-20;SB 5000TL-20",
        ";Gesamtertrag;Leistung",
        ";Counter;Analog",
        "dd.MM.yyyy HH:mm;kWh;kW",
    ]
    rows = [
        f"{house.local(at, '%d.%m.%Y %H:%M')};{comma(total[at])};{comma(house.pv[at] * 4)}"
        for at in range(len(house.starts))
    ]
    return ForeignFile(
        "Anlage-20241026.csv",
        lines(*head, *rows).encode("latin-1"),
        house,
        {"pv_kwh": house.pv},
        open_ends=1,
    )


def solaredge_export() -> ForeignFile:
    house = House("2024-06-10", 5)
    rows = [
        f"{house.local(at, '%m/%d/%Y %H:%M')},{house.pv[at] * 4000:.0f}"
        for at in range(len(house.starts))
    ]
    return ForeignFile(
        "site.csv",
        lines("Time,System Production (W)", *rows, end="\n").encode(),
        house,
        {"pv_kwh": house.pv},
        frozenset({"zone"}),
    )


def home_assistant_history() -> ForeignFile:
    house = House("2024-06-01", 2)
    readings = {
        "sensor.grid_import_energy": house.counter(house.bought, 1200.5),
        "sensor.solar_energy_total": house.counter(house.pv, 88.25),
    }
    groups = []
    for entity, values in readings.items():
        group: list[dict[str, object]] = [
            {"state": str(value), "last_changed": house.starts[at].isoformat()}
            for at, value in enumerate(values)
        ]
        group[0] |= {
            "entity_id": entity,
            "attributes": {"unit_of_measurement": "kWh", "state_class": "total_increasing"},
        }
        group.insert(
            9,
            {
                "state": "unavailable",
                "last_changed": (house.starts[8] + timedelta(minutes=3)).isoformat(),
            },
        )
        groups.append(group)
    return ForeignFile(
        "history.json",
        json.dumps(groups).encode(),
        house,
        {"import_kwh": house.bought, "pv_kwh": house.pv},
        open_ends=1,
    )


def day_ahead_prices() -> ForeignFile:
    house = House("2024-03-30", 2, HOUR)
    prices = [round(0.05 + at % 24 / 200, 5) for at in range(len(house.starts))]
    rows = [
        f"{house.local_start(at).isoformat()};{comma(price * 1000, 2)}"
        for at, price in enumerate(prices)
    ]
    return ForeignFile(
        "energy-charts.csv",
        lines("Datum;Day Ahead Auktion Preis (EUR/MWh)", *rows).encode(),
        house,
        {"spot_price": prices},
    )


KNOWN: tuple[Callable[[], ForeignFile], ...] = (
    german_load_profile,
    austrian_portal,
    swiss_workbook,
    swedish_hours,
    dutch_p1_meter,
    french_load_curve,
    portuguese_meter,
    british_supplier,
    fronius_export,
    sma_export,
    solaredge_export,
    home_assistant_history,
    day_ahead_prices,
)


def obis_rows() -> ForeignFile:
    house = House("2024-03-30", 2)
    rows = [
        (
            f"{house.local(at, '%d.%m.%Y;%H:%M')};{house.local(at, '%d.%m.%Y;%H:%M', end=True)}"
            f";{code};{comma(kwh)};kWh;W"
        )
        for code, energies in (("1-1:1.29.0", house.bought), ("1-1:2.29.0", house.sold))
        for at, kwh in enumerate(energies)
    ]
    content = lines(
        "Ab-Datum;Ab-Zeit;Bis-Datum;Bis-Zeit;OBIS-Kennzahl;Wert;Einheit;Status", *rows
    ).encode()
    return ForeignFile(
        "werte.csv", content, house, {"import_kwh": house.bought, "export_kwh": house.sold}
    )


def lower_austrian_ends() -> ForeignFile:
    house = House("2024-10-26", 3, zone=ZoneInfo("Europe/Vienna"))
    rows = [
        (
            f"{house.local(at, '%d.%m.%Y %H:%M', end=True)};{comma(house.bought[at])};"
            f"{comma(house.sold[at])}"
        )
        for at in range(len(house.starts))
    ]
    content = lines(
        "Messzeitpunkt;Gemessener Verbrauch (kWh);Eingespeiste Energie (kWh)", *rows
    ).encode("latin-1")
    return ForeignFile(
        "Smart Meter.csv", content, house, {"import_kwh": house.bought, "export_kwh": house.sold}
    )


def spanish_hours() -> ForeignFile:
    house = House("2024-05-10", 4, HOUR, ZoneInfo("Europe/Madrid"))

    def row(at: int) -> str:
        clock = house.local(at, "%H:%M", end=True)
        return (
            f"ES0021000000000001XX;{house.local(at, '%Y/%m/%d')};"
            f"{'24:00' if clock == '00:00' else clock};{comma(house.bought[at])};Real"
        )

    content = lines(
        "cups;fecha;hora;consumo_kWh;metodoObtencion", *map(row, range(len(house.starts))), end="\n"
    ).encode()
    return ForeignFile(
        "consumptions.csv", content, house, {"import_kwh": house.bought}, frozenset({"zone"})
    )


def italian_distributor() -> ForeignFile:
    house = House("2024-03-29", 4, zone=ZoneInfo("Europe/Rome"))
    rows = [
        (
            f"{house.local(at, '%d/%m/%Y')};{house.local(at, '%H:%M')};"
            f"{house.local(at, '%H:%M', end=True)};{comma(house.bought[at])};"
            f"{comma(house.sold[at])}"
        )
        for at in range(len(house.starts))
    ]
    content = lines(
        "POD;IT001E00000001",
        "Data;Ora inizio;Ora fine;Energia prelevata (kWh);Energia immessa (kWh)",
        *rows,
    ).encode("utf-8-sig")
    return ForeignFile(
        "curva.csv", content, house, {"import_kwh": house.bought, "export_kwh": house.sold}
    )


def dutch_portal() -> ForeignFile:
    house = House("2024-10-25", 4, zone=ZoneInfo("Europe/Amsterdam"))
    rows = [
        (
            f"{house.local(at, '%d-%m-%Y %H:%M')};{house.local(at, '%d-%m-%Y %H:%M', end=True)}"
            f";{comma(kwh if at % 2 else 0)};{comma(0 if at % 2 else kwh)}"
        )
        for at, kwh in enumerate(house.bought)
    ]
    content = lines(
        "Datum/tijd van;Datum/tijd tot;Afname laag (kWh);Afname hoog (kWh)", *rows
    ).encode()
    return ForeignFile("verbruik.csv", content, house, {"import_kwh": house.bought})


def huawei_workbook() -> ForeignFile:
    house = House("2024-08-01", 3, HOUR)
    rows = [
        [
            house.local(at, "%Y-%m-%d %H:%M:%S"),
            "Dach",
            house.pv[at],
            house.sold[at],
            house.bought[at],
            house.load[at],
        ]
        for at in range(len(house.starts))
    ]
    head: list[list[object]] = [
        ["Plant Report"],
        ["Created 2024-08-04"],
        [
            "Statistical Period",
            "Plant Name",
            "PV Yield (kWh)",
            "Export (kWh)",
            "Import (kWh)",
            "Consumption (kWh)",
        ],
    ]
    series = {
        "pv_kwh": house.pv,
        "export_kwh": house.sold,
        "import_kwh": house.bought,
        "load_kwh": house.load,
    }
    return ForeignFile(
        "Plant Report.xlsx", workbook([*head, *rows]), house, series, frozenset({"zone"})
    )


def hybrid_inverter_power() -> ForeignFile:
    house = House("2024-05-20", 2, timedelta(minutes=5), BERLIN)
    rows = [
        ",".join(
            [
                house.local(at, "%Y/%m/%d %H:%M:%S"),
                *(
                    f"{kwh * 12000:.0f}"
                    for kwh in (house.pv[at], house.bought[at] - house.sold[at], house.load[at])
                ),
                f"{50 + at % 40}",
            ]
        )
        for at in range(len(house.starts))
    ]
    content = lines(
        "Time,PV Power(W),Grid Power(W),Load Power(W),Battery SOC(%)", *rows, end="\n"
    ).encode()
    series = {
        "pv_kwh": house.pv,
        "import_kwh": house.bought,
        "export_kwh": house.sold,
        "load_kwh": house.load,
        "soc": [round((50 + at % 40) / 100, 2) for at in range(len(house.starts))],
    }
    return ForeignFile(
        "inverter.csv",
        content,
        house,
        series,
        frozenset({"zone", "sign:Grid Power(W)"}),
        {"sign:Grid Power(W)": "import"},
        tolerance=1e-3,
    )


def home_assistant_statistics() -> ForeignFile:
    house = House("2024-06-01", 3, HOUR)
    document = {}
    for entity, energies in (
        ("sensor.energy_import_total", house.bought),
        ("sensor.energy_export_total", house.sold),
    ):
        sums = [*house.counter(energies, 0.0), round(sum(energies), 3)][1:]
        document[entity] = [
            {
                "start": int(start.timestamp() * 1000),
                "end": int((start + HOUR).timestamp() * 1000),
                "state": 4000 + sums[at],
                "sum": sums[at],
                "unit_of_measurement": "kWh",
            }
            for at, start in enumerate(house.starts)
        ]
    return ForeignFile(
        "statistics.json",
        json.dumps(document).encode(),
        house,
        {"import_kwh": house.bought, "export_kwh": house.sold},
        open_ends=1,
    )


def supplier_records() -> ForeignFile:
    house = House("2024-10-26", 3, HOUR)
    nodes = [
        {
            "from": house.local_start(at).isoformat(),
            "to": house.local_start(at, end=True).isoformat(),
            "consumption": kwh,
            "consumptionUnit": "kWh",
            "cost": kwh * 0.3,
        }
        for at, kwh in enumerate(house.bought)
    ]
    document = {"data": {"viewer": {"homes": {"consumption": nodes}}}}
    return ForeignFile(
        "tibber.json",
        json.dumps(document).encode(),
        house,
        {"import_kwh": house.bought},
        frozenset({"column:consumption", "unit:consumption"}),
        {"column:consumption": "import_kwh", "unit:consumption": "kWh"},
    )


def unicode_text() -> ForeignFile:
    house = House("2024-10-26", 2)
    rows = [
        (
            f"{house.local(at, '%d.%m.%y %H:%M')}\t{comma(house.pv[at] * 1000, 1)}"
            f"\t{comma(house.sold[at] * 1000, 1)}"
        )
        for at in range(len(house.starts))
    ]
    content = lines("Zeit (Beginn)\tPV-Erzeugung [Wh]\tNetzeinspeisung [Wh]", *rows).encode(
        "utf-16"
    )
    return ForeignFile("Anlage.txt", content, house, {"pv_kwh": house.pv, "export_kwh": house.sold})


def danish_meter() -> ForeignFile:
    house = House("2024-03-29", 4, HOUR, ZoneInfo("Europe/Copenhagen"))
    rows = [
        (
            f"571313100000000001;{house.local(at, '%d-%m-%Y %H:%M')};"
            f"{house.local(at, '%d-%m-%Y %H:%M', end=True)};{comma(kwh)};KWH;Målt;Tidsserie"
        )
        for at, kwh in enumerate(house.bought)
    ]
    content = lines("MålepunktsID;Fra_dato;Til_dato;Mængde;Måleenhed;Kvalitet;Type", *rows).encode(
        "utf-8-sig"
    )
    asked = frozenset({"column:Mængde", "unit:Mængde", "column:MålepunktsID"})
    return ForeignFile(
        "MeterData.csv",
        content,
        house,
        {"import_kwh": house.bought},
        asked,
        {"column:Mængde": "import_kwh", "unit:Mængde": "kWh", "column:MålepunktsID": "nothing"},
    )


def fast_power() -> ForeignFile:
    house = House("2024-06-03", 1, timedelta(seconds=30), ZoneInfo("UTC"))
    rows = [
        f"{int(start.timestamp())},{house.bought[at] * 120000:.1f}"
        for at, start in enumerate(house.starts)
    ]
    return ForeignFile(
        "power.csv",
        lines("timestamp,grid_import_w", *rows, end="\n").encode(),
        house,
        {"import_kwh": house.bought},
        tolerance=1e-6,
    )


HELD_OUT: tuple[Callable[[], ForeignFile], ...] = (
    obis_rows,
    lower_austrian_ends,
    spanish_hours,
    italian_distributor,
    dutch_portal,
    huawei_workbook,
    hybrid_inverter_power,
    home_assistant_statistics,
    supplier_records,
    unicode_text,
    danish_meter,
    fast_power,
)
