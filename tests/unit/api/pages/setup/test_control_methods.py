"""How a battery can be told: each way says what it asks, and makes a section that the site takes
and the fields can say again.
"""

from typing import get_args

import pytest

from luna.drivers.control.opening import open_device
from luna.drivers.profiles import list_profiles
from luna.drivers.write_limits import uncounted
from luna.energy.site import Site
from luna.energy.site.control import NOT_SENT, Control, ControlledBy
from luna.platform.settings import Settings
from luna.words.pages import page_words
from services.api.pages.setup.control_methods import (
    METHODS,
    ControlMethod,
    answer_control,
    guess_words,
    read_vias,
)
from services.api.pages.setup.control_step import list_sent_by_mode
from services.api.pages.setup.find_page import offer_entities, take_entities
from services.api.pages.setup.home_assistant import HomeCommand, HomeSensor, Lookup

HOUSE = Lookup(
    version="2026.11",
    sensors=(HomeSensor("sensor.battery", "Home battery SoC", "%"),),
    commands=(
        HomeCommand(
            "select.inverter_mode",
            "Inverter mode",
            options=("Self Use", "Standby", "Force Charge", "Force Discharge"),
        ),
        HomeCommand("number.inverter_power", "Inverter battery power", "kW", "power"),
    ),
)
SITE = Site.model_validate(
    {
        "name": "home",
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "batteries": [
            {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 4, "discharge_limit_kw": 3}
        ],
        "grid": {"export_limit_kw": 2.5},
        "tariff": {
            "import": {"kind": "fixed", "price": 0.3},
            "export": {"kind": "fixed", "price": 0.1},
        },
    }
)
PROFILES = {profile.profile: profile for profile in list_profiles()}
# Sorted by what they are called, the first mode is of one inverter and the first power of the
# other.
TWO_INVERTERS = Lookup(
    sensors=(
        HomeSensor("sensor.garage_battery_soc", "A battery", "%"),
        HomeSensor("sensor.cellar_battery_soc", "Z battery", "%"),
    ),
    commands=(
        HomeCommand("number.garage_inverter_power", "A inverter power", "W", "power"),
        HomeCommand(
            "select.cellar_inverter_mode", "A inverter mode", options=("Auto", "Stop", "Charge")
        ),
        HomeCommand("number.cellar_inverter_power", "Z inverter power", "W", "power"),
        HomeCommand(
            "select.garage_inverter_mode", "Z inverter mode", options=("Auto", "Stop", "Charge")
        ),
    ),
)
CELLAR = {
    "soc_place": "sensor.cellar_battery_soc",
    "mode_place": "select.cellar_inverter_mode",
    "power_place": "number.cellar_inverter_power",
}
GARAGE = {
    "soc_place": "sensor.garage_battery_soc",
    "mode_place": "select.garage_inverter_mode",
    "power_place": "number.garage_inverter_power",
}
each_method = pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))


def section_of(method: ControlMethod) -> Control:
    """What a way makes of its own proposals."""
    section, faults = method.describe(["battery"], {"battery": method.propose("battery", HOUSE)})
    assert faults == []
    return Control.model_validate(section)


@each_method
def test_what_a_way_proposes_is_a_section_that_its_fields_can_say_again(
    method: ControlMethod,
) -> None:
    section = section_of(method)
    typed = answer_control(section)
    again, faults = METHODS[typed["by"]].describe(["battery"], typed[typed["by"]])
    assert faults == []
    assert Control.model_validate(again) == section


def test_where_a_device_is_said_to_be_can_be_said_again() -> None:
    via = {
        "profile": "victron_mqtt",
        "host": "gx.local",
        "port": 8883,
        "prefix": "c0619ab12345",
        "secret": "gx",
    }
    section = Control.model_validate(
        {"by": "profile", "batteries": [{"battery": "battery", "via": via}]}
    )
    again, faults = METHODS["profile"].describe(["battery"], answer_control(section)["profile"])
    assert (again, faults) == (
        {"by": "profile", "batteries": [{"battery": "battery", "via": via}]},
        [],
    )
    assert read_vias(answer_control(section)) == section.vias
    assert read_vias(
        {
            "by": "profile",
            "profile": {"battery": {"profile_place": "victron_mqtt", "host_place": "no address"}},
        }
    ) == {"battery": None}


@each_method
def test_a_way_has_words_and_who_carries_it_out(method: ControlMethod) -> None:
    said = [
        f"by_{method.by}",
        f"by_{method.by}_lead",
        *(f"field_{entry.name}" for entry in method.asks),
    ]
    said += [f"{part}_{method.by}" for part in ("ask", "asks") if method.asks]
    assert [name for name in said if not page_words("setup", "en").knows(name)] == []
    settings = Settings(
        _env_file=None,
        home_assistant_url="http://127.0.0.1:9",
        home_assistant_token="x",
        mqtt_url="mqtt://127.0.0.1:9",
    )
    open_device(settings, section_of(method), uncounted).close()


def test_every_way_that_sends_can_be_chosen() -> None:
    assert set(get_args(ControlledBy)) - set(METHODS) == set(NOT_SENT) - {"advice"}


def test_what_is_shown_is_what_would_be_sent_and_within_what_is_safe() -> None:
    shown = {
        by: {
            line.mode: line.writes
            for line in list_sent_by_mode(
                SITE.model_copy(update={"control": section}), section, PROFILES
            )
        }
        for by, section in (
            (by, section_of(METHODS[by])) for by in ("home_assistant", "mqtt", "profile")
        )
    }
    assert shown["home_assistant"] == {
        "self_consumption": (("select.select_option select.inverter_mode", "Self Use"),),
        "hold": (("select.select_option select.inverter_mode", "Standby"),),
        "charge": (
            ("number.set_value number.inverter_power", "4"),
            ("select.select_option select.inverter_mode", "Force Charge"),
        ),
        # The connection lets less out than the battery could sell.
        "export": (
            ("number.set_value number.inverter_power", "2.5"),
            ("select.select_option select.inverter_mode", "Force Discharge"),
        ),
    }
    # The register of a SunSpec model stands by the model, a power in percent by what it is a part
    # of.
    assert shown["profile"]["charge"] == (
        ("InOutWRte_RvrtTms (124/15)", "180 s"),
        ("ChaGriSet (124/17)", "1"),
        ("OutWRte (124/12)", "-4000 W / WChaMax"),
        ("StorCtl_Mod (124/5)", "2"),
    )
    assert shown["mqtt"]["charge"] == (
        ("battery/power/set", "4000"),
        ("battery/mode/set", "charge"),
    )


def test_a_battery_of_which_nothing_is_typed_is_not_told_unless_none_is() -> None:
    method = METHODS["mqtt"]
    section, faults = method.describe(["one", "two"], {"two": method.propose("two", None)})
    assert (faults, [each["battery"] for each in (section or {})["batteries"]]) == ([], ["two"])
    assert [fault.field for fault in method.describe(["one", "two"], {})[1]][:2] == [
        "mqtt-0-soc_place",
        "mqtt-0-mode_place",
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("Self Use", "Feedin Priority", "Manual Charge", "Standby"),
            ("Self Use", "Standby", "Manual Charge", "Feedin Priority"),
        ),
        (
            ("Automatik", "Laden", "Entladen", "Halten"),
            ("Automatik", "Halten", "Laden", "Entladen"),
        ),
        (("on", "off"), (None, None, None, None)),
    ],
)
def test_an_inverter_s_own_words_are_guessed_in_either_language(
    options: tuple[str, ...], words: tuple[str | None, ...]
) -> None:
    guessed = guess_words(options)
    assert (
        tuple(
            guessed.get(f"word_{mode}") for mode in ("self_consumption", "hold", "charge", "export")
        )
        == words
    )


@pytest.mark.parametrize(
    ("batteries", "typed", "first", "second"),
    [
        (["one", "two"], {}, CELLAR, GARAGE),
        # The owner said of the first that it is the one in the garage.
        (["one", "two"], {"one": GARAGE}, GARAGE, CELLAR),
        # Of a third battery nothing is left.
        (
            ["one", "three"],
            {"one": GARAGE, "two": CELLAR},
            GARAGE,
            {"soc_place": "", "mode_place": ""},
        ),
    ],
    ids=["each", "chosen", "none left"],
)
def test_each_battery_is_proposed_what_belongs_together_and_no_other_has(
    batteries: list[str],
    typed: dict[str, dict[str, str]],
    first: dict[str, str],
    second: dict[str, str],
) -> None:
    filled = METHODS["home_assistant"].fill(batteries, typed, TWO_INVERTERS)
    assert [
        {name: text for name, text in fields.items() if name.endswith("_place")}
        for fields in filled.values()
    ] == [first, second]


def test_entities_are_offered_and_taken_for_each_battery() -> None:
    answers = {"batteries": [{"name": "one"}, {"name": "two"}]}
    _, commands = offer_entities(answers, TWO_INVERTERS)
    chosen = {name: value for offers in commands.values() for name, _, value in offers}
    told = take_entities(answers, chosen, TWO_INVERTERS)["control"]["home_assistant"]
    assert {
        name: {field: text for field, text in fields.items() if text and field.endswith("_place")}
        for name, fields in told.items()
    } == {
        "one": CELLAR,
        "two": GARAGE,
    }
    # What was taken stands there when somebody looks again; of a battery for which no mode is
    # chosen nothing is.
    _, commands = offer_entities(
        answers | {"control": {"by": "home_assistant", "home_assistant": {"one": GARAGE}}},
        TWO_INVERTERS,
    )
    assert commands["one"][0][2] == GARAGE["mode_place"]
    only_second = take_entities(
        answers, chosen | {"home_assistant-0-mode_place": ""}, TWO_INVERTERS
    )["control"]["home_assistant"]
    assert list(only_second) == ["two"]
