"""Rewrites a module of ``acd`` for mypyc: the same code on the same lines, in words that the compiler can make the most of.

* A value class gets its ``__init__`` spelled out, on the empty line below the class. A method that mypyc can read becomes C; the
  one that ``dataclass`` makes up at run time stays Python, and making values is half of what a decision costs.
* A name for a kind of tuple no longer says what is in it. mypyc unpacks what it knows, and packs it again for each list and each
  comparison: a place in line was made eleven times in one decision.
* Constants become ``Final``, numbers aside: those are read from a variable of C, others from the module's dictionary. Numbers stay
  as they are, for tests set some of them.

Nothing else is touched, so a traceback names the lines of the source. Called by ``tools.compiled``.
"""

import ast
import re

IMPORTS = "from dataclasses import dataclass; from typing import Any, Final"
VALUES = {"record": "dataclass(slots=True, unsafe_hash=True)", "dataclass(slots=True)": "dataclass(slots=True)"}
"""Decorators of value classes, and what each comes to in words that mypyc knows (see ``acd.record``)."""

CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")


def rewritten(source: str) -> str:
    """The module as mypyc is to see it."""
    lines, tree = source.split("\n"), ast.parse(source)
    docstring = tree.body[0]
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            _spell_out(node, lines)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            _finalise(node, lines)
            _close(node, lines)
    lines[_end(docstring) - 1] += f"; {IMPORTS}"
    return "\n".join(lines)


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


# ---------------------------------------------------------------- value classes


def _spell_out(node: ast.ClassDef, lines: list[str]) -> None:
    """Write down the ``__init__`` that the decorator would make."""
    kinds = [VALUES.get(ast.unparse(one)) for one in node.decorator_list]
    fields = [one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
    if len(kinds) != 1 or kinds[0] is None or not fields:
        return
    if any(isinstance(one, ast.FunctionDef) and one.name == "__init__" for one in node.body):
        return
    parameters, sets = zip(*map(_field, fields), strict=True)
    below = _end(node)
    if lines[below : below + 1] not in ([], [""]):
        raise ValueError(f"there is no empty line below {node.name}")
    lines[below : below + 1] = [f"    def __init__(self, {', '.join(parameters)}) -> None: {'; '.join(sets)}"]
    lines[node.decorator_list[0].lineno - 1] = f"@{kinds[0]}"


def _field(node: ast.AnnAssign) -> tuple[str, str]:
    """One field as a parameter, and what it sets."""
    name, kind, default = ast.unparse(node.target), ast.unparse(node.annotation), node.value
    if isinstance(default, ast.Call) and ast.unparse(default.func) == "field":
        (factory,) = (one.value for one in default.keywords if one.arg == "default_factory")
        bare = kind.replace("'", "")  # quoted as a whole, it needs no quotes within
        made = f"{name} if {name} is not None else ({ast.unparse(factory)})()"
        return f"{name}: '{bare} | None' = None", f"self.{name} = {made}"
    return f"{name}: {kind}" + (f" = {ast.unparse(default)}" if default is not None else ""), f"self.{name} = {name}"


# ---------------------------------------------------------------- tuples


def _close(node: ast.Assign | ast.AnnAssign, lines: list[str]) -> None:
    """``Place = tuple[float, CallId]`` becomes ``Place = tuple[Any, ...]``."""
    kind = node.value
    if isinstance(node, ast.Assign) and isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "tuple":
        lines[node.lineno - 1] = f"{ast.unparse(node.targets[0])} = tuple[Any, ...]"


# ---------------------------------------------------------------- constants


def _finalise(node: ast.Assign | ast.AnnAssign, lines: list[str]) -> None:
    """``A, B = a, b`` becomes ``A: Final = a; B: Final = b``, and ``A: kind = a`` becomes ``A: Final[kind] = a``."""
    target, line = (node.targets[0] if isinstance(node, ast.Assign) else node.target), node.lineno - 1
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    values = node.value.elts if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) else [node.value]
    plain = not any(value is None or isinstance(value, ast.Constant | ast.BinOp) for value in values)
    if not plain or not all(isinstance(name, ast.Name) and CONSTANT.fullmatch(name.id) for name in names):
        return
    if isinstance(node, ast.AnnAssign):
        kind = lines[line][node.annotation.col_offset : node.annotation.end_col_offset]
        lines[line] = lines[line].replace(f": {kind} =", f": Final[{kind}] =", 1)
    elif len(names) == 1:
        lines[line] = lines[line].replace(" =", ": Final =", 1)
    else:
        pairs = zip(names, values, strict=True)
        lines[line] = "; ".join(f"{ast.unparse(name)}: Final = {ast.unparse(value or name)}" for name, value in pairs)
