"""Whatever template a description brings, and whatever a message says: a number, unknown, nothing,
or a refusal that says why.
"""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from services.ingest.sources.mqtt.expression import FILTERS, LONGEST_TEXT, Expression
from services.ingest.sources.mqtt.payload import read_number
from services.ingest.sources.mqtt.template import decoder, parse_template
from tests.support.suite.depth import LONG

SIGNS = r"{{ }} {% %} {# #} - ( ) [ ] { } . , : | ~ * ** / // + % < == = !="
NAMES = (
    "value value_json x a __class__ __init__ __globals__ items 0 9 9999999999999 1e308 's' "
    "'%99999d' none true"
)
STATEMENTS = (
    "if else elif endif for in endfor set endset not and or is defined number range namespace "
    "loop raw endraw macro call include import filter block"
)
FORBIDDEN = "self cycler joiner lipsum dict map select attr format center join"
WORDS = [*SIGNS.split(), *NAMES.split(), *STATEMENTS.split(), *FORBIDDEN.split(), *FILTERS, "\n"]
RANDOM = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join) | st.text(max_size=200)
CONSTANTS = st.sampled_from(
    ["0", "-1", "1e308", "0.001", "7", "'on'", "'x'", "none", "true", "99999999999999999999"]
)
PLACES = st.sampled_from(
    [
        "value",
        "value_json",
        "value_json.a",
        "value_json['b']",
        "value_json.a.b",
        "value_json.l[0]",
        "value_json.__class__",
        "value_json[value]",
    ]
)
EXPRESSIONS = st.recursive(
    CONSTANTS | PLACES,
    lambda part: st.one_of(
        st.tuples(
            part,
            st.sampled_from(
                ["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and", "or"]
            ),
            part,
        ).map(lambda each: f"({' '.join(each)})"),
        st.tuples(part, st.sampled_from(sorted(FILTERS)), st.lists(part, max_size=2)).map(
            lambda each: f"({each[0]} | {each[1]}({', '.join(each[2])}))"
        ),
        st.tuples(part, part, part).map(lambda each: f"({each[0]} if {each[1]} else {each[2]})"),
        st.lists(part, max_size=3).map(lambda each: f"[{', '.join(each)}]"),
        part.map(lambda each: f"({each} is defined)"),
    ),
    max_leaves=12,
)
BUILT = st.tuples(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS).map(
    lambda each: (
        f"{{% set x = {each[0]} %}}{{% if {each[1]} %}}{{{{ {each[2]} }}}}{{% else %}}{{{{ "
        f"value }}}}{{{{ x }}}}{{% endif %}}"
    )
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["on", "unavailable", "7", "nan", "1" * 400]),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "l", "__class__", "items"]), part, max_size=4)
    ),
    max_leaves=10,
)
PAYLOADS = (
    JSON.map(json.dumps)
    | st.text(max_size=40)
    | st.sampled_from(["", "[" * 3_000, "1" * 5_000, '{"a": 1' + "0" * 400 + "}"])
)


@given(RANDOM | EXPRESSIONS.map("{{{{ {} }}}}".format) | BUILT, PAYLOADS)
@settings(max_examples=1_500 if LONG else 100)
def test_any_template_and_any_message_give_a_number_or_nothing_or_a_reason(
    template: str, payload: str
) -> None:
    try:
        said = decoder(parse_template(template), on="ON", off="OFF")(payload)
    except InvalidInputError:
        return
    assert said is None or isinstance(said, float)


@given(EXPRESSIONS.map("{{{{ {} }}}}".format) | BUILT, PAYLOADS)
def test_an_answer_is_short_and_the_same_each_time(template: str, payload: str) -> None:
    def answer() -> str | None:
        try:
            found = parse_template(template)
            return found.find(payload) if isinstance(found, Expression) else None
        except InvalidInputError as refused:
            return str(refused)[:LONGEST_TEXT]

    assert len(answer() or "") <= LONGEST_TEXT
    assert answer() == answer()


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_sums_are_those_of_floats(first: float, second: float) -> None:
    payload = json.dumps({"a": first, "b": second})
    assert decoder(parse_template("{{ value_json.a + value_json.b }}"))(payload) == read_number(
        first + second, None, None
    )
