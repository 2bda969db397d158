"""``luna db``: the database's schema, and what TimescaleDB does for it."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from luna.house.desk.servers import open_engine
from luna.platform.database import migrate, retention, timescale
from luna.platform.database.engine import unit_of_work
from luna.platform.database.revision import current, head
from luna.platform.embedded.supervisor import running
from luna.platform.settings import load_settings
from services.cli.console import JsonOption, out, table, write_json

app = typer.Typer(no_args_is_help=True, help="Upgrade or downgrade the database's schema.")


@app.command()
def upgrade(
    revision: Annotated[str, typer.Option(help="The revision to upgrade to.")] = "head",
    *,
    as_json: JsonOption = False,
) -> None:
    """Upgrade the database's schema, and TimescaleDB's policies to the settings."""
    settings = load_settings()
    with running(settings) as addresses:
        migrate.upgrade(addresses.database_url, revision)
        with open_engine(addresses.database_url) as pool, unit_of_work(pool) as connection:
            reached = current(connection)
            edition = timescale.detect(connection)
            # Policies belong to the tables of the newest revision.
            complete = reached == head()
            policies = retention.apply_policies(connection, settings) if complete else []
            rollups = timescale.rollups(connection) if complete else {}
    if as_json:
        document = {
            "revision": reached,
            "timescaledb": asdict(edition),
            "policies": [_describe_policy(policy) for policy in policies],
            "rollups": rollups,
        }
        write_json(document)
        return
    out.print(f"The schema is at revision {reached}.")
    if edition.version:
        toolkit = f"toolkit {edition.toolkit}" if edition.toolkit else "no toolkit"
        out.print(f"TimescaleDB {edition.version}, {edition.licence} licence, {toolkit}.")
    else:
        out.print("Plain PostgreSQL, without TimescaleDB.")
    for name, kind in rollups.items():
        out.print(f"{name} is a {kind}.")
    if edition.community:
        rows = []
        for policy in policies:
            after = f"{policy.after / timedelta(days=1):g} days"
            rows.append([policy.table, policy.kind, after, policy.refused or "in force"])
        table(["table", "policy", "after", "state"], rows, words=["policy", "state"])
    else:
        out.print("No policies: the task ingest.retention.apply deletes old data.")


def _describe_policy(policy: retention.RetentionPolicy) -> dict[str, str | float | bool | None]:
    return {
        "table": policy.table,
        "policy": policy.kind,
        "after_days": policy.after / timedelta(days=1),
        "in_force": policy.refused is None,
        "refused": policy.refused,
    }


@app.command()
def downgrade(
    revision: Annotated[
        str, typer.Argument(help="The revision to downgrade to; base drops every table.")
    ],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Confirm: drop data that the older schema cannot hold.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Downgrade the database's schema to an older revision; dropping data needs --yes."""
    with running(load_settings()) as addresses:
        migrate.downgrade(addresses.database_url, revision, drop_data=yes)
        with open_engine(addresses.database_url) as pool, unit_of_work(pool) as connection:
            reached = current(connection)
    if as_json:
        write_json({"revision": reached})
    else:
        out.print(f"The schema is at revision {reached or 'base'}.")
