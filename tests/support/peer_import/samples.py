"""Files of other energy managers, written for these tests in the form that owners have them."""

from pathlib import Path

SAMPLES = Path(__file__).parent


def list_samples(peer: str) -> list[Path]:
    """Return the samples of a program."""
    return sorted((SAMPLES / peer).glob("*.*"))
