"""What stands in source files, whatever modules, classes and functions are called."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path


def list_log_events(paths: Iterable[Path]) -> list[str]:
    """Return level, event and fields of each log line whose event is written out where it is logged."""
    return sorted({line for path in paths for line in _find_events(ast.parse(path.read_text(encoding="utf-8")))})


def _find_events(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[ast.Constant(value=str(event)), *_], keywords=fields):
                yield f"{level} {event}: {', '.join(sorted(field.arg or '…' for field in fields))}"


def list_sentences(paths: Iterable[Path]) -> list[str]:
    """Return each text of several words that is no docstring, once; what an f-string fills in is written as ``{}``."""
    return sorted({text for path in paths for text in _find_texts(ast.parse(path.read_text(encoding="utf-8"))) if " " in text.strip()})


def _find_texts(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
            for part in parts:
                yield from () if isinstance(part, ast.Constant) else _find_texts(part)
        case ast.Constant(value=str(text)):
            yield text
        case ast.Expr(value=ast.Constant()):
            # A docstring: it says something to who reads the code alone.
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _find_texts(child)
