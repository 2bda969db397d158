"""Readings of a device that do not count have a sentence for every reading and cause, in every
language.
"""

import math
from itertools import product
from typing import get_args

from luna.drivers.plausibility import ImplausibleCause
from luna.drivers.readings import READING_UNITS, ReadingName
from luna.words.catalogue import CATALOGUE
from luna.words.implausible import CAUSES, READINGS, say_implausible
from luna.words.numbers import join_unit


def test_every_reading_and_cause_has_a_sentence_that_names_both() -> None:
    assert set(READINGS) == set(get_args(ReadingName))
    assert set(CAUSES) == set(get_args(ImplausibleCause))
    for language, reading, cause in product(CATALOGUE.languages, READINGS, CAUSES):
        said = say_implausible(
            reading, cause, -1500.0, unit=READING_UNITS[reading], language=language
        )
        assert READINGS.say(reading, language) in said
        assert (join_unit("-1500", READING_UNITS[reading], language) in said) == (
            cause != "invalid_value"
        )
        assert "nan" not in say_implausible(reading, cause, math.nan, unit="W", language=language)
