"""``luna open``: access to a Luna that has no accounts yet.

It lets in a browser and this machine's programs.
"""

import os
import sys
import webbrowser
from functools import partial
from typing import Annotated

import typer

from luna.energy.errors import ConflictError
from luna.house.desk.servers import open_engine
from luna.platform.clock import SystemClock
from luna.platform.database import engine, users
from luna.platform.embedded.supervisor import running
from luna.platform.own_secrets import keep_link, make_link, open_owner_token
from luna.platform.settings import Settings, load_settings
from services.cli.console import JsonOption, emit, err, out

BrowserOption = Annotated[bool, typer.Option(help="Also open the link in this machine's browser.")]
TokenOption = Annotated[
    bool,
    typer.Option(
        "--token",
        help="Print the owner's token for programs instead.",
    ),
]


def open_page(
    *, token: TokenOption = False, browser: BrowserOption = True, as_json: JsonOption = False
) -> None:
    """Make a link that opens Luna's page once, within an hour.

    If there are user accounts, it prints the address to sign in.
    """
    settings = load_settings()
    if token:
        if not settings.takes_owner_token:
            remedy = "Send a key: luna key add NAME --user WHO."
            raise ConflictError(
                "this gateway accepts no owner's token",
                field="LUNA_API_HOST",
                value=settings.api_host,
                remedy=remedy,
            )
        owner_token = open_owner_token(settings)
        show_token = partial(out.print, owner_token, soft_wrap=True)
        emit({"token": owner_token}, as_json=as_json, show=show_token)
        return
    with running(settings) as addresses:
        address = find_address(settings, addresses.database_url)
    if browser:
        _open(address)
    emit({"url": address}, as_json=as_json, show=partial(out.print, address, soft_wrap=True))


def find_address(settings: Settings, database_url: str) -> str:
    """Return the page's address.

    Until the first user is set up, on a gateway that listens on this machine alone, with a new
    link's code.
    """
    with open_engine(database_url) as pool, engine.unit_of_work(pool) as connection:
        by_link = settings.takes_owner_token and not users.any_there(connection)
    if by_link:
        return make_link(settings, now=SystemClock().now())
    return f"http://{settings.api_host}:{settings.api_port}"


def show_link(settings: Settings, database_url: str) -> None:
    """Print the page's address on a terminal, and open it in a browser if there is a screen.

    Without a terminal the output is a journal, which others may read and which is kept: it names
    the file that holds the link.
    """
    address = find_address(settings, database_url)
    is_terminal = sys.stderr.isatty()
    if "code=" not in address:
        err.print(f"Sign in there: {address}", soft_wrap=True)
    elif is_terminal:
        err.print(f"Open it once, within an hour: {address}", soft_wrap=True)
    else:
        err.print(
            (f"The link that opens it once, within an hour, is in {keep_link(settings, address)}"),
            soft_wrap=True,
        )
    if is_terminal:
        _open(address)


def _open(address: str) -> None:
    # Without a screen a text browser would take over the terminal.
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)
