"""What is wrong is said in the language of whoever reads it."""

import re

import pytest

from services.kit.chinese import CATALOGUE, chinese
from services.kit.languages import voice


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
    said = CATALOGUE[key].format(*values) if values else CATALOGUE[key]
    assert chinese(key.format(*values) if values else key) == said
    assert re.search("[一-鿿]", CATALOGUE[key])


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("zh-Hans", "zh"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("de,zh;q=0.5", "zh"), ("en-GB,zh;q=0.5", "en"),
        ("zh;q=0.1,en", "en"), ("en", "en"), ("*", "en"), ("", "en"), (None, "en"), ("zh;q=x", "en"), ("zh;q=0", "en"),
        ("zha", "en"), ("pt", "en"),
    ],
)  # fmt: skip
def test_a_reader_is_spoken_to_in_the_language_that_is_asked_for(asked: str | None, language: str) -> None:
    assert (voice(asked)("is empty") == "是空的") == (language == "zh")
