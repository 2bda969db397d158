"""Define the faults of a simulated device's server."""

from dataclasses import dataclass, field


@dataclass
class ServerFaults:
    """Faults of a simulated device.

    Attributes:
        delay_s: before each answer.
        writes_taken: more writes until all are refused; None: none is.
        lacks: registers that do not exist.
    """

    delay_s: float = 0.0
    writes_taken: int | None = None
    lacks: set[int] = field(default_factory=set)
