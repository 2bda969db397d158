"""Parser of Fluent messages into format strings and choices.

Imported on demand, for messages of more than one line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from string import Formatter
from typing import NamedTuple, TypeAlias

from fluent.syntax import FluentParser, ast

from luna.energy.errors import InvalidInputError

_PARSER = FluentParser(with_spans=False)


class Choice(NamedTuple):
    """A part of a message that depends on a figure.

    It has the wording of the figure's exact value, else of its plural category, else the default.
    """

    figure: str
    wordings: Mapping[str, tuple["Part", ...]]
    usual: str

    def choose(
        self, figures: Mapping[str, object], plural_form: Callable[[int], str]
    ) -> tuple["Part", ...]:
        """Return the wording for these figures."""
        value = figures[self.figure]
        if str(value) in self.wordings:
            return self.wordings[str(value)]
        count = _read_count(value)
        form = self.usual if count is None else plural_form(count)
        return self.wordings[form if form in self.wordings else self.usual]


def _read_count(value: object) -> int | None:
    """Return a whole number, also one that is written out already; None for anything else."""
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None


# A text with figures in braces, or a choice.
Part: TypeAlias = str | Choice


def parse(source: str) -> tuple[Part, ...]:
    """Parse a message.

    Raises:
        InvalidInputError: it has other elements than texts, figures, quoted characters and choices
            by a figure.
    """
    entry = _PARSER.parse_entry(source)
    if not isinstance(entry, ast.Message) or entry.value is None:
        raise _unreadable(source)
    return _read_pattern(entry.value, source)


def list_figures(parts: Sequence[Part]) -> Iterator[str]:
    """Yield the names of all figures, inserted or selecting, in all wordings."""
    for part in parts:
        if isinstance(part, str):
            yield from (field for _, field, _, _ in Formatter().parse(part) if field)
        else:
            yield part.figure
            for wording in part.wordings.values():
                yield from list_figures(wording)


def _read_pattern(pattern: ast.Pattern, source: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    for element in pattern.elements:
        part = _read_element(element, source)
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            part = f"{parts.pop()}{part}"
        parts.append(part)
    return tuple(parts)


def _read_element(element: ast.TextElement | ast.Placeable, source: str) -> Part:
    match element:
        case ast.TextElement(value=text):
            return _escape(text)
        case ast.Placeable(expression=ast.StringLiteral() as quoted):
            return _escape(quoted.parse()["value"])
        case ast.Placeable(expression=ast.VariableReference(id=ast.Identifier(name=figure))):
            return f"{{{figure}}}"
        case ast.Placeable(
            expression=ast.SelectExpression(
                selector=ast.VariableReference(id=ast.Identifier(name=figure)), variants=variants
            )
        ):
            wordings = {}
            usual = ""
            for variant in variants:
                key = variant.key
                name = key.name if isinstance(key, ast.Identifier) else key.value
                wordings[name] = _read_pattern(variant.value, source)
                if variant.default:
                    usual = name
            return Choice(figure, wordings, usual)
        case _:
            raise _unreadable(source)


def _escape(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _unreadable(source: str) -> InvalidInputError:
    remedy = "Write it of texts, figures, characters in quotes and choices by a figure."
    return InvalidInputError(
        "this message of a catalogue cannot be read", field="message", value=source, remedy=remedy
    )
