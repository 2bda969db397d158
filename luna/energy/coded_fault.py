"""What is wrong with data: a code with parameters, and the English of API and command line that is made of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeAlias

Figure: TypeAlias = str | int | float


@dataclass(frozen=True, slots=True)
class CodedFault:
    """A fault: its code, and the parameters of its sentence. What derives from it says which codes there are."""

    # The sentence of each code; what stands for a parameter is filled in.
    english: ClassVar[Mapping[str, str]]

    code: str
    parameters: Mapping[str, Figure] = field(default_factory=dict)

    @classmethod
    def of(cls, code: str, /, **parameters: Figure) -> Self:
        """Return the fault of a code with its parameters."""
        return cls(code, parameters)

    @classmethod
    def read(cls, document: Any) -> Self:
        """Return the fault that a document says.

        Raises:
            ValueError: it says none.
        """
        match document:
            case {"code": str(code), "parameters": dict(parameters)}:
                return cls(code, parameters)
        raise ValueError(f"no code with parameters: {document!r}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the fault that was written as ``text``."""
        return cls.read(json.loads(text))

    @property
    def text(self) -> str:
        """The fault as JSON: equal ones are the same text."""
        return json.dumps(self.document(), ensure_ascii=False, sort_keys=True)

    def document(self) -> dict[str, Any]:
        """Return the fault as a document."""
        return {"code": self.code, "parameters": dict(self.parameters)}

    def say(self, figures: Mapping[str, Figure]) -> str:
        """Return the English sentence with these figures; a newer release's fault is known here by its code alone."""
        return self.english.get(self.code, self.code).format_map(figures)

    def __hash__(self) -> int:
        return hash((type(self), self.code, frozenset(self.parameters.items())))
