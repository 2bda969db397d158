"""Increases, means and shapes of stored readings, in plain SQL and by the toolkit's functions."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection, text

from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.readings import Buckets
from luna.energy.timeline import FloatArray, InstantArray
from luna.energy.units import StatedUnits
from luna.platform.database import copy, readings
from luna.platform.database.reading_history import (
    read_increase,
    read_shape,
    read_time_weighted_mean,
)
from tests.support.database.site import store_site

DEFINITIONS = """
CREATE SCHEMA by_definition;
SET LOCAL search_path = by_definition, public;
CREATE TYPE reading AS ("time" timestamptz, value float8);
CREATE TYPE thinning AS (points int, readings reading[]);

CREATE FUNCTION use() RETURNS text LANGUAGE sql
AS 'SELECT set_config(''by_definition.used'', ''yes'', true)';

CREATE FUNCTION collect(readings reading[], at timestamptz, value float8) RETURNS reading[]
LANGUAGE sql AS 'SELECT readings || ROW(at, value)::reading';
CREATE FUNCTION collect_backwards(readings reading[], value float8, at timestamptz)
RETURNS reading[] LANGUAGE sql
AS 'SELECT readings || ROW(at, value)::reading';
CREATE FUNCTION collect_as(readings reading[], method text, at timestamptz, value float8)
RETURNS reading[] LANGUAGE sql
AS 'SELECT CASE WHEN method = ''LOCF'' THEN readings || ROW(at, value)::reading END';
CREATE FUNCTION collect_for(state thinning, at timestamptz, value float8, points int)
RETURNS thinning LANGUAGE sql
AS 'SELECT ROW(points, (state).readings || ROW(at, value)::reading)::thinning';

CREATE FUNCTION first_value_of(readings reading[]) RETURNS float8 LANGUAGE sql
AS 'SELECT value FROM unnest(readings) ORDER BY "time" LIMIT 1';
CREATE FUNCTION last_value_of(readings reading[]) RETURNS float8 LANGUAGE sql
AS 'SELECT value FROM unnest(readings) ORDER BY "time" DESC LIMIT 1';
CREATE AGGREGATE first(float8, timestamptz) (
    SFUNC = collect_backwards, STYPE = reading[], INITCOND = '{}', FINALFUNC = first_value_of
);
CREATE AGGREGATE last(float8, timestamptz) (
    SFUNC = collect_backwards, STYPE = reading[], INITCOND = '{}', FINALFUNC = last_value_of
);

-- The change of a counter whose every fall is a reset to zero.
CREATE AGGREGATE counter_agg(timestamptz, float8) (
    SFUNC = collect, STYPE = reading[], INITCOND = '{}'
);
CREATE FUNCTION delta(readings reading[]) RETURNS float8 LANGUAGE sql AS '
SELECT use();
SELECT last_value_of(readings) - first_value_of(readings)
    + coalesce(sum(before) FILTER (WHERE value < before), 0)
FROM (SELECT value, lag(value) OVER (ORDER BY "time") AS before FROM unnest(readings)) AS steps';

-- The average over time of values that hold until the next; none over no time.
CREATE AGGREGATE time_weight(text, timestamptz, float8) (
    SFUNC = collect_as, STYPE = reading[], INITCOND = '{}'
);
CREATE FUNCTION average(readings reading[]) RETURNS float8 LANGUAGE sql AS '
SELECT use();
SELECT sum(value * seconds) / nullif(sum(seconds), 0)
FROM (
    SELECT value,
        extract(epoch FROM lead("time") OVER (ORDER BY "time") - "time")::float8 AS seconds
    FROM unnest(readings)
) AS steps';

CREATE FUNCTION thin(state thinning) RETURNS reading[] LANGUAGE plpgsql AS '
DECLARE
    readings reading[] := ARRAY(
        SELECT (each."time", each.value)::reading
        FROM unnest((state).readings) AS each ORDER BY each."time"
    );
    total int := cardinality(readings);
    every float8 := (total - 2)::float8 / ((state).points - 2);
    chosen reading[] := readings[1:1];
    centre float8; height float8; best reading;
BEGIN
    PERFORM use();
    IF total <= (state).points THEN RETURN readings; END IF;
    FOR place IN 0 .. (state).points - 3 LOOP
        SELECT avg(extract(epoch FROM each."time")), avg(each.value) INTO centre, height
        FROM unnest(readings[
            floor((place + 1) * every)::int + 2 : least(floor((place + 2) * every)::int + 1, total)
        ]) AS each;
        SELECT each."time", each.value INTO best
        FROM unnest(readings[
            floor(place * every)::int + 2 : floor((place + 1) * every)::int + 1
        ]) WITH ORDINALITY AS each("time", value, number)
        ORDER BY abs(
            (extract(epoch FROM (chosen[place + 1])."time") - centre)
                * (each.value - (chosen[place + 1]).value)
            - extract(epoch FROM (chosen[place + 1])."time" - each."time")
                * (height - (chosen[place + 1]).value)
        ) DESC, number LIMIT 1;
        chosen := chosen || best;
    END LOOP;
    RETURN chosen || readings[total];
END';
CREATE AGGREGATE lttb(timestamptz, float8, int) (
    SFUNC = collect_for, STYPE = thinning, INITCOND = '(0,{})', FINALFUNC = thin
);
"""


def define(connection: Connection) -> None:
    """Put the functions into the connection's transaction."""
    copy.cursor(connection).execute(DEFINITIONS)


def used(connection: Connection) -> bool:
    """Whether one of them was called, in a statement that succeeded."""
    return bool(
        connection.scalar(text("SELECT current_setting('by_definition.used', true)")) == "yes"
    )


pytestmark = pytest.mark.every_database

START = datetime(2024, 1, 1, tzinfo=UTC)
HOURS = [START + timedelta(hours=hour) for hour in range(5)]
READ = {"increase": read_increase, "mean": read_time_weighted_mean}


@pytest.fixture
def meter(connection: Connection) -> Connection:
    """Four hours of a counter, every 37 seconds or so, that began again from zero twice and was
    silent for most of the third hour.
    """
    random = np.random.default_rng(7)
    seconds = np.cumsum(random.uniform(20, 54, 380))
    seconds = seconds[(seconds < 7500) | (seconds > 10_700)]
    value = np.cumsum(random.uniform(0, 0.02, seconds.size))
    value[80:] -= value[80]
    value[230:] -= value[230]
    store_site(connection, name="aggregated")
    store(
        connection,
        "meter",
        np.datetime64("2024-01-01", "us") + (seconds * 1e6).astype("timedelta64[us]"),
        value,
    )
    return connection


def store(connection: Connection, sensor: str, instants: InstantArray, value: FloatArray) -> None:
    key = readings.register(connection, "aggregated", {sensor: None})[sensor]
    readings.upsert(connection, np.full(value.size, key, dtype=np.int32), instants, value)


def test_the_increase_of_the_window_is_what_was_counted(meter: Connection) -> None:
    _, value = readings.read(meter, "aggregated", "meter", first=START, end=HOURS[-1])
    steps = np.diff(value)
    counted = np.where(steps < 0, value[1:], steps).sum()
    rise = read_increase(meter, "aggregated", "meter", edges=HOURS)
    assert np.nansum(rise.values) == pytest.approx(counted)
    assert rise.known[1:3].tolist() == [1.0, 1.0]


def test_readings_beside_the_window_say_how_it_begins_and_ends(meter: Connection) -> None:
    whole = read_increase(meter, "aggregated", "meter", edges=HOURS)
    part = read_increase(meter, "aggregated", "meter", edges=HOURS[1:3])
    assert part.values[0] == pytest.approx(whole.values[1])
    assert part.known[0] == 1.0


def test_a_window_between_two_readings_shares_what_lies_between_them(meter: Connection) -> None:
    silent = [
        START + timedelta(seconds=8000),
        START + timedelta(seconds=9000),
        START + timedelta(seconds=10_000),
    ]
    rise, mean = (read(meter, "aggregated", "meter", edges=silent) for read in READ.values())
    assert rise.values[0] == pytest.approx(rise.values[1])
    assert mean.values[0] == pytest.approx(mean.values[1])
    assert mean.known.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("with_toolkit", [False, True], ids=["plain", "toolkit"])
def test_a_sensor_that_knew_nothing_has_no_mean_then_and_its_counter_goes_on(
    meter: Connection, with_toolkit: bool
) -> None:
    define(meter)
    # In the first hour 1.0 until 0:30 and nothing known after, in the second nothing until 1:45 and
    # then 5.0, in the third 5.0 throughout.
    minutes = np.array([0, 15, 30, 40, 105, 120, 180, 240])
    values = np.array([1.0, 1.0, np.nan, np.nan, 5.0, 5.0, 5.0, 9.0])
    store(
        meter,
        "silent",
        np.datetime64("2024-01-01", "us") + minutes * np.timedelta64(60_000_000, "us"),
        values,
    )
    mean = read_time_weighted_mean(meter, "aggregated", "silent", edges=HOURS, toolkit=with_toolkit)
    np.testing.assert_allclose(mean.values, [1.0, 5.0, 5.0, 5.0])
    np.testing.assert_allclose(mean.known, [0.5, 0.25, 1.0, 1.0])
    rise = read_increase(meter, "aggregated", "silent", edges=HOURS, toolkit=with_toolkit)
    # From 1 at 0:15 to 5 at 1:45 evenly: 45 of 90 minutes in either hour.
    np.testing.assert_allclose(rise.values, [2.0, 2.0, 0.0, 4.0])
    instants, _ = read_shape(
        meter, "aggregated", "silent", window=(HOURS[0], HOURS[-1]), points=100
    )
    assert instants.size == 5


@pytest.mark.parametrize("with_toolkit", [False, True], ids=["plain", "toolkit"])
def test_readings_in_several_units_come_to_what_they_do_in_one(
    meter: Connection, with_toolkit: bool
) -> None:
    instants, value = readings.read(meter, "aggregated", "meter", first=START, end=HOURS[-1])
    units = StatedUnits.of(
        ["kWh"] * 100 + ["Wh"] * 100 + ["kWh"] * 30 + ["W"] * 2 + ["Wh"] * (value.size - 232)
    )
    said = value * np.where(np.array(units.codes) == units.names.index("Wh"), 1000.0, 1.0)
    key = readings.register(meter, "aggregated", {"mixed": None, "plain": None})
    readings.upsert(
        meter, np.full(value.size, key["mixed"], dtype=np.int32), instants, said, units=units
    )
    kept = np.array(units.codes) != units.names.index("W")
    readings.upsert(
        meter, np.full(kept.sum(), key["plain"], dtype=np.int32), instants[kept], 1000 * value[kept]
    )
    define(meter)
    for found in READ.values():
        mixed, plain = (
            found(meter, "aggregated", sensor, edges=HOURS, toolkit=with_toolkit)
            for sensor in ("mixed", "plain")
        )
        np.testing.assert_allclose(mixed.values, plain.values, rtol=1e-9)


@pytest.mark.parametrize("measure", READ)
@pytest.mark.parametrize("minutes", [1, 15, 240])
def test_the_toolkits_functions_give_what_plain_sql_gives(
    meter: Connection, measure: str, minutes: int
) -> None:
    edges = [START + timedelta(minutes=minutes) * count for count in range(240 // minutes + 1)]
    plain = READ[measure](meter, "aggregated", "meter", edges=edges)
    define(meter)
    np.testing.assert_allclose(
        READ[measure](meter, "aggregated", "meter", edges=edges, toolkit=True).values,
        plain.values,
        rtol=1e-9,
        atol=1e-12,
    )
    assert used(meter)


@pytest.mark.parametrize("points", [3, 40, 1000])
def test_the_toolkits_shape_is_the_plain_one(meter: Connection, points: int) -> None:
    plain = read_shape(meter, "aggregated", "meter", window=(START, HOURS[-1]), points=points)
    define(meter)
    for one, other in zip(
        read_shape(
            meter, "aggregated", "meter", window=(START, HOURS[-1]), points=points, toolkit=True
        ),
        plain,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    assert used(meter)


@pytest.mark.parametrize("measure", READ)
def test_what_the_installed_toolkit_or_its_absence_makes_of_it_is_the_same(
    meter: Connection, measure: str
) -> None:
    plain, asked = (
        READ[measure](meter, "aggregated", "meter", edges=HOURS, toolkit=toolkit)
        for toolkit in (False, True)
    )
    np.testing.assert_allclose(asked.values, plain.values, rtol=1e-9)


def test_without_readings_nothing_is_known(meter: Connection) -> None:
    readings.register(meter, "aggregated", {"silent": None})
    for read in READ.values():
        assert np.isnan(read(meter, "aggregated", "silent", edges=HOURS).values).all()
    assert (
        read_shape(meter, "aggregated", "silent", window=(START, HOURS[-1]), points=3)[0].size == 0
    )


@pytest.mark.parametrize(
    "read",
    [
        lambda connection: read_increase(connection, "aggregated", "roof", edges=HOURS),
        lambda connection: read_shape(
            connection, "aggregated", "roof", window=(START, HOURS[-1]), points=3
        ),
        lambda connection: readings.read(
            connection, "aggregated", "roof", first=START, end=HOURS[-1]
        ),
    ],
    ids=["increase", "shape", "raw"],
)
def test_an_unknown_sensor_is_named_with_those_there_are(
    meter: Connection, read: Callable[[Connection], Buckets]
) -> None:
    with pytest.raises(NotFoundError, match=r"sensor: .*'roof'.*meter"):
        read(meter)


def test_a_shape_of_two_points_is_refused(meter: Connection) -> None:
    with pytest.raises(InvalidInputError, match="points"):
        read_shape(meter, "aggregated", "meter", window=(START, HOURS[-1]), points=2)
