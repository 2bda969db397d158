"""``luna up``: everything on this machine, until Ctrl-C."""

import gc
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from services.cli.console import err

if TYPE_CHECKING:
    from luna.platform.embedded.supervisor import Addresses
    from luna.platform.settings import Settings


def run_here() -> None:
    """Run Luna on this machine until Ctrl-C: servers, workers, executor and gateway.

    A recorder runs if a source is configured or a site names devices; a demo home if there is one.
    """
    from luna.platform.settings import load_settings

    run_everything(load_settings())


def run_everything(
    settings: "Settings", *, begin: "Callable[[Addresses], None] | None" = None
) -> None:
    """Run everything until Ctrl-C.

    Args:
        settings: of this Luna.
        begin: runs in a thread once everything is started; its errors are printed and end nothing.
    """
    # Imported modules stay: garbage collection during imports takes a sixth of the time. Forked
    # processes collect once.
    gc.disable()
    from luna.platform.clock import SystemClock
    from luna.platform.database import migrate
    from luna.platform.embedded.folder_use import hold_folder
    from luna.platform.embedded.supervisor import running
    from luna.platform.supervision.companions import companions, fork_servers
    from services.api.server import listen, serve
    from services.cli.opening import show_link

    # Gateway, worker with beat, and servers end in this order. Port and folder are taken before
    # them, so that nothing starts where either is in use. The fork servers come first: they share
    # the modules imported by now, and inherit neither port nor lock.
    address = f"http://{settings.api_host}:{settings.api_port}"
    with ExitStack() as stack:
        stack.enter_context(suppress(KeyboardInterrupt))
        starters = stack.enter_context(fork_servers(settings))
        stack.enter_context(
            hold_folder(settings.data_folder, address=address, now=SystemClock().now())
        )
        listener = stack.enter_context(listen(settings))
        addresses = stack.enter_context(running(settings, keep_alive=True))
        gc.enable()
        migrate.upgrade(addresses.database_url)
        group = stack.enter_context(companions(settings, starters, addresses.database_url))
        err.print(f"Luna runs at {address} and stops with Ctrl-C.")
        show_link(settings, addresses.database_url)
        if begin is not None:
            threading.Thread(target=_begin, args=(begin, addresses), daemon=True).start()
        # Devices are handed back at once; requests under way may take longer.
        serve(settings, addresses, listener=listener, at_end=lambda: group.begin_end("executor"))


def _begin(begin: "Callable[[Addresses], None]", addresses: "Addresses") -> None:
    from luna.energy.errors import LunaError

    try:
        begin(addresses)
    except LunaError as error:
        err.print(str(error), soft_wrap=True)
