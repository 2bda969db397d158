"""Value templates with sums, conditions and words for numbers, as Jinja in a sandbox.

Anybody who may write to the broker can send a template. It is therefore taken apart before it is
compiled, and whatever is not listed here is refused: loops, powers, concatenated texts, attributes
and methods. All arithmetic is done with floats. One evaluation visits each of at most
``MOST_NODES`` parts once.

If a message lacks something that the template needs, the value is unknown: a fallback such as
``float(0)`` or ``default(0)`` does not replace it.
"""

import math
import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import StrictUndefined, TemplateError, Undefined, UndefinedError, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from luna.energy.errors import InvalidInputError
from services.ingest.sources.mqtt.payload import MISSING, decode_json, descend, read_number

LONGEST_TEMPLATE = 2_000
MOST_NODES = 300
DEEPEST = 30
# For answers and intermediate texts: no number and no word for a state is longer.
LONGEST_TEXT = 1_000
MOST_DIGITS = 15
# Templates that several devices share are compiled once.
MOST_CACHED = 512
REMEDY = (
    "Understood are {{ value }} and {{ value_json.a.b }}, sums, conditions and the filters "
    "abs, default, float, int, is_defined, lower, max, min, multiply, replace, round, sum, "
    "trim, upper; or name the topic itself: mqtt:topic#a.b."
)


class _UnknownValueError(Exception):
    """A part of the value is unknown, so the whole value is."""


def _number(value: object) -> float:
    number = value if isinstance(value, float) else read_number(value, None, None)
    if not math.isfinite(number):
        raise _UnknownValueError
    return number


def _text(value: object) -> str:
    text = str(value)
    if len(text) > LONGEST_TEXT:
        raise InvalidInputError("is longer than any value", value=text[:80])
    return text


_DIRECTED: Mapping[str, Callable[[float], int]] = {"ceil": math.ceil, "floor": math.floor}


def _round(
    value: object,
    precision: float = 0,
    method: str = "common",
    *_fallback: object,
    **_named: object,
) -> float:
    digits = max(-MOST_DIGITS, min(MOST_DIGITS, int(precision)))
    round_directed = _DIRECTED.get(method)
    if round_directed is None:
        return round(_number(value), digits)
    scale = 10.0**digits
    return round_directed(_number(value) * scale) / scale


def _default(value: object, fallback: object = "", *_ignored: object, **_named: object) -> object:
    return fallback if isinstance(value, Undefined) else value


def _replace(value: object, old: str, new: str) -> str:
    text = _text(value)
    if len(text) + text.count(old) * len(new) > LONGEST_TEXT:
        raise InvalidInputError("is longer than any value", value=text[:80])
    return text.replace(old, new)


def _numbers(values: tuple[object, ...]) -> list[float]:
    """Return the numbers of a filter's arguments, or of the one list among them."""
    listed: list[Any] | tuple[Any, ...] = values
    if len(values) == 1 and isinstance(values[0], list | tuple):
        listed = values[0]
    if len(listed) > LONGEST_TEXT:
        raise InvalidInputError("is a longer list than any of values", value=len(listed))
    return [_number(value) for value in listed]


def _is_number(value: object) -> bool:
    try:
        return not math.isnan(read_number(value, None, None))
    except InvalidInputError:
        return False


def _absolute(value: object) -> float:
    return abs(_number(value))


def _add(value: object, summand: object, *_fallback: object) -> float:
    return _number(_number(value) + _number(summand))


def _multiply(value: object, factor: object, *_fallback: object) -> float:
    return _number(_number(value) * _number(factor))


def _float(value: object, *_fallback: object, **_named: object) -> float:
    return _number(value)


def _integer(value: object, *_fallback: object, **_named: object) -> float:
    return float(math.trunc(_number(value)))


def _unchanged(value: object) -> object:
    return value


def _lower(value: object) -> str:
    return _text(value).lower()


def _upper(value: object) -> str:
    return _text(value).upper()


def _trim(value: object) -> str:
    return _text(value).strip()


def _maximum(*values: object) -> float:
    return max(_numbers(values))


def _minimum(*values: object) -> float:
    return min(_numbers(values))


def _sum(values: object) -> float:
    return math.fsum(_numbers((values,)))


FILTERS: Mapping[str, Callable[..., object]] = {
    "abs": _absolute,
    "add": _add,
    "d": _default,
    "default": _default,
    "float": _float,
    "int": _integer,
    "is_defined": _unchanged,
    "is_number": _is_number,
    "lower": _lower,
    "max": _maximum,
    "min": _minimum,
    "multiply": _multiply,
    "replace": _replace,
    "round": _round,
    "string": _text,
    "sum": _sum,
    "trim": _trim,
    "upper": _upper,
}
FUNCTIONS = {name: FILTERS[name] for name in ("abs", "float", "int", "is_number", "max", "min")}
TESTS = frozenset(
    {
        "boolean",
        "defined",
        "eq",
        "equalto",
        "false",
        "mapping",
        "ne",
        "none",
        "number",
        "string",
        "true",
        "undefined",
        "==",
        "!=",
    }
)
# Filters that only shorten the number of an answer.
_PRECISION = frozenset({"float", "int", "is_defined", "round"})
_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with JSON and numbers alone: no attributes, no methods, arithmetic of floats only."""

    intercepted_binops = frozenset(_OPERATORS)
    intercepted_unops = frozenset({"+", "-"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj
        step = argument
        if isinstance(argument, float) and argument.is_integer():
            step = int(argument)
        item = MISSING
        if isinstance(obj, dict) and isinstance(step, str | int) and step in obj:
            item = obj[step]
        elif isinstance(step, str | int):
            item = descend(obj, step)
        return self.undefined(name=_text(argument)) if item is MISSING else item

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> float:
        return _number(_OPERATORS[operator](_number(left), _number(right)))

    def call_unop(self, context: Context, operator: str, arg: Any) -> float:
        return -_number(arg) if operator == "-" else _number(arg)


def _refuse_collection(value: object) -> object:
    if isinstance(value, dict | list):
        raise InvalidInputError("is no number", value=type(value).__name__)
    return value


# Not optimized: Jinja writes constants that it computes beforehand as Python code, and Python has
# no literal for infinity.
_SANDBOX = _Sandbox(
    undefined=StrictUndefined, autoescape=False, finalize=_refuse_collection, optimized=False
)
_SANDBOX.filters = dict(FILTERS)
_SANDBOX.globals = dict(FUNCTIONS)
_SANDBOX.tests = {name: test for name, test in _SANDBOX.tests.items() if name in TESTS}


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled template; ``from_json`` says that it uses the message's JSON."""

    template: JinjaTemplate
    from_json: bool
    factor: float = 1.0

    def find(self, payload: str) -> str | None:
        """Return the template's result for a message.

        None if the message lacks something that the template needs, "unknown" if such a part is
        unknown.

        Raises:
            InvalidInputError: the message is not JSON although that is expected, or the template
                cannot be evaluated with it.

        Invariants: one evaluation takes time proportional to the message, and its answer has
            ``LONGEST_TEXT`` characters at most.
        """
        variables = {
            "value": payload,
            "value_json": decode_json(payload) if self.from_json else None,
        }
        try:
            context = self.template.new_context(variables)
            pieces = self.template.root_render_func(context)
            return "".join(_limit_length(pieces)).strip()
        except UndefinedError:
            return None
        except (_UnknownValueError, ArithmeticError):
            return "unknown"
        except (TypeError, ValueError, RecursionError, TemplateError) as exc:
            raise InvalidInputError(
                f"is a message that its value template cannot be worked out with: {exc}",
                value=payload[:80],
            ) from exc


def _limit_length(pieces: Iterator[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LONGEST_TEXT:
            raise InvalidInputError("is longer than any value", value=piece[:80])
        yield piece


@lru_cache(maxsize=MOST_CACHED)
def compile_expression(text: str) -> Expression:
    """Compile a template.

    Raises:
        InvalidInputError: it is too long, not Jinja, or uses something that is not understood.
    """
    if len(text) > LONGEST_TEMPLATE:
        _refuse(f"has more than {LONGEST_TEMPLATE} characters", text)
    try:
        tree = _SANDBOX.parse(text)
        _Review(text).check(tree)
        simplified = _Simplify().visit(tree)
        template = _SANDBOX.from_string(simplified)
        from_json = "value_json" in _names_in(simplified)
        return Expression(template, from_json)
    except (TemplateError, RecursionError, SyntaxError, ValueError, OverflowError) as exc:
        _refuse(str(exc).partition("\n")[0][:LONGEST_TEXT], text)


def _names_in(tree: nodes.Node) -> set[str]:
    return {name.name for name in tree.find_all(nodes.Name)}


def _refuse(why: str, text: str) -> NoReturn:
    raise InvalidInputError(
        f"is a value template that Luna does not understand: {why}",
        field="value_template",
        value=text[:LONGEST_TEXT],
        remedy=REMEDY,
    )


_PLAIN = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.CondExpr,
    nodes.Const,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Neg,
    nodes.Pos,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Assign,
    nodes.Keyword,
    nodes.Pair,
)
# A template may not nest these, since comparing lists of lists could take for ever.
_COLLECTIONS = (nodes.List, nodes.Tuple, nodes.Dict)


class _Review:
    """Refuses a template with anything but the listed parts."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._count = 0
        self._names = {"value", "value_json"}

    def check(self, tree: nodes.Template) -> None:
        """Refuse a template at the first part that is not understood.

        Raises:
            InvalidInputError: names that part.
        """
        assigned = set()
        for assignment in tree.find_all(nodes.Assign):
            if isinstance(assignment.target, nodes.Name):
                assigned.add(assignment.target.name)
        overwritten = assigned & (self._names | set(FUNCTIONS))
        if overwritten:
            self._refuse(f"sets {min(overwritten)}")
        self._names |= assigned
        self._check(tree, depth=0)
        if not {"value", "value_json"} & _names_in(tree):
            self._refuse("it does not look at the message")

    def _refuse(self, why: str) -> NoReturn:
        _refuse(why, self._text)

    def _check(self, node: nodes.Node, *, depth: int) -> None:
        self._count += 1
        if self._count > MOST_NODES or depth > DEEPEST:
            self._refuse("it has too many parts")
        self._check_kind(node)
        for child in node.iter_child_nodes():
            self._check_place(node, child)
            self._check(child, depth=depth + 1)

    def _check_kind(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Const):
            if isinstance(node.value, float) and not math.isfinite(node.value):
                self._refuse("a number beyond all numbers")
        elif isinstance(node, nodes.Name):
            if node.name not in self._names and node.name not in FUNCTIONS:
                self._refuse(f"{node.name} is not known")
        elif isinstance(node, nodes.Filter | nodes.Test | nodes.Call):
            self._check_application(node)
        elif isinstance(node, _COLLECTIONS):
            if any(node.find_all(_COLLECTIONS)):
                self._refuse("lists in lists")
        elif not isinstance(node, _PLAIN):
            self._refuse(f"{type(node).__name__.lower()} is not known")

    def _check_application(self, node: nodes.Filter | nodes.Test | nodes.Call) -> None:
        """Refuse filters, tests and functions that are not listed, and unpacked arguments."""
        allowed: Collection[str]
        if isinstance(node, nodes.Call):
            called = node.node.name if isinstance(node.node, nodes.Name) else "a method"
            allowed = FUNCTIONS
        elif isinstance(node, nodes.Test):
            called = node.name
            allowed = TESTS
        else:
            called = node.name
            allowed = FILTERS
        if called not in allowed:
            self._refuse(f"{called} is not known")
        is_unpacked = node.dyn_args is not None or node.dyn_kwargs is not None
        is_block = isinstance(node, nodes.Filter) and node.node is None
        if is_unpacked or is_block:
            self._refuse(f"{called} is not given its values one by one")

    def _check_place(self, node: nodes.Node, child: nodes.Node) -> None:
        """Refuse a list, text or function where it would count as a value."""
        if isinstance(child, _COLLECTIONS):
            is_filtered = isinstance(node, nodes.Filter) and node.node is child
            is_indexed = isinstance(node, nodes.Getitem) and node.node is child
            is_compared = isinstance(node, nodes.Operand)
            is_argument = isinstance(node, nodes.Call)
            if not (is_filtered or is_indexed or is_compared or is_argument):
                self._refuse("a list is no value")
        if isinstance(node, nodes.Getattr | nodes.Getitem) and node.node is child:
            is_payload = isinstance(child, nodes.Name) and child.name == "value"
            if is_payload or isinstance(child, nodes.Const):
                self._refuse("a text is not looked into; value_json is")
        if isinstance(child, nodes.Name) and child.name in FUNCTIONS:
            is_called = isinstance(node, nodes.Call) and node.node is child
            if not is_called:
                self._refuse("a function is no value")


class _Simplify(NodeTransformer):
    """Removes constant fallbacks for missing values, and the rounding of an answer."""

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802 - Jinja's names
        self.generic_visit(node)
        if node.name not in {"d", "default"} or node.node is None:
            return node
        arguments = [*node.args, *(keyword.value for keyword in node.kwargs)]
        is_constant = all(isinstance(argument, nodes.Const) for argument in arguments)
        return node.node if is_constant else node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.nodes = [_without_precision(part) for part in node.nodes]
        return node


def _without_precision(node: nodes.Expr) -> nodes.Expr:
    while isinstance(node, nodes.Filter) and node.name in _PRECISION and node.node is not None:
        node = node.node
    return node
