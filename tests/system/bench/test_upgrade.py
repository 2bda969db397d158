"""What an update is judged by: each row of before, as the schema of before knows it."""

import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Connection, Engine, text

from bench.upgrade.callers import longest_gap
from bench.upgrade.rows import Rows, compare, read_rows
from luna.platform.database import engine
from luna.platform.database.migrate import upgrade
from luna.platform.embedded.supervisor import Servers
from tests.support.database.databases import own_database


class Kept:
    """Three sites in a transaction of their own, and what their rows were."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.change("INSERT INTO sites (name) VALUES ('first'), ('second'), ('third')")
        self.before = self.read()

    def change(self, statement: str) -> None:
        self._connection.execute(text(statement))

    def read(self, like: Rows | None = None) -> Rows:
        return read_rows(
            lambda query: [
                [str(value) for value in row] for row in self._connection.exec_driver_sql(query)
            ],
            like,
        )

    def compare(self) -> tuple[int, int, list[str]]:
        found = compare(self.before, self.read(self.before))
        return found["lost"], found["changed"], found["where"]


# Every row is read again and again: that of the other tests would hold all that they have left, a
# minute for each test.
@pytest.fixture(scope="module")
def own_engine(servers: Servers) -> Iterator[Engine]:
    with own_database(servers.database_url, f"luna_compared_{uuid.uuid4().hex[:8]}") as url:
        upgrade(url)
        pool = engine.create(url)
        yield pool
        pool.dispose()


@pytest.fixture
def kept(own_engine: Engine) -> Iterator[Kept]:
    with own_engine.connect() as connection, closing(connection.begin()):
        yield Kept(connection)


def test_lost_and_changed_rows_are_found_and_what_was_added_is_none_of_them(kept: Kept) -> None:
    kept.change("ALTER TABLE sites ADD COLUMN colour text DEFAULT 'red'")
    kept.change("INSERT INTO sites (name) VALUES ('fourth')")
    assert kept.compare() == (0, 0, [])
    kept.change("DELETE FROM sites WHERE name = 'first'")
    kept.change("UPDATE sites SET name = 'other' WHERE name = 'second'")
    assert kept.compare() == (1, 1, ["sites"])


def test_a_table_that_lost_a_column_counts_with_all_its_rows(kept: Kept) -> None:
    rows = len(kept.before.numbers["sites"])
    kept.change("ALTER TABLE sites RENAME COLUMN name TO title")
    assert kept.compare() == (rows, 0, ["sites"])


def test_time_without_answers_runs_from_the_last_answer_to_the_next() -> None:
    answers = [
        (0.0, True),
        (1.0, True),
        (2.0, False),
        (5.0, False),
        (7.0, True),
        (7.5, False),
        (8.0, True),
    ]
    assert longest_gap(answers) == 6.0
