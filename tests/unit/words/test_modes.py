"""One wording of modes and policies; what is shown is understood."""

import pytest
from pydantic import ValidationError

from luna.contracts.control import Override
from luna.contracts.counterfactual import Alternative, WhatIfRequest
from luna.contracts.replay import ReplayRequest
from luna.words import (
    DEVICE_MODES,
    MODES,
    POLICIES,
    Language,
    mode,
    read_mode,
    read_policy,
    say_mode,
    say_policy,
    split_policies,
)
from luna.words.catalogue import CATALOGUE
from tests.support.suite.tables import each_row


@each_row("language", CATALOGUE.languages)
@each_row("name", [*MODES, *DEVICE_MODES])
def test_a_mode_is_understood_as_it_is_shown(name: str, language: Language) -> None:
    assert read_mode(say_mode(name, language=language)) == name
    assert read_mode(say_mode(name, language=language).upper()) == name


@each_row("language", CATALOGUE.languages)
@each_row("name", MODES)
def test_a_mode_is_understood_by_its_short_word(name: str, language: Language) -> None:
    assert read_mode(mode(name, language=language).short) == name


@each_row("language", CATALOGUE.languages)
@each_row("name", POLICIES)
def test_a_policy_is_understood_as_it_is_shown(name: str, language: Language) -> None:
    assert read_policy(say_policy(name, language=language)) == name


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_policies_in_a_list_may_have_commas_of_their_own(language: Language) -> None:
    shown = ", ".join(say_policy(name, language=language) for name in POLICIES)
    assert split_policies(shown) == [*POLICIES]
    assert split_policies("idle,mpc , oracle") == ["idle", "mpc", "oracle"]


def test_what_stands_for_nothing_stays_as_it_is() -> None:
    assert (read_mode("dance"), read_policy("daydream"), read_mode(3)) == ("dance", "daydream", 3)
    assert (say_mode("dance", language="en"), say_policy("daydream", language="de")) == (
        "dance",
        "daydream",
    )


def test_questions_take_modes_and_policies_as_they_are_shown() -> None:
    assert (
        Alternative.model_validate({"slot": "2024-02-01T00:00:00Z", "mode": "Sell"}).mode
        == "export"
    )
    assert (
        Override.model_validate({"mode": "Eigenverbrauch", "until": "2024-02-01T00:00:00Z"}).mode
        == "self_consumption"
    )
    assert (
        Alternative.model_validate({"slot": "2024-02-01T00:00:00Z", "mode": "Pauze"}).mode == "hold"
    )
    days = {"site_id": "home", "from_day": "2024-02-01", "to_day": "2024-02-02"}
    assert ReplayRequest.model_validate(
        days | {"policies": ["Luna", say_policy("oracle", language="en")]}
    ).policies == ["mpc", "oracle"]
    shown = {"policy": say_policy("idle", language="en")}
    variants = {"variants": [{"name": "other", "site": {}}]}
    assert WhatIfRequest.model_validate(days | shown | variants).policy == "idle"


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_only_batteries_charge_from_the_grid_by_name(language: Language) -> None:
    of_battery = say_mode("charge", language=language, of_battery=True)
    assert of_battery == mode("charge", language=language).full
    assert of_battery != say_mode("charge", language=language)
    assert read_mode(of_battery) == "charge"


def test_a_mode_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(ValidationError, match="mode"):
        Alternative.model_validate({"slot": "2024-02-01T00:00:00Z", "mode": "dance"})
