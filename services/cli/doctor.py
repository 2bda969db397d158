"""``luna doctor``: what does not work in this installation, and what to do."""

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
        help="Also check the certificate of this https address.",
    ),
]
MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "fault": "[bold red]fault[/]"}


def find_faults(*, address: AddressOption = None, as_json: JsonOption = False) -> None:
    """Check this installation and suggest fixes; exit code 1 if something does not work."""
    from luna.house.doctor.examination import examine
    from luna.house.doctor.finding import has_fault

    findings = examine(addresses=tuple(address or ()), clock=SystemClock())
    faulty = has_fault(findings)
    if as_json:
        write_json({"healthy": not faulty, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = []
        for finding in findings:
            detail = finding.detail
            if finding.remedy:
                detail = f"{detail}\n→ {finding.remedy}"
            rows.append([finding.topic, Text.from_markup(MARKS[finding.severity]), detail])
        table(("check", "result", "details"), rows, words=("result", "details"))
        severities = [finding.severity for finding in findings]
        faults = severities.count("fault")
        warnings = severities.count("warning")
        if faults or warnings:
            out.print(f"Faults: {faults}, warnings: {warnings}. Lines with → say what to do.")
        else:
            out.print("Everything works.")
    if faulty:
        raise typer.Exit(1)
