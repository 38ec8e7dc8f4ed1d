"""What is wrong is said in the language of whoever reads it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.kit.chinese import CATALOGUE, chinese, voice

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
    assert sorted((path, text) for path, text in found if text not in CATALOGUE) == []


def test_a_sentence_keeps_its_values() -> None:
    assert chinese("no county is called '梦县'") == "没有叫 '梦县' 的县"
    assert chinese("2026-01-01 is before 2026-02-01") == "2026-01-01 早于 2026-02-01"
    assert chinese("12 of 40 rows are wrong, so none was stored; ?partial=true stores the others").startswith(
        "40 行中有 12 行"
    )
    assert chinese("this is a sum and no entry") == "这是合计，不是一条记录"
    assert chinese("Field required; is before valid_from") == "必须填写；早于开始日期"
    assert chinese("value says 元; unit column says 万元") == "数值里写的是 元；单位列里写的是 万元"
    assert chinese("'a{0}b' is not a day") == "'a{0}b' 不是日期"
    assert chinese("what nobody has translated") == "what nobody has translated"


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_translation_names_no_value_that_is_not_there(key: str) -> None:
    values = [str(no) for no in range(key.count("{}"))]
    assert (
        chinese(key.format(*values) if values else key) == CATALOGUE[key].format(*values) if values else CATALOGUE[key]
    )
    assert re.search("[一-鿿]", CATALOGUE[key])


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("zh-Hans", "zh"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("de,zh;q=0.5", "zh"), ("en-GB,zh;q=0.5", "en"),
        ("zh;q=0.1,en", "en"), ("en", "en"), ("*", "en"), ("", "en"), (None, "en"), ("zh;q=x", "en"), ("zh;q=0", "en"),
    ],
)  # fmt: skip
def test_a_reader_is_spoken_to_in_the_language_that_is_asked_for(asked: str | None, language: str) -> None:
    assert (voice(asked)("is empty") == "是空的") == (language == "zh")
