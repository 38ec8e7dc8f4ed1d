"""Every event type has its words in both languages, in the reader's forms of numbers and days."""

import re
from pathlib import Path

import orjson
import pytest

from schemas.catalogue import EVENTS
from schemas.topics import SERVICES
from services.kit.languages import SPOKEN
from services.kit.tokens import ROLES
from services.notify.streams.outgoing.words import CATALOGUE, TERMS, Names, Voice, digest, notice
from tests.notify import builders as b

SAMPLES = sorted((Path(__file__).parents[2] / "schemas/samples").glob("*.json"))
CONSOLE_WORDS = Path(__file__).parents[2] / "services/notify/console/src/words"
NAMES = Names(county={"zh": "务川"}, partner={"zh": "某企业", "en": "A company"}, project={"zh": "村村通光纤"})


def test_every_event_type_and_role_has_words_in_every_language() -> None:
    assert set(CATALOGUE["events"]) == set(EVENTS)
    assert set(CATALOGUE["roles"]) == set(ROLES)
    assert SERVICES
    for key, words in CATALOGUE.items():
        for one in words.values() if key in ("events", "roles", "categories") else [words]:
            assert set(one) == set(SPOKEN)
            zh, en = (set(re.findall(r"{(\w+)}", one[lang])) for lang in SPOKEN)
            assert zh == en


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("lang", SPOKEN)
def test_each_sample_of_an_event_is_told_in_a_whole_sentence(sample: Path, lang: str) -> None:
    envelope = orjson.loads(sample.read_bytes())
    told = Voice.of(lang, "Asia/Shanghai").tell(envelope, NAMES)
    assert told != CATALOGUE["unknown"][lang].format(type=envelope["type"])
    assert not re.search(r"[{}]|None", told)


@pytest.mark.parametrize(
    ("tag", "language", "locale"),
    [
        ("zh-CN", "zh", "zh_Hans_CN"), ("zh-Hans-CN", "zh", "zh_Hans_CN"), ("zh", "zh", "zh"), ("en", "en", "en"),
        ("en-GB", "en", "en_GB"), ("EN_us", "en", "en_US"), ("xx", "zh", "zh"), ("it-IT", "zh", "zh"),
        ("pt-BR", "zh", "zh"), ("q", "zh", "zh"), ("tlh", "zh", "zh"),
    ],
)  # fmt: skip
def test_a_reader_gets_the_nearest_language_or_the_default(tag: str, language: str, locale: str) -> None:
    voice = Voice.of(tag, "Asia/Shanghai")
    assert (voice.lang, str(voice.locale)) == (language, locale)


def test_days_times_and_amounts_are_in_the_readers_form_and_zone() -> None:
    spent = b.envelope(b.spent(amount="1234567.50"))
    gb, zh = Voice.of("en-GB", "Europe/London"), Voice.of("zh-CN", "Asia/Shanghai")
    assert "CN¥1,234,567.50" in gb.tell(spent, NAMES)
    assert "¥1,234,567.50" in zh.tell(spent, NAMES)
    assert gb.when(spent) == "When: 4 Mar 2026, 01:00:00 (Europe/London)"
    assert zh.when(spent) == "时间：2026年3月4日 09:00:00（Asia/Shanghai）"


def test_a_report_after_the_verification_says_that_it_has_to_be_verified_anew() -> None:
    first, again = (b.envelope(b.reported(reopened=reopened)) for reopened in (False, True))
    for lang, words in (("zh", "需重新核实"), ("en", "has to be verified anew")):
        voice = Voice.of(lang, "Asia/Shanghai")
        assert words not in voice.tell(first, NAMES)
        assert words in voice.tell(again, NAMES)


def test_an_event_of_a_later_version_is_told_by_its_type_and_holds_up_nobody() -> None:
    voice = Voice.of("en", "UTC")
    assert voice.tell({"type": "jiedui.unheard.of", "data": {}}, Names()) == "jiedui.unheard.of happened"
    assert voice.tell({"type": "jiedui.fund.spent", "data": {"amount": 7}}, Names()) == "jiedui.fund.spent happened"


def test_what_people_wrote_is_text_in_html_and_no_header() -> None:
    event = b.cancelled()
    raw = b.envelope(event)
    raw["data"]["reason"] = "<script>alert(1)</script>\r\nBcc: all@example.org"
    message = notice(Voice.of("en", "UTC"), raw, NAMES, ["officer"])
    assert "<script>" not in message.html
    assert "\n" not in message.subject
    assert "&lt;script&gt;" in digest(Voice.of("en", "UTC"), [message]).html


def test_a_digest_says_how_much_it_leaves_out() -> None:
    message = notice(Voice.of("en", "UTC"), b.envelope(b.listed()), NAMES, [])
    assert "And 1,300 more" in digest(Voice.of("en", "UTC"), [message] * 1500).text


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        ("A newer round was completed.", "已有更新的一轮。", "A newer round was completed."),
        ("milestone-late, sharp-fall", "里程碑逾期、骤降", "a milestone is late and a sharp fall"),
        ("trainees = 12000, observed in project 0192aaaa-0000-7000-8000-000000000000", "培训人数 12,000",
         "People trained 12,000"),
        ("The pins cannot hold: there are 2 pins on one slot", "有的指定不可能实现", "The pins cannot hold"),
        ("到现场看过: 路不通", "到现场看过: 路不通", "到现场看过: 路不通"),
    ],
)  # fmt: skip
def test_what_a_service_says_of_itself_is_in_the_readers_words_and_what_a_person_wrote_as_it_is(
    reason: str, zh: str, en: str
) -> None:
    assert [Voice.of(lang, "Asia/Shanghai").reason(reason) for lang in ("zh", "en")] == [zh, en]


def test_an_observation_is_told_by_the_names_of_its_indicator_and_unit() -> None:
    seen = b.envelope(b.observed("2026-03"))
    assert Voice.of("zh", "Asia/Shanghai").tell(seen, NAMES).endswith("指标 培训人数 有新观测值：12 人")


def test_codes_mean_the_same_in_notices_and_in_the_console() -> None:
    for lang in SPOKEN:
        said: dict[str, str] = {}
        for part in ("console", "programme"):
            said |= orjson.loads((CONSOLE_WORDS / lang / f"{part}.json").read_bytes())
        for kind, begins in (("reasons", "reason."), ("indicators", "indicator."), ("units", "unit.")):
            told = {begins + code: words[lang] for code, words in TERMS[kind].items()}
            assert told == {key: word for key, word in said.items() if key.startswith(begins)}
