"""What a command line said: exit code, standard output, standard error."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Said:
    """The end of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        """The one problem document on standard error."""
        return json.loads(self.err)


Luna = Callable[..., Said]
