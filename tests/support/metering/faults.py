"""What happens to meters: each fault is one declaration of how it changes what they say, and of the
days that it touches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from tests.support.metering.house import SENSORS, midnight

Change = Callable[[pl.DataFrame, "Place"], pl.DataFrame]
COUNTERS_OF_HOUSE = ("house", "import", "export")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault happens: from an hour of a local day on, for some hours, to one sensor."""

    day: date
    hour: float
    hours: float
    sensor: str
    rng: np.random.Generator

    @property
    def inside(self) -> pl.Expr:
        """The readings within it."""
        return pl.col("instant").is_between(
            self._at(self.hour), self._at(self.hour + self.hours), closed="left"
        )

    @property
    def here(self) -> pl.Expr:
        """The sensor's readings within it."""
        return self.inside & (pl.col("sensor") == self.sensor)

    @property
    def after(self) -> pl.Expr:
        """The sensor's readings from its beginning on."""
        return (pl.col("instant") >= self._at(self.hour)) & (pl.col("sensor") == self.sensor)

    @property
    def touched(self) -> set[date]:
        """The local days that it reaches into."""
        last = int((self.hour + self.hours) // 24)
        return {self.day + timedelta(days=number) for number in range(last + 1)}

    def _at(self, hour: float) -> pl.Expr:
        return pl.lit(midnight(self.day) + timedelta(hours=hour)).cast(pl.Datetime("us"))


@dataclass(frozen=True, slots=True)
class Fault:
    """How readings change, to which sensors it happens, and for how many hours from when in the
    day.

    ``days_before`` may be doubted as well: nobody can tell a meter that rested and then froze from
    one that froze as it stood still.
    """

    name: str
    change: Change
    sensors: tuple[str, ...] = COUNTERS_OF_HOUSE
    hours: tuple[float, float] = (20.0, 44.0)
    begins: tuple[float, float] = (1.0, 3.0)
    days_before: int = 0

    @property
    def most_days(self) -> int:
        """How many days it may touch."""
        return self.days_before + 1 + int((self.begins[1] + self.hours[1]) // 24)

    def place(self, day: date, rng: np.random.Generator) -> Place:
        """Return where it happens, from ``day`` on."""
        return Place(
            day,
            float(np.floor(rng.uniform(*self.begins))),
            float(np.floor(rng.uniform(*self.hours))),
            str(rng.choice(self.sensors)),
            rng,
        )


def _with_value(rows: pl.DataFrame, where: pl.Expr, value: pl.Expr) -> pl.DataFrame:
    return rows.with_columns(pl.when(where).then(value).otherwise("value").alias("value"))


def change_unit_with_word(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A device that speaks in Wh for a while and says so."""
    rows = rows.with_columns(pl.when(place.here).then(pl.lit("Wh")).otherwise("unit").alias("unit"))
    return _with_value(rows, place.here, pl.col("value") * 1000)


def change_unit_without_word(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A device that speaks in Wh for a while and goes on saying kWh."""
    return _with_value(rows, place.here, pl.col("value") * 1000)


def name_unknown_unit(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A unit that there is not."""
    return rows.with_columns(
        pl.when(place.here).then(pl.lit("kkWh")).otherwise("unit").alias("unit")
    )


def reverse_sign(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A power that counts the other way."""
    return _with_value(rows, place.here, -pl.col("value"))


def sleep_at_night(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """An inverter that reports nothing while it gives nothing."""
    return rows.filter(~(place.here & (pl.col("value") == 0)))


def misread_once(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A reading that falls by half a kilowatt-hour, and the next is right again."""
    return _with_value(rows, _first(rows, place), pl.col("value") - 0.5)


def step_back(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A counter that goes on some kWh lower."""
    return _with_value(rows, place.after, pl.col("value") - 30)


def begin_again(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A counter that begins again at zero."""
    level = rows.filter(place.after)["value"].min()
    return _with_value(rows, place.after, pl.col("value") - pl.lit(level))


def exchange_meter(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A meter that another one takes the place of."""
    return _with_value(rows, place.after, pl.col("value") + 5000)


def freeze(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A meter that repeats its last value, and then goes on where it should be."""
    level = rows.filter(place.here).sort("instant")["value"].first()
    return _with_value(rows, place.here, pl.lit(level))


def leave_gap(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A sensor that says nothing for some hours."""
    return rows.filter(~place.here)


def lose_all(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A recorder that is away: no sensor is heard."""
    return rows.filter(~place.inside)


def lose_rows(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """Rows that are missing here and there."""
    return rows.filter(~place.inside | pl.Series(place.rng.uniform(size=rows.height) < 0.9))


def repeat_and_shuffle(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """Rows that come twice, and in no order."""
    again = rows.filter(place.inside)
    return pl.concat([rows.filter(~place.inside), again, again])[
        place.rng.permutation(rows.height + again.height)
    ]


def say_zero_level(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A state of charge that is zero after a restart."""
    return _with_value(rows, place.here, pl.lit(0.0))


def leave_car_out(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A wallbox that the house's meter does not count, though the site says that it does."""
    car = rows.filter((pl.col("sensor") == "car") & place.inside).unique("instant").sort("instant")
    taken = car.select("instant", (pl.col("value") - pl.col("value").first()).alias("taken"))
    counted = float(taken["taken"].max() or 0.0)  # type: ignore[arg-type]
    rows = rows.sort("instant").join_asof(taken.set_sorted("instant"), on="instant")
    less = pl.when(place.here).then(pl.col("taken").fill_null(0.0)).otherwise(counted)
    return _with_value(rows, place.after, pl.col("value") - less).drop("taken")


def rename_sensor(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A sensor that speaks under another name for a while."""
    return rows.with_columns(
        pl.when(place.here)
        .then(pl.concat_str("sensor", pl.lit("_2")))
        .otherwise("sensor")
        .alias("sensor")
    )


def set_clock_wrong(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A meter whose clock is an hour late."""
    late = pl.when(place.here).then(pl.col("instant") + pl.duration(hours=1)).otherwise("instant")
    return rows.with_columns(late.alias("instant")).unique(
        ["sensor", "instant"], keep="first", maintain_order=True
    )


def say_absurd_power(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """One reading of a power that no house has."""
    return _with_value(rows, _first(rows, place), pl.lit(4_000_000.0))


def say_absurd_energy(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """One reading of a counter far above it."""
    return _with_value(rows, _first(rows, place), pl.col("value") + 90_000)


def write_comma(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """Decimals that follow a comma, among others that follow a point."""
    return rows.with_columns(
        pl.when(place.here)
        .then(pl.col("value").cast(pl.String).str.replace(".", ",", literal=True))
        .otherwise("said")
        .alias("said")
    )


def hold_power(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A power that does not move any more, and is not zero."""
    return _with_value(rows, place.here, pl.lit(1234.5))


def say_no_value(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A device that says its number for no value: the highest of 16 bits, in W or in tenths of a
    kWh.
    """
    return _with_value(
        rows, place.here, pl.when(pl.col("unit") == "W").then(65_535.0).otherwise(6_553.5)
    )


def correct_down(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A counter that falls to a few kWh, and goes on from there."""
    level = rows.filter(place.after)["value"].min()
    return _with_value(rows, place.after, pl.col("value") - pl.lit(level) + 3.0)


def say_kilowatts(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A power in kW that goes on saying W."""
    return _with_value(rows, place.here, pl.col("value") / 1000)


def say_a_thousand(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """A power in mW that goes on saying W."""
    return _with_value(rows, place.here, pl.col("value") * 1000)


def _first(rows: pl.DataFrame, place: Place) -> pl.Expr:
    instant = rows.filter(place.here)["instant"].min()
    return place.here & (pl.col("instant") == pl.lit(instant))


ONCE = (1.0, 2.0)
AT_NOON = (11.0, 14.0)
FAULTS = (
    Fault("unit changes with word", change_unit_with_word),
    Fault("unit changes without word", change_unit_without_word),
    Fault("unit that there is not", name_unknown_unit),
    Fault("sign reversed", reverse_sign, ("roof",)),
    Fault("counter below zero", reverse_sign),
    Fault("counter misread once", misread_once, hours=ONCE, begins=AT_NOON),
    Fault("counter steps back", step_back, hours=ONCE, begins=AT_NOON),
    Fault("counter begins again", begin_again, hours=ONCE, begins=AT_NOON),
    Fault("meter exchanged", exchange_meter, hours=ONCE, begins=AT_NOON),
    Fault("meter frozen", freeze, ("house", "import"), hours=(60.0, 80.0), days_before=2),
    Fault("gap bracketed by a counter", leave_gap, hours=(4.0, 9.0), begins=(8.0, 12.0)),
    Fault("short gap", leave_gap, (*COUNTERS_OF_HOUSE, "roof"), hours=ONCE, begins=AT_NOON),
    Fault("recorder away", lose_all, hours=(4.0, 30.0)),
    Fault("rows missing", lose_rows, SENSORS),
    Fault("rows twice and shuffled", repeat_and_shuffle, SENSORS),
    Fault("level zero after a restart", say_zero_level, ("level",), hours=ONCE, begins=AT_NOON),
    Fault("car before the house's meter", leave_car_out, ("house",)),
    Fault("sensor renamed", rename_sensor, (*COUNTERS_OF_HOUSE, "roof")),
    Fault("clock an hour late", set_clock_wrong, ("roof", "import"), hours=(18.0, 20.0)),
    Fault("absurd power", say_absurd_power, ("roof",), hours=ONCE, begins=AT_NOON),
    Fault("absurd energy", say_absurd_energy, hours=ONCE, begins=AT_NOON),
    Fault("decimal comma", write_comma, (*COUNTERS_OF_HOUSE, "roof")),
    Fault("power that does not move", hold_power, ("roof",)),
    Fault("inverter asleep", sleep_at_night, ("roof",)),
    Fault(
        "number for no value",
        say_no_value,
        (*COUNTERS_OF_HOUSE, "roof"),
        hours=(3.0, 9.0),
        begins=(8.0, 12.0),
    ),
    Fault("counter corrected above zero", correct_down, hours=ONCE, begins=AT_NOON),
    Fault("kilowatts called watts", say_kilowatts, ("roof",)),
    Fault("a thousand times too high", say_a_thousand, ("roof",)),
)
