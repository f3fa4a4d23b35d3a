"""``writing_errors(path)`` surrounds lines that write ``path``, and nothing that a caller does."""

from __future__ import annotations

import ast
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[2] / "WDualMine" / "WDualMineLib"
# Takes no part in writing: what one of them does wrong is no matter of the disk.
_NO_WRITING = ("read", "draw", "fuse", "register", "load")


def faults_in(source: str) -> list[str]:
    found = []
    for block in ast.walk(ast.parse(source)):
        if not isinstance(block, ast.With) or not any(_is_guard(item) for item in block.items):
            continue
        for node in (inner for line in block.body for inner in ast.walk(line)):
            if isinstance(node, (ast.Yield, ast.YieldFrom)):
                found.append(f"line {node.lineno}: yields within writing_errors")
            elif isinstance(node, ast.Call) and _name(node.func).startswith(_NO_WRITING):
                found.append(f"line {node.lineno}: {_name(node.func)} within writing_errors")
    return found


def _is_guard(item: ast.withitem) -> bool:
    call = item.context_expr
    return isinstance(call, ast.Call) and _name(call.func) == "writing_errors"


def _name(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", "")).lstrip("_")


def test_only_writing_is_guarded():
    faults = {
        str(path.relative_to(LIBRARY)): faults
        for path in LIBRARY.rglob("*.py")
        if (faults := faults_in(path.read_text(encoding="utf-8")))
    }
    assert not faults


def test_the_test_sees_both_kinds():
    guarded = "def f():\n    with writing_errors(p){}:\n        {}\n"
    assert faults_in(guarded.format(", open(p) as o", "yield o"))
    assert faults_in(guarded.format("", "write(read_volume(a), p)"))
    assert not faults_in(guarded.format("", "write(a, p)"))
