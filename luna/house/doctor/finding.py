"""Hold what was examined and how it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

from luna.energy.errors import LunaError

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
    """The result of one check.

    ``detail`` is the observation, ``remedy`` what to do where it is not well.
    """

    topic: Topic
    severity: Severity
    detail: str
    remedy: str = ""

    @classmethod
    def of_error(cls, topic: Topic, error: LunaError) -> Self:
        """Return an error as a finding."""
        where = f"{error.field}: " if error.field else ""
        return cls(topic, "fault", f"{where}{error.message}", error.remedy or "The log says more.")


def has_fault(findings: Iterable[DoctorFinding]) -> bool:
    """Return whether anything does not work."""
    return any(finding.severity == "fault" for finding in findings)
