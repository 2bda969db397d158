"""``luna db``: the database's schema."""

from typing import Annotated

import typer

from services.cli.console import JsonOption, emit, out

app = typer.Typer(no_args_is_help=True, help="The database's schema.")


@app.callback()
def group() -> None:
    """Keep ``upgrade`` a command of a group, also while it is the only one."""


@app.command()
def upgrade(
    revision: Annotated[str, typer.Option(help="The revision to bring the schema to.")] = "head",
    *,
    as_json: JsonOption = False,
) -> None:
    """Bring the database's schema up to date; one that is already there is left alone."""
    from luna.database import engine, migrate
    from luna.embedded import running
    from luna.settings import load_settings

    with running(load_settings()) as addresses:
        migrate.upgrade(addresses.database_url, revision)
        pool = engine.create(addresses.database_url, application_name="luna-db")
        try:
            with engine.unit_of_work(pool) as connection:
                reached = migrate.current(connection)
        finally:
            pool.dispose()
    emit({"revision": reached}, as_json=as_json, show=lambda: out.print(f"The schema is at revision {reached}."))
