"""Templates of devices that are more than a place in a message, and what nobody may do with one."""

import json
import math

import pytest

from luna.energy.errors import InvalidInputError
from services.ingest.sources.mqtt.expression import LONGEST_TEMPLATE, compile_expression
from services.ingest.sources.mqtt.template import decoder, parse_template
from tests.support.suite.tables import each_row

METER = {
    "a": 100,
    "b": "250.5",
    "state": "charging",
    "sub": {"power": 1234.567, "values": [3, -4]},
    "null": None,
    "off": False,
    "gone": "unavailable",
}
PAYLOAD = json.dumps(METER)


def read(
    template: str, payload: str = PAYLOAD, *, on: str | None = None, off: str | None = None
) -> float | None:
    return decoder(parse_template(template), on=on, off=off)(payload)


@each_row(
    ("template", "value"),
    [
        # 100 + 250.5; a text counts as the number that it is.
        ("{{ value_json.a + value_json.b }}", 350.5),
        ("{{ (value_json.a | float - value_json.b | float) | abs }}", 150.5),
        # Digits that are left off for the eye stay, as in a template that only names a place.
        ("{{ (value_json.sub.power / 1000) | round(1) }}", 1.234567),
        ("{{ (value_json.sub.power * 2) | int }}", 2469.134),
        # Within a template they count.
        ("{{ value_json.sub.power | int - 1 }}", 1233),
        ("{{ value_json.sub.power | round(1) - 1 }}", 1233.6),
        ("{{ value_json.sub.power | round(0, 'ceil') - 1 }}", 1234),
        ("{{ [value_json.sub['values'][1], 0] | max }}", 0),
        ("{{ [value_json.a, value_json.b | float] | sum }}", 350.5),
        ("{{ min(value_json.a, 50) }}", 50),
        ("{{ value_json.a | multiply(0.001) }}", 0.1),
        ("{{ -value_json.a }}", -100),
        ("{% set p = value_json.sub.power | float %}{{ p if p > 0 else 0 }}", 1234.567),
        ("{% set sub = value_json.sub %}{{ sub.power // 1000 + sub.power % 1 | round(3) }}", 1.567),
        ("{{ value_json.a | float(0) > 50 }}", 1),
        ("{% if value_json.a > 200 -%} on {% else %} off {%- endif %}", 0),
        (
            (
                "{% if value_json.off %}1{% elif value_json.a is number and value_json.x is "
                "not defined %}2{% endif %}"
            ),
            2,
        ),
        ("{{ {'idle': 0, 'charging': 11}[value_json.state] }}", 11),
        ("{{ value_json.state in ['charging', 'full'] }}", 1),
        ("{{ 'true' if value_json.state | upper == 'CHARGING' else 'false' }}", 1),
        ("{{ value_json.missing | default(value_json.a) }}", 100),
    ],
)
def test_what_devices_say_of_their_values_is_worked_out(template: str, value: float) -> None:
    assert read(template) == pytest.approx(value, rel=1e-12)


def test_a_text_that_is_no_json_is_worked_out_as_well() -> None:
    assert read("{{ value | replace(',', '.') | float * 2 }}", "1,5") == 3
    assert read("{{ {'0': 'off', '1': 'on'}[value] }}", "1") == 1


def test_a_switch_says_its_own_words() -> None:
    template = "{% if value_json.state == 'charging' %}RUN{% else %}REST{% endif %}"
    assert [
        read(template, json.dumps({"state": state}), on="RUN", off="REST")
        for state in ("charging", "idle")
    ] == [1, 0]


@each_row(
    "template",
    [
        "{{ value_json.null + 1 }}",
        "{{ value_json.gone | float(0) + value_json.a }}",
        "{{ value_json.null }}{# known as unknown #}",
        "{{ value_json.a / value_json.off }}",
        "{{ value_json.a * 1e308 * 1e308 }}",
        "{% if 1e308 | add(1e308) %}{{ value_json.a }}{% endif %}",
        "{{ value_json.a if 1e308 | multiply(10) > 0 else 0 }}",
        "{% if value_json.off %}{{ value_json.a }}{% else %}unknown{% endif %}",
    ],
)
def test_what_rests_on_something_unknown_is_unknown(template: str) -> None:
    assert math.isnan(read(template) or 0)


@each_row(
    "template",
    [
        "{{ value_json.missing + value_json.a }}",
        "{{ value_json.missing | float(0) + value_json.a | float(0) }}",
        "{{ value_json.missing | default(0) }}",
        "{{ value_json.missing.deeper | default(0) | float * 2 }}",
        "{% if value_json.missing > 3 %}1{% else %}0{% endif %}",
        "{% if value_json.missing is defined %}{{ value_json.missing }}{% endif %}",
    ],
)
def test_what_rests_on_something_that_a_message_lacks_is_no_reading(template: str) -> None:
    assert read(template) is None


@each_row(
    "template",
    [
        "{{ value_json.state + 1 }}",
        "{{ value_json.sub | float + 1 }}",
        "{{ value_json.a > 'x' }}",
        "{{ [value_json.sub] | max }}",
    ],
)
def test_a_message_that_a_template_cannot_be_worked_out_with_is_no_number(template: str) -> None:
    with pytest.raises(InvalidInputError):
        read(template)


@each_row(
    "template",
    [
        "{% for x in range(9) %}{{ value }}{% endfor %}",
        "{{ range(10) | sum + value }}",
        "{{ 9 ** 9 ** 9 + value }}",
        "{{ value + 1e1000 }}",
        "{{ value.__class__ }}",
        "{{ ''.__class__.__mro__[1] + value }}",
        "{{ value_json.a.as_integer_ratio() }}",
        "{{ value_json.get('a') }}",
        "{{ value_json | attr('a') }}",
        "{{ self }}{{ value }}",
        "{{ cycler + value }}",
        "{{ float }}{{ value }}",
        "{{ float.real + value }}",
        "{{ '%999999999d' | format(value) }}",
        "{{ value | center(999999999) }}",
        "{{ value[:3] }}",
        "{% set value = 3 %}{{ value }}",
        "{% set float = 3 %}{{ value }}",
        "{% set a = [value, value] %}{{ [a, a] | max }}",
        "{{ [[value, 1], 2] | max }}",
        "{{ min(*value_json.sub) }}",
        "{% macro m() %}{{ value }}{% endmacro %}{{ m() }}",
        "{% include value %}",
        "{% import value as x %}",
        "{% extends value %}",
        "{{ lipsum() }}{{ value }}",
        "{{ namespace(a=value).a }}",
        "{{ value }",
        "{{ " + "(" * 900 + "value" + ")" * 900 + " }}",
        "{{ " + "-" * 900 + "value }}",
        "{{ value" + " + 1" * 300 + " }}",
        "{{ value }}" + " " * LONGEST_TEMPLATE + "{{ value }}",
    ],
)
def test_nobody_reaches_beyond_the_message_with_a_template(template: str) -> None:
    with pytest.raises(InvalidInputError, match="value_template") as refused:
        parse_template(template)
    assert refused.value.remedy


@each_row(
    "template",
    [
        "{{ 'aaaaaaaaaa' * 1000000000 + value }}",
        "{{ [1] * 1000000000 + value }}",
        "{{ value" + " | replace('a', 'aaaaaaaaaa')" * 50 + " }}",
        "{{ value }}" * 150,
    ],
)
def test_what_would_grow_ends_at_once(template: str) -> None:
    with pytest.raises(InvalidInputError):
        read(template, '"aaaaaaaaaa"')


def test_a_key_is_no_method_and_no_attribute() -> None:
    assert read("{{ value_json.__class__ + value_json.bit_length }}", "3") is None
    assert (
        read(
            "{{ value_json.items + value_json.__class__ + value_json.real }}",
            '{"items": 1, "__class__": 2, "real": 3}',
        )
        == 6
    )


def test_a_template_that_devices_share_is_compiled_once() -> None:
    assert compile_expression("{{ value_json.a + 1 }}") is compile_expression(
        "{{ value_json.a + 1 }}"
    )
