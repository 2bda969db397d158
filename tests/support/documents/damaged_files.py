"""Reads damaged copies of samples, all in one confined process.

``python -m tests.support.documents.damaged_files END NAME:BEGIN …`` writes name and fault, or
``ok``, for each copy from BEGIN on.

A reader may take the process down with it, as it may in production; the lines that are there say
how far it came.
"""

import io
import random
import sys
from pathlib import Path
from tempfile import mkdtemp
from zipfile import BadZipFile, ZipFile

from services.rag.extraction.child import answer
from services.rag.extraction.confinement import confine
from services.rag.extraction.model import FileSource, Limits
from tests.support.documents import sample_files

LIMITS = Limits(seconds=300, unpacked_bytes=20_000_000)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Bits turned, an end missing, or a run of bytes replaced."""
    copy = bytearray(content)
    place = chance.randrange(len(copy))
    match chance.randrange(3):
        case 0:
            for _ in range(chance.randint(1, 20)):
                copy[chance.randrange(len(copy))] ^= 1 << chance.randrange(8)
        case 1:
            del copy[place:]
        case _:
            copy[place : place + chance.randint(1, 50)] = chance.randbytes(chance.randint(0, 50))
    return bytes(copy)


def damaged_within(content: bytes, chance: random.Random) -> bytes:
    """An Office file with one part damaged and packed again, so that its checksums hold.

    Other files as they are.
    """
    try:
        with ZipFile(io.BytesIO(content)) as container:
            name = chance.choice(container.namelist())
            part = container.read(name)
    except BadZipFile:
        return damaged(content, chance)
    return sample_files.with_part(content, name, damaged(part or b"x", chance))


def main(end: int, begun: dict[str, int]) -> None:
    """Read the copies of each sample up to number ``end``, from the one on that is named."""
    samples = {name: sample_files.SAMPLES[name]() for name in begun}
    folder = Path(mkdtemp())
    confine(LIMITS)
    for name, content in samples.items():
        for number in range(begun[name], end):
            chance = random.Random(number)
            (folder / "upload").write_bytes((damaged, damaged_within)[number % 2](content, chance))
            reply = answer(FileSource(folder / "upload", name, LIMITS, folder))
            # What its caller reads.
            print(name, reply["fault"]["code"] if "fault" in reply else "ok", flush=True)  # noqa: T201


if __name__ == "__main__":
    places = (place.split(":") for place in sys.argv[2:])
    main(int(sys.argv[1]), {name: int(number) for name, number in places})
