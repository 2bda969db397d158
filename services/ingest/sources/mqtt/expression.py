"""Value templates that are more than a place: sums, conditions, words for numbers.

Jinja in a sandbox, bounded in every direction.

A description comes from whoever may write to the broker. So its template is taken apart before it
is compiled: what is not listed here is refused. There are no loops, powers, texts put together,
attributes or methods; all arithmetic is that of floats. One evaluation looks at each of
``MOST_NODES`` parts once.

What a message lacks makes the whole unknown: a fallback such as ``float(0)`` or ``default(0)`` does
not stand in for it.
"""

import math
import operator
from collections.abc import Callable, Iterator, Mapping
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
# Of an answer, and of any text on the way to it: no number and no word of a state is longer.
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
    """Something on the way is unknown, so the value is."""


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


def _round(
    value: object,
    precision: float = 0,
    method: str = "common",
    *_fallback: object,
    **_named: object,
) -> float:
    digits = max(-MOST_DIGITS, min(MOST_DIGITS, int(precision)))
    scale = 10.0**digits
    directed: Mapping[str, Callable[[float], int]] = {"ceil": math.ceil, "floor": math.floor}
    return (
        directed[method](_number(value) * scale) / scale
        if method in directed
        else round(_number(value), digits)
    )


def _otherwise(value: object, fallback: object = "", *_ignored: object, **_named: object) -> object:
    return fallback if isinstance(value, Undefined) else value


def _replace(value: object, old: str, new: str) -> str:
    text = _text(value)
    if len(text) + text.count(old) * len(new) > LONGEST_TEXT:
        raise InvalidInputError("is longer than any value", value=text[:80])
    return text.replace(old, new)


def _numbers(values: tuple[object, ...]) -> list[float]:
    listed = values[0] if len(values) == 1 and isinstance(values[0], list | tuple) else values
    if len(listed) > LONGEST_TEXT:
        raise InvalidInputError("is a longer list than any of values", value=len(listed))
    return [_number(value) for value in listed]


def _is_number(value: object) -> bool:
    try:
        return not math.isnan(read_number(value, None, None))
    except InvalidInputError:
        return False


FILTERS: Mapping[str, Callable[..., object]] = {
    "abs": lambda value: abs(_number(value)),
    "add": lambda value, summand, *_fallback: _number(_number(value) + _number(summand)),
    "d": _otherwise,
    "default": _otherwise,
    "float": lambda value, *_fallback, **_named: _number(value),
    "int": lambda value, *_fallback, **_named: float(math.trunc(_number(value))),
    "is_defined": lambda value: value,
    "is_number": _is_number,
    "lower": lambda value: _text(value).lower(),
    "max": lambda *values: max(_numbers(values)),
    "min": lambda *values: min(_numbers(values)),
    "multiply": lambda value, factor, *_fallback: _number(_number(value) * _number(factor)),
    "replace": _replace,
    "round": _round,
    "string": _text,
    "sum": lambda values: math.fsum(_numbers((values,))),
    "trim": lambda value: _text(value).strip(),
    "upper": lambda value: _text(value).upper(),
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
    """Jinja that sees JSON and numbers alone: no attribute, no method, no arithmetic but that of
    floats.
    """

    intercepted_binops = frozenset(_OPERATORS)
    intercepted_unops = frozenset({"+", "-"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        step = int(argument) if isinstance(argument, float) and argument.is_integer() else argument
        item = obj if isinstance(obj, Undefined) else MISSING
        if item is MISSING and isinstance(step, str | int):
            item = obj[step] if isinstance(obj, dict) and step in obj else descend(obj, step)
        return self.undefined(name=_text(argument)) if item is MISSING else item

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> float:
        return _number(_OPERATORS[operator](_number(left), _number(right)))

    def call_unop(self, context: Context, operator: str, arg: Any) -> float:
        return -_number(arg) if operator == "-" else _number(arg)


def _say(value: object) -> object:
    if isinstance(value, dict | list):
        raise InvalidInputError("is no number", value=type(value).__name__)
    return value


# Not optimized: constants that are worked out beforehand come out as code, and infinity is no word
# of Python.
_SANDBOX = _Sandbox(undefined=StrictUndefined, autoescape=False, finalize=_say, optimized=False)
_SANDBOX.filters = dict(FILTERS)
_SANDBOX.globals = dict(FUNCTIONS)
_SANDBOX.tests = {name: test for name, test in _SANDBOX.tests.items() if name in TESTS}


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled template. ``from_json``: it looks into the message's JSON."""

    template: JinjaTemplate
    from_json: bool
    factor: float = 1.0

    def find(self, payload: str) -> str | None:
        """Return what the template makes of a message: None where that lacks what it needs,
        "unknown" where what it needs is.

        Raises:
            InvalidInputError: JSON is expected, and it is none; or the template cannot be worked
                out with it.

        Invariants: one evaluation takes time proportional to the message, and its answer has
            ``LONGEST_TEXT`` characters at most.
        """
        variables = {
            "value": payload,
            "value_json": decode_json(payload) if self.from_json else None,
        }
        try:
            return "".join(
                _within(self.template.root_render_func(self.template.new_context(variables)))
            ).strip()
        except UndefinedError:
            return None
        except (_UnknownValueError, ArithmeticError):
            return "unknown"
        except (TypeError, ValueError, RecursionError, TemplateError) as exc:
            raise InvalidInputError(
                f"is a message that its value template cannot be worked out with: {exc}",
                value=payload[:80],
            ) from exc


def _within(pieces: Iterator[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LONGEST_TEXT:
            raise InvalidInputError("is longer than any value", value=piece[:80])
        yield piece


@lru_cache(maxsize=MOST_CACHED)
def compile_expression(text: str) -> Expression:
    """Return the template that ``text`` is.

    Raises:
        InvalidInputError: it is too long, no Jinja, or uses what is not understood.
    """
    if len(text) > LONGEST_TEMPLATE:
        _refuse(f"has more than {LONGEST_TEMPLATE} characters", text)
    try:
        tree = _SANDBOX.parse(text)
        _Review(text).check(tree)
        return Expression(
            _SANDBOX.from_string(_Simplify().visit(tree)),
            any(name.name == "value_json" for name in tree.find_all(nodes.Name)),
        )
    except (TemplateError, RecursionError, SyntaxError, ValueError, OverflowError) as exc:
        _refuse(str(exc).partition("\n")[0][:LONGEST_TEXT], text)


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
# Of these the message is the only one that may hold many: lists of lists could be compared for
# ever.
_COLLECTIONS = (nodes.List, nodes.Tuple, nodes.Dict)


class _Review:
    """Refuses a template that uses anything but what is listed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._count = 0
        self._names = {"value", "value_json"}

    def check(self, tree: nodes.Template) -> None:
        """Return if all parts of a template are understood.

        Raises:
            InvalidInputError: names the first that is not.
        """
        assigned = {
            node.target.name
            for node in tree.find_all(nodes.Assign)
            if isinstance(node.target, nodes.Name)
        }
        if assigned & (self._names | set(FUNCTIONS)):
            self._refuse(f"sets {min(assigned & (self._names | set(FUNCTIONS)))}")
        self._names |= assigned
        self._check(tree, depth=0)
        if not {"value", "value_json"} & {node.name for node in tree.find_all(nodes.Name)}:
            self._refuse("it does not look at the message")

    def _refuse(self, why: str) -> NoReturn:
        _refuse(why, self._text)

    def _check(self, node: nodes.Node, *, depth: int) -> None:
        self._count += 1
        if self._count > MOST_NODES or depth > DEEPEST:
            self._refuse("it has too many parts")
        if (
            isinstance(node, nodes.Const)
            and isinstance(node.value, float)
            and not math.isfinite(node.value)
        ):
            self._refuse("a number beyond all numbers")
        if isinstance(node, nodes.Name):
            if node.name not in self._names | set(FUNCTIONS):
                self._refuse(f"{node.name} is not known")
        elif isinstance(node, nodes.Filter | nodes.Test | nodes.Call):
            self._check_application(node)
        elif isinstance(node, _COLLECTIONS):
            if any(isinstance(child, _COLLECTIONS) for child in node.find_all(_COLLECTIONS)):
                self._refuse("lists in lists")
        elif not isinstance(node, _PLAIN):
            self._refuse(f"{type(node).__name__.lower()} is not known")
        for child in node.iter_child_nodes():
            self._check_place(node, child)
            self._check(child, depth=depth + 1)

    def _check_application(self, node: nodes.Filter | nodes.Test | nodes.Call) -> None:
        allowed: Mapping[str, object] | frozenset[str] = (
            TESTS if isinstance(node, nodes.Test) else FILTERS
        )
        called = (
            node.node.name
            if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name)
            else getattr(node, "name", "a method")
        )
        if called not in (FUNCTIONS if isinstance(node, nodes.Call) else allowed):
            self._refuse(f"{called} is not known")
        if (
            node.dyn_args is not None
            or node.dyn_kwargs is not None
            or (isinstance(node, nodes.Filter) and node.node is None)
        ):
            self._refuse(f"{called} is not given its values one by one")

    def _check_place(self, node: nodes.Node, child: nodes.Node) -> None:
        """Refuse lists anywhere but where they are looked into at once, and looking into what is no
        JSON.
        """
        looked_into = (isinstance(node, nodes.Filter) and node.node is child) or isinstance(
            node, nodes.Operand | nodes.Call
        )
        looked_into |= isinstance(node, nodes.Getitem) and node.node is child
        if isinstance(child, _COLLECTIONS) and not looked_into:
            self._refuse("a list is no value")
        into = isinstance(node, nodes.Getattr | nodes.Getitem) and node.node is child
        if into and (
            isinstance(child, nodes.Const)
            or (isinstance(child, nodes.Name) and child.name == "value")
        ):
            self._refuse("a text is not looked into; value_json is")
        function = (
            isinstance(child, nodes.Name)
            and child.name in FUNCTIONS
            and not (isinstance(node, nodes.Call) and node.node is child)
        )
        if function:
            self._refuse("a function is no value")


class _Simplify(NodeTransformer):
    """Takes out what only makes a value look good: fallbacks for what a message lacks, and, at the
    end of an answer, digits that are left off.
    """

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802 - Jinja's names
        self.generic_visit(node)
        constant = node.name in {"d", "default"} and all(
            isinstance(argument, nodes.Const)
            for argument in (*node.args, *(each.value for each in node.kwargs))
        )
        return node.node if constant and node.node is not None else node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.nodes = [_without_precision(each) for each in node.nodes]
        return node


def _without_precision(node: nodes.Expr) -> nodes.Expr:
    while isinstance(node, nodes.Filter) and node.name in _PRECISION and node.node is not None:
        node = node.node
    return node
