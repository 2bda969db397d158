"""Of several sites that are replayed, an error says whose it is."""

import pytest

from luna.energy.errors import InvalidInputError
from services.cli.replay import name_errors


def test_of_several_sites_an_error_names_its_own() -> None:
    with (
        pytest.raises(
            InvalidInputError,
            match=r"site barn: it has no past\. Load it\. Or name the sites .* --site\.",
        ),
        name_errors("barn", several=True),
    ):
        raise InvalidInputError("it has no past", remedy="Load it.")


def test_of_one_site_it_says_what_it_said() -> None:
    with (
        pytest.raises(InvalidInputError, match=r"^it has no past\. Load it\.$"),
        name_errors("barn", several=False),
    ):
        raise InvalidInputError("it has no past", remedy="Load it.")
