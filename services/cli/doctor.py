"""``luna doctor``: what is wrong with this installation, and what to do."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from luna.platform.clock import SystemClock
from services.cli.console import JsonOption, out, table, write_json

AddressOption = Annotated[
    list[str] | None,
    typer.Option(
        "--address",
        help="An https address whose certificate is looked at too, such as your domain.",
    ),
]
MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "fault": "[bold red]fault[/]"}


def find_faults(*, address: AddressOption = None, as_json: JsonOption = False) -> None:
    """Look at configuration, versions, permissions, disk, clock, certificates, database, queues and
    freshness; exit 1 where something does not work.
    """
    from luna.platform.doctor.examination import examine
    from luna.platform.doctor.finding import has_fault

    findings = examine(addresses=tuple(address or ()), clock=SystemClock())
    faulty = has_fault(findings)
    if as_json:
        write_json({"healthy": not faulty, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [
            [
                each.topic,
                Text.from_markup(MARKS[each.severity]),
                each.detail + (f"\n→ {each.remedy}" if each.remedy else ""),
            ]
            for each in findings
        ]
        table(("what", "how", "seen"), rows, words=("how", "seen"))
        count = {
            severity: sum(each.severity == severity for each in findings)
            for severity in ("fault", "warning")
        }
        out.print(
            f"{count['fault']} faults, {count['warning']} warnings."
            if any(count.values())
            else "All is well."
        )
    if faulty:
        raise typer.Exit(1)
