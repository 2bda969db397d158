"""What devices are called in both languages."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from luna.energy.refusals import refuse
from luna.words import Numbers
from luna.words.catalogue import CATALOGUE
from luna.words.devices import DEVICES, list_devices, say_device
from luna.words.messages import say_message
from luna.words.refusals import say_refusal
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain, plain_wording


@each_row(
    ("name", "english", "german"),
    [
        ("batteries", "Battery", "Batterie"),
        ("pv", "Solar", "Solaranlage"),
        ("grid", "Grid connection", "Netzanschluss"),
        ("heat_pump", "Heat pump", "Wärmepumpe"),
        ("vehicle:car", "Car", "Auto"),
        ("load:water_heater", "Water heater", "Warmwasser"),
        # The owner's own names.
        ("vehicle:Emma's e-Golf", "Emma's e-Golf", "Emma's e-Golf"),
        ("Keller", "Keller", "Keller"),
    ],
)
def test_a_device_without_a_name_of_its_own_is_called_what_it_is(
    name: str, english: str, german: str
) -> None:
    assert (say_device(name, language="en"), say_device(name, language="de")) == (english, german)


def test_no_device_has_the_same_word_as_what_programs_call_it() -> None:
    assert [
        name
        for name in DEVICES
        for language in CATALOGUE.languages
        if DEVICES.say(name, language) == name
    ] == []


def test_refusals_say_devices_in_the_reader_s_language() -> None:
    names = ("battery", "car", "heat_pump", "Keller", "grid")
    unknown = refuse("no-such-device", field="device", names=names)
    said = "Batterie, Auto, Wärmepumpe, Keller, Netzanschluss"
    remedy = plain_wording("refusals", "remedy_no-such-device", "de", names=said)
    assert say_refusal(unknown, "de").remedy == remedy
    wrong_mode = refuse("no-such-mode", field="mode", device="pv", modes=("free",))
    sentence = plain_wording("refusals", "sentence_no-such-mode", "de", device="Solaranlage")
    assert say_refusal(wrong_mode, "de").sentence == sentence


def test_messages_say_devices_in_the_reader_s_language() -> None:
    figures = {"device": "car", "at": datetime(2026, 5, 20, 14, tzinfo=UTC)}
    numbers = Numbers("de", ZoneInfo("Europe/Berlin"), "EUR")
    said = plain(say_message("device_silent", figures, site="Zuhause", numbers=numbers).text)
    text = plain_wording("messages", "text_device_silent", "de", device="Auto", at="Mi. 16:00")
    assert said == plain_wording("messages", "with_site", "de", site="Zuhause", text=text)


@each_row(
    ("language", "within", "first"),
    [
        ("en", "car and water heater", "Car and water heater"),
        ("de", "Auto und Warmwasser", "Auto und Warmwasser"),
        ("nl", "auto en boiler", "Auto en boiler"),
    ],
)
def test_devices_in_a_sentence_begin_as_nouns_do(language: str, within: str, first: str) -> None:
    names = ("vehicle:car", "load:water_heater")
    assert list_devices(names, language) == within
    assert list_devices(names, language, first=True) == first
    # The owner's own names stay.
    assert list_devices(("load:Keller",), language) == "Keller"
