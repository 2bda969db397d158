"""The functions of TimescaleDB and its toolkit that Luna calls, written from their documentation.

They stand in a schema of their own before ``public``, so that the statements for the toolkit run on any server; a toolkit that is installed has its own test.
"""

from sqlalchemy import Connection, text

from luna.platform.database import copy

DEFINITIONS = """
CREATE SCHEMA by_definition;
SET LOCAL search_path = by_definition, public;
CREATE TYPE reading AS ("time" timestamptz, value float8);
CREATE TYPE thinning AS (points int, readings reading[]);

CREATE FUNCTION use() RETURNS text LANGUAGE sql AS 'SELECT set_config(''by_definition.used'', ''yes'', true)';

CREATE FUNCTION collect(readings reading[], at timestamptz, value float8) RETURNS reading[] LANGUAGE sql AS 'SELECT readings || ROW(at, value)::reading';
CREATE FUNCTION collect_backwards(readings reading[], value float8, at timestamptz) RETURNS reading[] LANGUAGE sql
AS 'SELECT readings || ROW(at, value)::reading';
CREATE FUNCTION collect_as(readings reading[], method text, at timestamptz, value float8) RETURNS reading[] LANGUAGE sql
AS 'SELECT CASE WHEN method = ''LOCF'' THEN readings || ROW(at, value)::reading END';
CREATE FUNCTION collect_for(state thinning, at timestamptz, value float8, points int) RETURNS thinning LANGUAGE sql
AS 'SELECT ROW(points, (state).readings || ROW(at, value)::reading)::thinning';

CREATE FUNCTION first_value_of(readings reading[]) RETURNS float8 LANGUAGE sql AS 'SELECT value FROM unnest(readings) ORDER BY "time" LIMIT 1';
CREATE FUNCTION last_value_of(readings reading[]) RETURNS float8 LANGUAGE sql AS 'SELECT value FROM unnest(readings) ORDER BY "time" DESC LIMIT 1';
CREATE AGGREGATE first(float8, timestamptz) (SFUNC = collect_backwards, STYPE = reading[], INITCOND = '{}', FINALFUNC = first_value_of);
CREATE AGGREGATE last(float8, timestamptz) (SFUNC = collect_backwards, STYPE = reading[], INITCOND = '{}', FINALFUNC = last_value_of);

-- The change of a counter whose every fall is a reset to zero.
CREATE AGGREGATE counter_agg(timestamptz, float8) (SFUNC = collect, STYPE = reading[], INITCOND = '{}');
CREATE FUNCTION delta(readings reading[]) RETURNS float8 LANGUAGE sql AS '
SELECT use();
SELECT last_value_of(readings) - first_value_of(readings) + coalesce(sum(before) FILTER (WHERE value < before), 0)
FROM (SELECT value, lag(value) OVER (ORDER BY "time") AS before FROM unnest(readings)) AS steps';

-- The average over time of values that hold until the next; none over no time.
CREATE AGGREGATE time_weight(text, timestamptz, float8) (SFUNC = collect_as, STYPE = reading[], INITCOND = '{}');
CREATE FUNCTION average(readings reading[]) RETURNS float8 LANGUAGE sql AS '
SELECT use();
SELECT sum(value * seconds) / nullif(sum(seconds), 0)
FROM (SELECT value, extract(epoch FROM lead("time") OVER (ORDER BY "time") - "time")::float8 AS seconds FROM unnest(readings)) AS steps';

CREATE FUNCTION thin(state thinning) RETURNS reading[] LANGUAGE plpgsql AS '
DECLARE
    readings reading[] := ARRAY(SELECT (each."time", each.value)::reading FROM unnest((state).readings) AS each ORDER BY each."time");
    total int := cardinality(readings);
    every float8 := (total - 2)::float8 / ((state).points - 2);
    chosen reading[] := readings[1:1];
    centre float8; height float8; best reading;
BEGIN
    PERFORM use();
    IF total <= (state).points THEN RETURN readings; END IF;
    FOR place IN 0 .. (state).points - 3 LOOP
        SELECT avg(extract(epoch FROM each."time")), avg(each.value) INTO centre, height
        FROM unnest(readings[floor((place + 1) * every)::int + 2 : least(floor((place + 2) * every)::int + 1, total)]) AS each;
        SELECT each."time", each.value INTO best
        FROM unnest(readings[floor(place * every)::int + 2 : floor((place + 1) * every)::int + 1]) WITH ORDINALITY AS each("time", value, number)
        ORDER BY abs((extract(epoch FROM (chosen[place + 1])."time") - centre) * (each.value - (chosen[place + 1]).value)
            - extract(epoch FROM (chosen[place + 1])."time" - each."time") * (height - (chosen[place + 1]).value)) DESC, number LIMIT 1;
        chosen := chosen || best;
    END LOOP;
    RETURN chosen || readings[total];
END';
CREATE AGGREGATE lttb(timestamptz, float8, int) (SFUNC = collect_for, STYPE = thinning, INITCOND = '(0,{})', FINALFUNC = thin);
"""


def define(connection: Connection) -> None:
    """Put the functions into the connection's transaction."""
    copy.cursor(connection).execute(DEFINITIONS)


def used(connection: Connection) -> bool:
    """Whether one of them was called, in a statement that succeeded."""
    return connection.scalar(text("SELECT current_setting('by_definition.used', true)")) == "yes"
