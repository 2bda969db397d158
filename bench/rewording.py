"""Whether a better sentence is a one-line change: every long sentence of the catalogues in other
words, and the tests that fail of it.

``python -m bench.rewording [PATH ...]``, by hand, as long as ``make test``. Lists the tests that
hold on to a wording.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.mutations import FAILED, copied_tree, environment_of

CATALOGUE = Path("luna/words/catalogue")
# Labels of a few words are names of things, by which tests find them on a page.
FEWEST_WORDS = 5
ADDED = "x"
# A message begins at the margin, with what follows indented.
_MESSAGE = re.compile(r"^(-?[A-Za-z][\w-]*) =.*(?:\n(?:[ \t].*|(?=\n[ \t])))*", re.MULTILINE)
# What stays as it is: figures and choices, tags, character references, the heads of choices.
_KEPT = re.compile(r"\{[^{}]*\}|<[^<>]*>|&\w+;|\*?\[\w+\]|\{ \$\w+ ->|^[\w-]+ =", re.MULTILINE)
_WORD = re.compile(r"\b[^\W\d_]{4,}\b")


def main(paths: Sequence[str]) -> int:
    """Run the tests on reworded catalogues and print which fail; return how many."""
    with copied_tree(Path.cwd()) as copy:
        count = sum(
            reword_file(path)
            for path in sorted((copy / CATALOGUE).rglob("*.ftl"))
            if path.stem != "language"
        )
        command = [
            str(copy / ".venv/bin/python"),
            "-m",
            "pytest",
            "-n",
            "auto",
            "-rf",
            "--tb=no",
            "-p",
            "no:cacheprovider",
            *paths,
        ]
        run = subprocess.run(
            command, cwd=copy, env=environment_of(copy), capture_output=True, text=True, check=False
        )
    lines = run.stdout.splitlines()
    failed = sorted({match[1] for line in lines if (match := FAILED.search(line))})
    print("\n".join(failed))
    print(f"{count} sentences in other words: {len(failed)} tests fail ({lines[-1]})")
    return len(failed)


def reword_file(path: Path) -> int:
    """Put other words for the long messages of a file; return how many there are."""
    text = path.read_text(encoding="utf-8")
    messages = [message[0] for message in _MESSAGE.finditer(text)]
    reworded = {message: reword(message) for message in messages}
    path.write_text(_MESSAGE.sub(lambda message: reworded[message[0]], text), encoding="utf-8")
    return sum(before != after for before, after in reworded.items())


def reword(message: str) -> str:
    """Return a message with every longer word another one, if it is a sentence."""
    parts = list(_split(message))
    words = sum(len(re.findall(r"\w+", text)) for text, kept in parts if not kept)
    if words < FEWEST_WORDS:
        return message
    return "".join(
        text if kept else _WORD.sub(lambda word: word[0] + ADDED, text) for text, kept in parts
    )


def _split(message: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a message, and whether each stays as it is."""
    end = 0
    for match in _KEPT.finditer(message):
        yield message[end : match.start()], False
        yield match[0], True
        end = match.end()
    yield message[end:], False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
