"""The command lines on the pages, held against the command tree and the Makefile."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import typer

from services.cli.main import COMMANDS, build
from tests.support.documentation.pages import ROOT, Page, Span

# A pause in a code block: what follows is another column, or words about the command.
_COLUMN = re.compile(r"\s{4,}(?!--)|\s#(?:\s.*)?$|\s(?:&&|\|\||\||;|·)\s")
_CONTINUED = re.compile(r"\\\n\s*")


@dataclass(frozen=True)
class CommandLine:
    """What a page tells a reader to type: its words from ``luna`` or ``make`` on."""

    place: str
    words: tuple[str, ...]
    block: bool

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def complete(self) -> bool:
        """Whether it may be typed as it stands, but for what its names stand for."""
        return self.block and not any(re.search(r"…|\||^\[", word) for word in self.words)


def find_commands(page: Page, program: str) -> list[CommandLine]:
    """Return the page's command lines of ``luna`` or ``make``, in blocks and between backticks."""
    return [
        command
        for span in page.spans
        for piece in _pieces(span)
        if (command := _read(span, piece, program))
    ]


def faults_of_luna(command: CommandLine) -> list[str]:
    """Say what of a command line of ``luna`` is not in the command tree, or would be refused."""
    return [f"{command.place} {command.text}: {fault}" for fault in _check_luna(command)]


def faults_of_make(command: CommandLine) -> list[str]:
    """Say which targets and variables of a command line of ``make`` the Makefile lacks."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    variables = set(re.findall(r"\$\(?(\w+)\)?", text))
    words = [word.strip("[]") for word in command.words[1:]]
    known = [
        word.partition("=")[0] in variables if "=" in word else word in targets or word == "COMMAND"
        for word in words
    ]
    return [
        f"{command.place} {command.text}: {word}"
        for word, there in zip(words, known, strict=True)
        if not there
    ]


def _pieces(span: Span) -> Iterator[str]:
    if span.block:
        for line in _CONTINUED.sub(" ", span.text).splitlines():
            yield from _COLUMN.split(line.strip())
    else:
        yield span.text


def _read(span: Span, piece: str, program: str) -> CommandLine | None:
    try:
        words = shlex.split(piece)
    except ValueError:
        return None
    for place, word in enumerate(words):
        first = place == 0 or (
            span.block
            and not words[place - 1].startswith("-")
            and words[0] in ("docker", "cp", "git")
        )
        if (
            first
            and word.rpartition("/")[2] == program
            and (word == program or word.endswith(f"bin/{program}"))
        ):
            return CommandLine(span.place, (program, *words[place + 1 :]), span.block)
    return None


@cache
def _group(name: str) -> Any:
    return typer.main.get_command(build(name))


def _check_luna(command: CommandLine) -> Iterator[str]:
    words = list(command.words[1:])
    if not words or words[0] in ("--help", "COMMAND"):
        return
    for name in words[0].split("|"):
        if name not in COMMANDS:
            yield f"there is no command {name}"
            return
        yield from _descend(_group(name).commands[name], words[1:], complete=command.complete)


def _descend(command: Any, words: list[str], *, complete: bool) -> Iterator[str]:
    if not hasattr(command, "commands"):
        yield from _check_options(command, words, complete=complete)
    elif words and words[0] not in ("…", "--help"):
        for name in words[0].split("|"):
            if name in command.commands:
                yield from _descend(command.commands[name], words[1:], complete=complete)
            else:
                yield f"{command.name} has no command {name}"


def _check_options(command: Any, words: list[str], *, complete: bool) -> Iterator[str]:
    known = {"--help", *(option for parameter in command.params for option in parameter.opts)}
    unknown = [
        word
        for word in words
        if word.startswith("--") and word.partition("=")[0].rstrip("…") not in known
    ]
    yield from (f"there is no option {word}" for word in unknown)
    if complete and not unknown and "--help" not in words:
        try:
            command.make_context(command.name, list(words))
        except typer.TyperException as refusal:
            yield refusal.format_message()
