"""The mutants of a module: each differs from it in one small place that a test should notice."""

import ast
import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any, Final

Change = Callable[[Any], None]
"""What is done to a node, in place."""
SWAPS: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    module: str
    line: int
    what: str
    source: str
    """The whole module, changed."""


def as_it_is(path: Path) -> Mutant:
    """The module in `path`, which is relative to the working directory, with no change at all."""
    return Mutant(".".join(path.with_suffix("").parts), 0, "unchanged", path.read_text(encoding="utf-8"))


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of that module."""
    original = as_it_is(path)
    name, source = original.module, original.source
    module = importlib.import_module(name)
    for index, node in enumerate(ast.walk(ast.parse(source))):
        for what, change in changes(node, module):
            tree = ast.parse(source)
            # A fresh tree is walked in the same order, so the same place is found by its number.
            change(next(found for number, found in enumerate(ast.walk(tree)) if number == index))
            ast.fix_missing_locations(tree)
            yield Mutant(name, getattr(node, "lineno", 0), what, ast.unparse(tree))


def changes(node: ast.AST, module: ModuleType) -> Iterator[tuple[str, Change]]:
    """What can be changed at `node` itself: a few words for people, and how."""
    yield from of_conditions(node)
    yield from of_values(node, module)
    yield from of_what_is_done(node)


def of_conditions(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in SWAPS:
            yield f"{ast.unparse(node)}: other comparison", swap_comparison
        case ast.BoolOp() | ast.BinOp() if type(node.op) in SWAPS:
            yield f"{ast.unparse(node)}: other operator", swap_operator
        case ast.UnaryOp(op=ast.Not()):
            yield f"{ast.unparse(node)}: without not", negate
        case ast.match_case(guard=ast.expr() as guard):
            yield f"case … if {ast.unparse(guard)}: without the guard", put("guard", None)
        case ast.If(test=test):
            yield f"if {ast.unparse(test)}: never", put("test", ast.Constant(False))
            yield f"if {ast.unparse(test)}: always", put("test", ast.Constant(True))


def of_values(node: ast.AST, module: ModuleType) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Constant(value=bool() as value):
            yield f"{value}: the other", put("value", not value)
        case ast.Constant(value=int() | float() as value):
            yield f"{value} + 1", put("value", value + 1)
            yield f"{value} - 1", put("value", value - 1)
        case ast.Attribute(value=ast.Name(id=name), attr=member):
            for other in others(getattr(module, name, None), member):
                yield f"{name}.{member}: {other}", put("attr", other)


def of_what_is_done(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.FunctionDef(body=body):
            for number, statement in enumerate(body):
                if isinstance(statement, (ast.Assign, ast.AugAssign, ast.Delete)) or is_call(statement):
                    yield f"without {ast.unparse(statement)}", drop("body", number, ast.Pass())
        case ast.List(elts=elements) if isinstance(node.ctx, ast.Load):
            for number, element in enumerate(elements):
                yield f"a list without {ast.unparse(element)}", drop("elts", number)
        case ast.Call(args=arguments):
            for number, argument in enumerate(arguments):
                if isinstance(argument, ast.Starred):
                    yield f"a call without {ast.unparse(argument)}", drop("args", number)


def others(kind: object, member: str) -> list[str]:
    """The next member of the same enumeration, if it is one."""
    names = list(kind.__members__) if isinstance(kind, type) and issubclass(kind, Enum) else []
    return [names[(names.index(member) + 1) % len(names)]] if member in names else []


def is_call(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)


def swap_comparison(found: ast.Compare) -> None:
    found.ops = [SWAPS[type(found.ops[0])]()]  # type: ignore[list-item]


def swap_operator(found: ast.BoolOp | ast.BinOp) -> None:
    found.op = SWAPS[type(found.op)]()  # type: ignore[assignment]


def negate(found: ast.UnaryOp) -> None:
    # Twice not is the same truth as none.
    found.operand = ast.UnaryOp(ast.Not(), found.operand)


def put(field: str, value: object) -> Change:
    return lambda found: setattr(found, field, value)


def drop(field: str, number: int, *instead: ast.stmt) -> Change:
    def change(found: ast.AST) -> None:
        getattr(found, field)[number : number + 1] = instead

    return change
