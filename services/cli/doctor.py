"""``luna doctor``: what does not work in this installation, and what to do."""

from typing import Annotated

import typer
from rich.text import Text

from luna.platform.clock import SystemClock
from luna.words import Language
from luna.words.phrases import Phrases
from services.cli.console import JsonOption, out, table, write_json

AddressOption = Annotated[
    list[str] | None,
    typer.Option(
        "--address",
        help="Also check the certificate of this https address.",
    ),
]
STYLES = {"ok": "green", "warning": "yellow", "fault": "bold red"}
WORDS = Phrases("doctor")


def find_faults(
    *,
    address: AddressOption = None,
    language: Annotated[Language, typer.Option(help="Language of the findings.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """Check this installation and suggest fixes; exit code 1 if something does not work."""
    from luna.house.doctor.examination import examine
    from luna.house.doctor.finding import has_fault

    findings = examine(addresses=tuple(address or ()), clock=SystemClock())
    faulty = has_fault(findings)
    if as_json:
        documents = [finding.document() for finding in findings]
        write_json({"healthy": not faulty, "findings": documents})
    else:
        rows: list[list[str | Text]] = []
        for finding in findings:
            detail, remedy = finding.format(language)
            if remedy:
                detail = f"{detail}\n→ {remedy}"
            result = WORDS.say(f"severity_{finding.severity}", language)
            topic = WORDS.say(f"topic_{finding.topic}", language)
            rows.append([topic, Text(result, STYLES[finding.severity]), detail])
        headings = [WORDS.say(f"head_{name}", language) for name in ("check", "result", "details")]
        table(headings, rows, words=headings)
        severities = [finding.severity for finding in findings]
        faults = severities.count("fault")
        warnings = severities.count("warning")
        if faults or warnings:
            out.print(WORDS.say("counted", language, faults=faults, warnings=warnings))
        else:
            out.print(WORDS.say("all_well", language))
    if faulty:
        raise typer.Exit(1)
