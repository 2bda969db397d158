"""The backup process: ``python -m services.backup``.

It ships the write-ahead log as it is written, and makes, tries and prunes backups in time.
"""

import structlog

from luna.platform.service_process import end_on_signals, exit_from, health_parser, service_process
from services.backup.create import open_work, receiving
from services.backup.keeper import BEAT, Keeper

log = structlog.get_logger("luna.backup")


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT."""
    options = health_parser("services.backup", __doc__).parse_args(arguments)
    ending = end_on_signals()
    with service_process("backup", beat=BEAT, health_port=options.health_port) as process:
        process.serve_health(("database", "objects"))
        work = process.resources.enter_context(
            open_work(process.settings, process.addresses.database_url)
        )
        process.resources.enter_context(receiving(work))
        Keeper(work, ending).run(process.pulse)
    return 0


if __name__ == "__main__":
    exit_from(main, log, "backups cannot be kept")
