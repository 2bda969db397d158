"""No key leads out of the folder of objects, whatever it is made of."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from luna.platform.objects.store import check_key

FOLDER = Path("/var/lib/luna/objects")
pieces = st.sampled_from(
    ["/", "..", ".", "\\", "~", "a", "Z", "0", "-", "_", " ", "\0", "%2e", "é"]
)


def is_accepted(key: str) -> bool:
    try:
        return check_key(key) == key
    except InvalidInputError:
        return False


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given((st.lists(pieces, max_size=6).map("".join) | st.text(max_size=20)).filter(is_accepted))
def test_an_accepted_key_names_a_file_below_the_folder(key: str) -> None:
    path = FOLDER / key
    assert path.resolve().is_relative_to(FOLDER)
    assert path.resolve() == Path(f"{FOLDER}/{key}")
