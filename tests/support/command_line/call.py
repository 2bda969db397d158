"""What a command line said: exit code, standard output, standard error."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from luna.energy.errors import LunaError


@dataclass(frozen=True)
class Said:
    """The end of a command."""

    code: int
    out: str
    err: str
    error: LunaError | None = None

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        """The problem document of the error that ended the command, or else the one on standard
        error.
        """
        return json.loads(self.err if self.error is None else json.dumps(self.error.problem()))


Luna = Callable[..., Said]
