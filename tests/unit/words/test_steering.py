"""What steering does with a device, in words."""

from typing import get_args
from zoneinfo import ZoneInfo

from luna.energy.devices.pv import PvMode
from luna.energy.devices.switched import LoadMode
from luna.energy.devices.vehicle import VehicleMode
from luna.energy.steering.state import SteeringReason
from luna.words import MODES, Language, Numbers
from luna.words.catalogue import CATALOGUE
from luna.words.steering import STEERING, SteeredAction, format_stale, format_steered
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain

BERLIN = ZoneInfo("Europe/Berlin")
MOST_WORDS = 14
OWN_MODES = [mode for mode in MODES if mode not in {"charge", "export"}]
CODES = (*get_args(SteeringReason), "wakes_car", "silent", "not_followed")
# Modes without a power are said by themselves.
ACTIONS = [
    *(SteeredAction("battery", mode, "as_planned", of_battery=True) for mode in OWN_MODES),
    SteeredAction("battery", "charge", "as_planned", 3.0, of_battery=True),
    SteeredAction("battery", "export", "as_planned", 3.0, of_battery=True),
    *(SteeredAction("car", mode, "as_planned") for mode in ("own", "stop")),
    *(SteeredAction("car", mode, "as_planned", 3.0) for mode in ("charge", "give")),
    *(SteeredAction("tank", mode, "as_planned") for mode in get_args(LoadMode)),
    *(SteeredAction("pv", mode, "as_planned") for mode in ("free", "no_export", "off")),
    SteeredAction("pv", "limit", "as_planned", 3.0),
]


def say(action: SteeredAction, language: Language) -> str:
    return plain(format_steered(action, Numbers(language, BERLIN, "EUR")))


@each_row("language", CATALOGUE.languages)
@each_row("code", CODES)
def test_every_reason_has_one_short_sentence(code: str, language: Language) -> None:
    assert CATALOGUE.messages(("steering",), language)[f"now_{code}"]
    longest = SteeredAction("battery", "self_consumption", code, of_battery=True)
    said = say(longest, language)
    assert len(said.split()) <= MOST_WORDS
    assert len(format_stale(language).split()) <= MOST_WORDS


@each_row("language", CATALOGUE.languages)
def test_no_sentence_stands_for_a_reason_that_there_is_not(language: Language) -> None:
    assert set(STEERING) == {*CODES, "all_stale"}
    messages = CATALOGUE.messages(("steering",), language)
    assert {name for name in messages if name.startswith("now_")} == {
        f"now_{code}" for code in STEERING
    }


@each_row("language", CATALOGUE.languages)
def test_every_mode_of_a_device_has_words(language: Language) -> None:
    said = [say(action, language) for action in ACTIONS]
    assert len(set(said)) == len(said)


def test_every_mode_is_looked_at() -> None:
    modes = {action.mode for action in ACTIONS}
    assert modes == {*MODES, *get_args(VehicleMode), *get_args(LoadMode), *get_args(PvMode)}


@each_row(
    ("action", "said"),
    [
        (
            SteeredAction("car", "charge", "follows_surplus", 3.68),
            "Car: uses solar surplus, 3.7 kW",
        ),
        (SteeredAction("car", "stop", "waits_for_surplus"), "Car: waits for more sun"),
        (
            SteeredAction("car", "charge", "fuse_limit", 4.14, current_a=6.0),
            "Car: 6 A, to protect the fuse",
        ),
        (
            SteeredAction("battery", "self_consumption", "as_planned", of_battery=True),
            "Battery: covers your own use, as planned",
        ),
        (
            SteeredAction("cellar", "export", "connection_limit", 2.0, of_battery=True),
            "cellar: discharges with 2.0 kW, because of your connection's limit",
        ),
        (
            SteeredAction("pv", "limit", "export_cap", 3.0),
            "Solar: at most 3.0 kW, because of the feed-in limit",
        ),
    ],
)
def test_an_action_comes_with_its_power_and_its_reason(action: SteeredAction, said: str) -> None:
    assert say(action, "en") == said
