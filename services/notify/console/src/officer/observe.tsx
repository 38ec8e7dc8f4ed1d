// Observing an indicator: a value by its kind, and the day or the days that it is of.

import { measured, today } from "../lib/format"
import { session } from "../lib/session"
import { name, t } from "../lib/words"
import { begin, save, submit } from "./reports"
import { changed, type Project, type Report } from "./state"
import { sync } from "./sync"

const SPLITS = ["women", "aged_60_plus", "disabled", "children"]
let faults: Record<string, string> = {}

export function Observe({ project, code }: { project: Project; code: string }) {
  const indicator = project.indicators.find((one) => one.code === code)
  if (!indicator) return <p>{t("problem.404")}</p>
  const draft = begin(session()!.sub, project, null, code)
  const put = (changes: Partial<Report>) => void save({ ...draft, ...changes })
  const send = async (event: Event) => {
    event.preventDefault()
    const told = understood(draft, indicator.kind)
    faults = told.faults
    if (Object.keys(faults).length) return changed()
    await submit({ ...draft, ...told, until: draft.until || today() })
    location.hash = "/sending"
    void sync()
  }
  const figure = (id: string, label: string) => (
    <div class={faults[id] ? "field wrong" : "field"}>
      <label for={id}>{label}</label>
      {faults[id] && <p class="fault" id={`${id}-fault`} role="alert">{faults[id]}</p>}
      <input id={id} inputMode="decimal" autocomplete="off" aria-describedby={faults[id] ? `${id}-fault` : undefined} value={draft.typed[id] ?? ""} onInput={(event) => put({ typed: { ...draft.typed, [id]: event.currentTarget.value } })} />
    </div>
  )
  return (
    <>
      <p><a href={`#/project/${project.id}`}>← {t("officer.back")}</a></p>
      <p class="quiet">{name(project.title)}</p>
      <h1>{t(`indicator.${code}`)}</h1>
      <p class="quiet">{t("officer.now")} {measured(indicator.actual, indicator.unit)} · {t("officer.of-target", { target: measured(indicator.target, indicator.unit) })}</p>
      <p>{t(`officer.kind.${indicator.kind}`)}</p>
      <form onSubmit={send} noValidate>
        {indicator.kind === "yes-no" ? (
          <fieldset class={faults.value ? "field wrong" : "field"}>
            <legend>{t("officer.value")}</legend>
            {faults.value && <p class="fault" role="alert">{faults.value}</p>}
            {[true, false].map((one) => <label key={String(one)}><input type="radio" name="value" checked={draft.value === one} onChange={() => put({ value: one })} />{t(one ? "yes" : "no")}</label>)}
          </fieldset>
        ) : indicator.kind === "ratio" ? (
          <>
            {figure("value", t("officer.numerator"))}
            {figure("denominator", t("officer.denominator"))}
          </>
        ) : figure("value", t("officer.value-in", { unit: t(`unit.${indicator.unit}`) }))}
        {indicator.kind === "flow" && (
          <div class="field">
            <label for="from">{t("officer.from")}</label>
            <input id="from" type="date" max={today()} value={draft.from || draft.until || today()} onInput={(event) => put({ from: event.currentTarget.value })} />
          </div>
        )}
        <div class={faults.until ? "field wrong" : "field"}>
          <label for="until">{t(indicator.kind === "flow" ? "officer.until" : "officer.on-day")}</label>
          {faults.until && <p class="fault" role="alert">{faults.until}</p>}
          <input id="until" type="date" max={today()} value={draft.until || today()} onInput={(event) => put({ until: event.currentTarget.value })} />
        </div>
        {indicator.kind !== "yes-no" && indicator.kind !== "ratio" && (
          <details>
            <summary>{t("officer.splits")}</summary>
            <p class="hint">{t("officer.splits.hint")}</p>
            {SPLITS.map((split) => figure(split, t(`officer.split.${split}`)))}
          </details>
        )}
        <p class="actions"><button>{t(navigator.onLine ? "officer.send" : "officer.send-later")}</button></p>
      </form>
    </>
  )
}

/** A number as people write it, also with full-width digits; null where there is none. */
function read(text: string): number | null {
  const plain = text.normalize("NFKC").replace(/[,\s]/g, "")
  return plain === "" || !Number.isFinite(Number(plain)) ? null : Number(plain)
}

/** What the typed fields come to, or what is wrong with them. */
function understood({ typed, value, from, until }: Report, kind: string): Pick<Report, "value" | "splits"> & { faults: Record<string, string> } {
  const faults: Record<string, string> = {}
  const figure = (id: string): number | null => {
    const found = read(typed[id] ?? "")
    if (found === null) faults[id] = t("officer.fault.number")
    return found
  }
  const splits: Record<string, number> = {}
  for (const split of SPLITS) if (typed[split]) splits[split] = figure(split)!
  if (kind === "yes-no") {
    if (value === null) faults.value = t("officer.fault.choose")
  } else {
    value = figure("value")
    if (kind === "ratio") {
      value = { numerator: value, denominator: figure("denominator") }
      if (read(typed.denominator ?? "") === 0) faults.denominator = t("officer.fault.positive")
    }
  }
  if (from && from > (until || today())) faults.until = t("officer.fault.days")
  return { value, splits, faults }
}
