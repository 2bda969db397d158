"""``luna``: the capabilities of all services from a terminal."""

import sys
from importlib import import_module

import typer

from luna.errors import LunaError
from services.cli.console import report

# A command's module is imported only when it is called: `luna --help` must not load solvers and models.
GROUPS = {"db": "database", "site": "site", "data": "data", "forecast": "forecast"}


def build() -> typer.Typer:
    """Return the application with every command."""
    app = typer.Typer(
        name="luna",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Luna: plans battery, car, heater and grid on your own machine.",
    )
    for name, module in GROUPS.items():
        app.add_typer(import_module(f"services.cli.{module}").app, name=name)
    for module in ("plan", "demo", "up"):
        import_module(f"services.cli.{module}").register(app)
    return app


def main() -> None:
    """Run a command; exit 0 on success, 2 on bad input, 1 on failure."""
    try:
        build()()
    except LunaError as error:
        report(error)
        sys.exit(error.exit_code)
