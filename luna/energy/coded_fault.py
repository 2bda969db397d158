"""Base class of data faults: a code and parameters, stored as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

Figure: TypeAlias = str | int | float


@dataclass(frozen=True, slots=True)
class CodedFault:
    """A fault: its code, and the parameters of its sentence. Subclasses declare the codes."""

    code: str
    parameters: Mapping[str, Figure] = field(default_factory=dict)

    @classmethod
    def of(cls, code: str, /, **parameters: Figure) -> Self:
        """Return the fault of a code."""
        return cls(code, parameters)

    @classmethod
    def read(cls, document: Any) -> Self:
        """Parse a document of code and parameters.

        Raises:
            ValueError: it is none.
        """
        match document:
            case {"code": str(code), "parameters": dict(parameters)}:
                return cls(code, parameters)
        raise ValueError(f"no code with parameters: {document!r}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the fault from its ``text``."""
        return cls.read(json.loads(text))

    @property
    def text(self) -> str:
        """The fault as JSON; equal faults have equal text."""
        return json.dumps(self.document(), ensure_ascii=False, sort_keys=True)

    def document(self) -> dict[str, Any]:
        """Return the fault as a document."""
        return {"code": self.code, "parameters": dict(self.parameters)}

    def __hash__(self) -> int:
        return hash((type(self), self.code, frozenset(self.parameters.items())))
