"""What is wrong is said in the language of whoever reads it: no sentence without its Chinese."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from services.kit.chinese import CATALOGUE

SERVICES = Path(__file__).parents[2] / "services"
# Calls that name a fault, and which of their arguments people read.
CALLS = {"Bad": (1, 2), "blame": (2, 3), "FileUnreadable": (0,), "_blamed": (2,), "ValueError": (0,)}
# ValueErrors of these are faults of a field; elsewhere they are of settings or of ourselves.
FORMS = re.compile(r"/api/|outgoing/(addresses|mail)|kit/(forms|http|idempotency)|credit_code")


def templates(node: ast.expr) -> Iterator[str]:
    """Sentences that are written out, with `{}` where a value stands."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr():
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        case ast.IfExp():
            yield from [*templates(node.body), *templates(node.orelse)]


def faults(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in CALLS:
                if name != "ValueError" or FORMS.search(str(path)):
                    for place in CALLS[name]:
                        yield from (text for argument in node.args[place : place + 1] for text in templates(argument))
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if key and any(text.startswith("/") for text in templates(key)):
                        yield from templates(value)
            case ast.Tuple(elts=[ast.Constant(value=str(code)), sentence]) if re.fullmatch("[a-z]+(-[a-z]+)+", code):
                yield from templates(sentence)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="faults"))]):
                yield from templates(node.value)
            case ast.FunctionDef(name=name) if name.endswith("_fault"):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Return) and inner.value:
                        yield from templates(inner.value)


def test_each_fault_that_a_service_names_is_said_in_chinese() -> None:
    found = {
        (str(path.relative_to(SERVICES)), text)
        for path in SERVICES.rglob("*.py")
        for text in faults(path)
        if " " in text and re.search("[a-z]{2}", text)
    }
    assert len(found) > 100
    missing = sorted((path, text) for path, text in found if text not in CATALOGUE)
    assert missing == [], "add them to services/kit/data/chinese.json"
