"""Hold what was examined and how it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from luna.contracts.health import Check
from luna.energy.errors import LunaError
from luna.words.catalogue import ENGLISH
from luna.words.doctor import ERROR, FindingText, format_finding
from luna.words.language import Language

# Nothing to do; something to do before it becomes a fault; something does not work now.
Severity = Literal["ok", "warning", "fault"]
Topic = Literal[
    "configuration",
    "versions",
    "permissions",
    "disk",
    "clock",
    "certificates",
    "database",
    "queues",
    "steering",
    "dependencies",
    "freshness",
]


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """The result of one check: a code of the catalogue ``doctor`` with its figures.

    ``command`` helps in a terminal; what to do stands in the catalogue.
    """

    topic: Topic
    severity: Severity
    code: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""

    @classmethod
    def of_error(cls, topic: Topic, error: LunaError) -> Self:
        """Return an error as a finding."""
        figures = {
            "field": error.field or "",
            "message": error.message,
            "remedy": error.remedy or "",
            "problem": error.problem(),
        }
        return cls(topic, "fault", ERROR, figures)

    @classmethod
    def of_failed_check(cls, severity: Severity, code: str, check: Check, **figures: Any) -> Self:
        """Return a failed check of a server as a finding."""
        of_check = {"check": check.name, "fault": check.code, "fault_figures": check.figures}
        return cls("dependencies", severity, code, {**figures, **of_check})

    def format(self, language: Language) -> FindingText:
        """Return finding and remedy in a language, with the command that helps."""
        text = format_finding(self.code, self.figures, language)
        if not self.command:
            return text
        return FindingText(text.detail, f"{text.remedy.rstrip('.')}: {self.command}")

    def document(self) -> dict[str, Any]:
        """Return the finding for programs, with its English text."""
        detail, remedy = self.format(ENGLISH)
        return {
            "topic": self.topic,
            "severity": self.severity,
            "detail": detail,
            "remedy": remedy,
            "code": self.code,
            "figures": dict(self.figures),
        }


def has_fault(findings: Iterable[DoctorFinding]) -> bool:
    """Return whether anything does not work."""
    return any(finding.severity == "fault" for finding in findings)
