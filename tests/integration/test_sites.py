"""Sites in the database: their versions, and what is left of one that is removed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, inspect, select

from luna.contracts.forecast import IssueRequest
from luna.contracts.owner import ManualBlock
from luna.energy.errors import ConflictError, InvalidInputError, NotFoundError, OutdatedError
from luna.energy.site import Site
from luna.platform.database import control, jobs, manual_blocks, site_removal, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema import metadata
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, store_site
from tests.support.suite.tables import each_row

BATTERY = {
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    ]
}
START = datetime(2024, 3, 12, tzinfo=UTC)


def changed(site: Site) -> Site:
    return site.model_copy(update={"currency": "CHF"})


def test_a_new_site_has_version_one(connection: Connection) -> None:
    assert sites.create(connection, Site(name="new", timezone="Europe/Berlin")) == 1


def test_a_site_is_created_once(connection: Connection) -> None:
    site = store_site(connection)
    with pytest.raises(ConflictError):
        sites.create(connection, changed(site))
    assert sites.load(connection, "home") == site


def test_a_change_counts_the_version_on_and_the_same_again_does_not(connection: Connection) -> None:
    site = store_site(connection)
    assert sites.change(connection, changed(site), version=1) == 2
    assert sites.change(connection, changed(site), version=2) == 2
    assert sites.read(connection, "home").version == 2


def test_a_change_of_another_version_than_stored_is_refused(connection: Connection) -> None:
    site = store_site(connection)
    with pytest.raises(OutdatedError):
        sites.change(connection, changed(site), version=2)


def test_pages_of_sites_follow_each_other_by_name(connection: Connection) -> None:
    for name in ("c", "a", "b"):
        sites.create(connection, Site(name=name, timezone="Europe/Berlin"))
    first = sites.list_page(connection, limit=2, among=["a", "b", "c"])
    assert [each.site.name for each in first] == ["a", "b"]
    assert [
        each.site.name for each in sites.list_page(connection, after="b", among=["a", "b", "c"])
    ] == ["c"]


def count_rows(connection: Connection) -> dict[str, int]:
    there = set(inspect(connection).get_table_names())
    return {
        name: connection.scalar(select(func.count()).select_from(table)) or 0
        for name, table in metadata.tables.items()
        if name in there
    }


def test_nothing_is_left_of_a_removed_site(connection: Connection) -> None:
    before = count_rows(connection)
    # Of a name of its own: what other tests left of theirs is not counted.
    store_site(connection, name="gone", **BATTERY)
    issue_half_a_kilowatt(connection, "gone", START)
    plan_stored(connection, "gone", START, state={"batteries": {"battery": {"soc": 0.5}}})
    block: dict[str, Any] = {
        "from": START,
        "to": START + timedelta(hours=2),
        "device": "battery",
        "action": "hold",
    }
    manual_blocks.add(connection, "gone", ManualBlock.model_validate(block), by="owner", now=START)
    fill(connection, sites.key_of(connection, "gone"))
    site_removal.remove(connection, "gone")
    assert count_rows(connection) == before


def fill(connection: Connection, key: int) -> None:
    """Add a row to each table that names a site by its key or its name."""
    given = {"site_key": key, "place": "gone", "market": "site:gone:import_price", "site": "gone"}
    # What belongs to another thing as well goes with the row that it refers to.
    alone = [
        table
        for table in metadata.sorted_tables
        if {column.name for column in table.columns if column.foreign_keys and not column.nullable}
        <= {"site_key"}
    ]
    for table in alone:
        named = [
            name
            for name, value in given.items()
            if name in table.columns and isinstance(made(table.columns[name]), type(value))
        ]
        if (
            named
            and table.name not in ("sites", "site_versions", "plan_history", "audit_log")
            and table.name in inspect(connection).get_table_names()
        ):
            needed = {
                column.name: made(column)
                for column in table.columns
                if not column.nullable and column.server_default is None and column.identity is None
            }
            connection.execute(
                table.insert().values(needed | {name: given[name] for name in named})
            )


def made(column: Any) -> object:
    """Return some value of a column's type."""
    kinds: dict[str, object] = {
        "DATETIME": START,
        "DATE": START.date(),
        "TEXT": "clean",
        "JSONB": {},
        "BOOLEAN": True,
        "BLOB": b"",
        "ARRAY": [],
    }
    return kinds.get(str(column.type).partition("(")[0], 1)


def test_an_armed_site_is_not_removed(connection: Connection) -> None:
    store_site(connection)
    control.arm(connection, "home", at=START, by="owner")
    with pytest.raises(ConflictError) as refused:
        site_removal.remove(connection, "home")
    assert refused.value.reason == "site-armed"


def test_a_site_with_open_jobs_is_not_removed(connection: Connection) -> None:
    store_site(connection)
    request = IssueRequest(site_id="home", at=START)
    jobs.accept(
        connection, task=request.task, key="k", request=request.model_dump_json(), trace_id="t"
    )
    with pytest.raises(ConflictError) as refused:
        site_removal.remove(connection, "home")
    assert refused.value.reason == "site-jobs-open"


def test_what_is_not_there_cannot_be_removed(database: Engine) -> None:
    with unit_of_work(database) as connection, pytest.raises(NotFoundError):
        site_removal.remove(connection, "nowhere")


@each_row("host", ["169.254.1.20", "8.8.8.8", "2852039166", "fe80::1"])
def test_a_device_outside_the_home_is_not_stored(connection: Connection, host: str) -> None:
    controlled = {"battery": "battery", "via": {"profile": "sunspec", "host": host}}
    site = Site.model_validate(
        {
            "name": "far",
            "timezone": "Europe/Berlin",
            **BATTERY,
            "control": {"by": "profile", "batteries": [controlled]},
        }
    )
    with pytest.raises(InvalidInputError) as caught:
        sites.save(connection, site)
    assert caught.value.field == "control.battery.via.host"
