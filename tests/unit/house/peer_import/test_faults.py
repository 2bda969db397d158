"""Bad files of other energy managers: what is said, and at which line."""

import pytest

from luna.drivers.profiles import list_profiles
from luna.energy.errors import InvalidInputError
from luna.house.peer_import import import_peer
from luna.house.peer_import.peer_file import MOST_BYTES
from luna.words.refusals import say_refusal

PROFILES = list_profiles()
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}, *{before}, *{before}, *{before}, *{before}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)
FAULTS = {
    "no YAML": (b"site:\n  title: [unclosed\nmeters: }", "peer-file-no-yaml", 3),
    "tab": (b"site:\n\ttitle: home\n", "peer-file-tab", 2),
    "two documents": (b"site: {}\n---\nsite: {}\n", "peer-file-documents", 2),
    "bomb of aliases": (BOMB.encode(), "peer-file-values", None),
    "an anchor in itself": (b"site: &a\n  b: *a\n", "peer-file-deep", 1),
    "deep": (b"site: " + b"[" * 600 + b"]" * 600, "peer-file-deep", 1),
    "a list": (b"- a\n- b\n", "peer-file-unnamed", None),
    "empty": (b"", "peer-file-unnamed", None),
    "a word": (b"evcc", "peer-file-unnamed", None),
    "no text": (b"\xff\xfe\x00s", "file-no-text", None),
    "large": (b"site: " + b"x" * MOST_BYTES, "peer-file-large", None),
    "of another program": (b"pred_bat: {}\n", "peer-file-other", None),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_file_is_refused_with_its_line(name: str) -> None:
    data, reason, line = FAULTS[name]
    with pytest.raises(InvalidInputError) as refused:
        import_peer("evcc", data, profiles=PROFILES)
    assert refused.value.reason == reason
    assert refused.value.exit_code == 2
    if line is not None:
        assert refused.value.parameters["line"] == line
    for language in ("en", "de", "nl"):
        said = say_refusal(refused.value, language)
        assert said.sentence
        assert said.remedy


def test_json_may_be_indented_by_tabs() -> None:
    result = import_peer("emhass", b'{\n\t"costfun": "profit"\n}', profiles=PROFILES)
    assert result.rows[0].key == "costfun"


def test_what_an_anchor_brings_counts() -> None:
    text = b"""
x: &meter {type: template, host: 192.168.1.9}
site: {title: A, meters: {grid: g}}
meters:
  - {<<: *meter, name: g, template: sma-hybrid}
"""
    result = import_peer("evcc", text, profiles=PROFILES)
    sensor = "profile:sma_hybrid@192.168.1.9#import_w"
    assert result.site.input_sensors.total_grid_import == (sensor,)


def test_a_setting_that_comes_twice_is_told() -> None:
    result = import_peer(
        "evcc", b"site: {title: A}\ninterval: 1s\ninterval: 2s\n", profiles=PROFILES
    )
    told = [(row.line, row.code) for row in result.list_rows("not_understood")]
    assert (2, "repeated") in told


def test_a_value_of_another_file_is_told_or_looked_up() -> None:
    text = b"costfun: profit\nLatitude: !secret home_lat\nLongitude: !secret home_lon\n"
    text += b"long_lived_token: !secret home_token\nmeters: !include meters.yaml\n"
    alone = import_peer("emhass", text, profiles=PROFILES)
    assert alone.site.location is None
    assert [row.code for row in alone.list_rows("not_understood")] == ["elsewhere"] * 3
    secrets = b"home_lat: 52.5\nhome_lon: 13.4\nhome_token: hidden-text\n"
    both = import_peer("emhass", text, profiles=PROFILES, secrets=secrets)
    assert both.site.location is not None
    assert (both.site.location.latitude, both.site.timezone) == (52.5, "Europe/Berlin")
    assert "hidden-text" not in f"{both.rows}{both.text}"


def test_what_the_site_refuses_is_left_out_and_told() -> None:
    text = b"""
site: {title: A, meters: {battery: [b]}}
meters:
  - {name: b, type: template, template: sma-hybrid, host: 10.0.0.1,
     capacity: 10, minsoc: 90, maxsoc: 20}
tariffs: {grid: {type: fixed, price: 0.3}}
"""
    result = import_peer("evcc", text, profiles=PROFILES)
    assert result.site.batteries == []
    assert result.site.control is None
    told = {row.key: row.code for row in result.list_rows("not_understood")}
    assert told["meters.0.minsoc"] == "refused"
    assert told["meters.0.capacity"] == "refused"


def test_name_and_time_zone_are_the_callers_choice() -> None:
    data = b"site: {title: Haus am See}\n"
    assert import_peer("evcc", data, profiles=PROFILES).site.name == "haus_am_see"
    named = import_peer("evcc", data, profiles=PROFILES, name="lake", timezone="Europe/Lisbon")
    assert (named.site.name, named.site.timezone, named.site.country) == (
        "lake",
        "Europe/Lisbon",
        "PT",
    )
    with pytest.raises(InvalidInputError):
        import_peer("evcc", data, profiles=PROFILES, name="/../x")
    with pytest.raises(InvalidInputError):
        import_peer("evcc", data, profiles=PROFILES, timezone="Nowhere")
