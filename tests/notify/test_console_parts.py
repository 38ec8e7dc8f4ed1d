"""Parts of the console without a browser: how figures and reasons are written, and what an officer's queue does."""

import json
import subprocess
from typing import Any

import pytest

from tests.notify.test_console_build import CONSOLE, PARTS, words

# What stands around a part in a browser, as far as these parts need it.
AROUND = """
globalThis.localStorage = { getItem: () => LANGUAGE, setItem() {} }
globalThis.document = { documentElement: {} }
globalThis.window = globalThis
globalThis.addEventListener = () => {}
globalThis.fetch = async () => ({ json: async () => SAID })
"""
BUNDLE = """
import { build } from "esbuild"
import { readFileSync } from "node:fs"
const { contents, banner, define } = JSON.parse(readFileSync(0, "utf8"))
const stdin = { contents, resolveDir: "src", loader: "ts" }
const made = await build({ stdin, bundle: true, write: false, format: "esm", banner: { js: banner }, define })
await import("data:text/javascript;base64," + Buffer.from(made.outputFiles[0].contents).toString("base64"))
"""


def run(script: str, language: str = "zh") -> Any:
    """What a script of TypeScript prints as JSON; it may import what is below src."""
    said: dict[str, str] = {}
    for part in PARTS:
        said |= words(language, part)
    banner = f"const LANGUAGE = {json.dumps(language)}, SAID = {json.dumps(said)}\n{AROUND}"
    define = {"WORDS": json.dumps({"zh": "zh", "en": "en"})}
    begin = 'import { learn } from "./lib/words"\n'
    told = {"contents": begin + script, "banner": banner, "define": define}
    node = ["node", "--input-type=module", "-e", BUNDLE]
    done = subprocess.run(node, cwd=CONSOLE, input=json.dumps(told), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


FIGURES = """
import { measured, money } from "./lib/format"
await learn()
const of = (amount: string, currency = "CNY") => money({ amount, currency })
console.log(JSON.stringify([
  of("4200000.00"), of("123456789.00"), of("-20000.00"), of("9999.50"), of("2500000.00", "USD"), of("12.00", "USD"),
  measured(1200000, "people"), measured(12345, "households"), measured(2500000, "CNY"), measured(98.5, "%"),
  measured(0, "people"), measured(null, "people"),
]))
"""


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "zh",
            [
                "420 万元", "1.23 亿元", "-2 万元", "9,999.5 元", "250 万 USD", "12 USD",
                "120 万人", "12,345 户", "250 万元", "98.5%", "0 人", "未填报",
            ],
        ),
        (
            "en",
            [
                "CNY 4,200,000", "CNY 123,456,789", "-CNY 20,000", "CNY 9,999.50", "USD 2,500,000", "USD 12",
                "1,200,000 people", "12,345 households", "CNY 2,500,000", "98.5%", "0 people", "no entry",
            ],
        ),
    ],
)  # fmt: skip
def test_figures_are_written_as_their_readers_write_them(language: str, told: list[str]) -> None:
    said = [text.replace("\u00a0", " ") for text in run(FIGURES, language)]
    assert said == told


REASONS = """
import { because } from "./lib/programme"
await learn()
console.log(JSON.stringify([
  "A newer round was completed.", "milestone-late, target-missed",
  "trainees = 12000, observed in project 0192aaaa-0000-7000-8000-000000000000",
  "The pins cannot hold: there are 2 pins on 0192aaaa-0000-7000-8000-000000000000", "到现场看过: 路不通", "",
].map(because)))
"""


def test_a_reason_of_a_service_is_told_in_the_readers_words_and_one_of_a_person_in_theirs() -> None:
    zh = words("zh", "console.json")
    late, missed = zh["reason.milestone-late"], zh["reason.target-missed"]
    assert run(REASONS) == [
        "已有更新的一轮。",
        f"{late}、{missed}",
        "培训人数 12,000",
        zh["reason.The pins cannot hold"],
        "到现场看过: 路不通",
        "",
    ]


REFUSED = """
import { Problem } from "./lib/http"
await learn()
const rules = [["commitment-valid", true], ["open-slots", false], ["open-shares", false]]
const whole = { rules: rules.map(([rule, met]) => ({ rule, met })) }
console.log(JSON.stringify(new Problem(409, "pin-cannot-hold", "", {}, null, whole).sentence))
"""


def test_a_refusal_names_each_condition_that_is_not_met_in_the_readers_words() -> None:
    en = words("en", "problems.json")
    told = " ".join(en[key] for key in ("problem.pin-cannot-hold", "unmet.open-slots", "unmet.open-shares"))
    assert run(REFUSED, "en") == told


QUEUE = """
import { begin, readReports, save, submit } from "./officer/reports"
import { state } from "./officer/state"
await learn()
const project = { id: "p", milestones: [{ no: 1, version: 3 }] } as any
state.kept = { projects: [project] } as any
const noted = (id: string, noted_at: string) => {
  const photos = { photos: [`${id}-photo`], photos_id: `${id}-photos` }
  return { ...begin("li", project, 1, null), id, noted_at, ...photos }
}
await submit(noted("first", "2026-11-25T01:00:00.000Z"))
await submit(noted("second", "2026-11-25T02:00:00.000Z"))
const [first, second] = state.reports
await save({ ...first!, state: "needs" })
await submit(state.reports[0]!)
const [mended] = state.reports
await readReports()
const told = { second: second!.after, mended: mended!.after, kept: state.reports.length, lost: state.lost }
console.log(JSON.stringify(told))
"""


def test_a_report_that_is_mended_builds_on_none_that_was_noted_after_it_and_stays_where_nothing_can_be_kept() -> None:
    """Two that build on one another would wait for each other; and here there is no IndexedDB."""
    assert run(QUEUE) == {"second": "first-photos", "mended": None, "kept": 2, "lost": True}
