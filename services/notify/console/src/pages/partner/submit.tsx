// A new commitment, one thing a page, all of it once more before it is sent. What was typed stays until it was taken.

import { useState } from "preact/hooks"
import type { PageProps } from ".."
import { onDay, today } from "../../lib/format"
import { post, type Problem } from "../../lib/http"
import { worth, type Commitment } from "../../lib/programme"
import { go, href } from "../../lib/router"
import { language, name, t } from "../../lib/words"
import { Faults, Field, useDraft } from "../../ui/form"
import { asProblem, Refusal } from "../../ui/load"
import { useNames } from "../../ui/names"

type Fields = { category: string; zh: string; en: string; kind: string; amount: string; unit: string; projects_max: string; valid_from: string; valid_until: string; only: string; key: string }
const CATEGORIES = ["coverage", "produce-sales", "education", "ecommerce-training", "smart-travel"]
const KINDS = ["money", "purchase", "goods", "service", "training"]
const STEPS: Record<string, (keyof Fields)[]> = { what: ["category", "zh", "en"], support: ["kind", "amount", "unit"], share: ["projects_max", "only"], days: ["valid_from", "valid_until"], check: [] }
const NAMES = Object.keys(STEPS)
const FIELDS: Record<string, keyof Fields> = { "/category": "category", "/title/zh": "zh", "/title/en": "en", "/support/amount": "amount", "/support/quantity": "amount", "/support/unit": "unit", "/projects_max": "projects_max", "/valid_from": "valid_from", "/valid_until": "valid_until", "/only": "only", "/only/counties": "only" }

const isMoney = (fields: Fields) => fields.kind === "money" || fields.kind === "purchase"
// Full-width digits and grouped ones are what people type.
const plain = (text: string) => text.normalize("NFKC").replace(/[,\s]/g, "")

function faultsOf(fields: Fields, step: string): Record<string, string> {
  const faults: Record<string, string> = {}
  for (const field of STEPS[step]!) if (!fields[field].trim() && field !== "only" && !(field === "unit" && isMoney(fields))) faults[field] = t("missing")
  if (step === "support" && !faults.amount && !(isMoney(fields) ? /^\d{1,15}(\.\d{1,2})?$/ : /^[1-9]\d{0,14}$/).test(plain(fields.amount))) faults.amount = t(isMoney(fields) ? "submit.bad-amount" : "submit.bad-quantity")
  if (step === "support" && !faults.amount && Number(plain(fields.amount)) === 0) faults.amount = t("submit.bad-amount")
  if (step === "share" && !faults.projects_max && !/^[1-9]\d{0,4}$/.test(plain(fields.projects_max))) faults.projects_max = t("submit.bad-number")
  if (step === "days" && fields.valid_from && fields.valid_until && fields.valid_until < fields.valid_from) faults.valid_until = t("submit.bad-days")
  return faults
}

const supportOf = (fields: Fields) =>
  isMoney(fields) ? { kind: fields.kind, amount: plain(fields.amount), currency: "CNY" } : { kind: fields.kind, quantity: Number(plain(fields.amount)), unit: fields.unit.trim() }

export default function Submit({ query }: PageProps) {
  const names = useNames()
  const { fields, set, forget } = useDraft<Fields>("commitment", { category: "", zh: "", en: "", kind: "money", amount: "", unit: "", projects_max: "1", valid_from: today(), valid_until: "", only: "", key: crypto.randomUUID() })
  const step = query.step && STEPS[query.step] ? query.step : "what"
  const [told, setTold] = useState<Record<string, string>>({})
  const [tried, setTried] = useState("")
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)
  const here = { ...(tried === step ? faultsOf(fields, step) : {}), ...Object.fromEntries(STEPS[step]!.flatMap((field) => (told[field] ? [[field, told[field]]] : []))) }
  const faults: Record<string, string> = step === "check" ? told : here
  const labels = Object.fromEntries(Object.values(STEPS).flat().map((field) => [field, t(field === "amount" && !isMoney(fields) ? "submit.quantity" : `submit.${field}`)]))
  const change = (field: keyof Fields) => (event: { currentTarget: { value: string } }) => {
    setTold(({ [field]: _, ...rest }) => rest)
    // A changed commitment is another command.
    set({ [field]: event.currentTarget.value, key: crypto.randomUUID() } as Partial<Fields>)
  }
  const text = (field: keyof Fields, more: object = {}, hint = "") => (
    <Field name={field} label={labels[field]!} fault={faults[field]} {...(hint ? { hint } : {})}>{(given) => <input {...given} {...more} value={fields[field]} onInput={change(field)} />}</Field>
  )
  const choice = (field: keyof Fields, values: string[], say: (value: string) => string, first?: string) => (
    <Field name={field} label={labels[field]!} fault={faults[field]}>
      {(given) => <select {...given} value={fields[field]} onChange={change(field)}>{first !== undefined && <option value="">{first}</option>}{values.map((value) => <option key={value} value={value}>{say(value)}</option>)}</select>}
    </Field>
  )
  const on = (event: Event) => {
    event.preventDefault()
    setTried(step)
    if (Object.keys(faultsOf(fields, step)).length) return
    go("/commitments/new", { step: NAMES[NAMES.indexOf(step) + 1]! })
  }
  const send = async (event: Event) => {
    event.preventDefault()
    const open = NAMES.find((one) => Object.keys(faultsOf(fields, one)).length)
    if (open) {
      setTried(open)
      return go("/commitments/new", { step: open })
    }
    setBusy(true)
    setProblem(null)
    try {
      const body = { category: fields.category, title: { zh: fields.zh, en: fields.en }, support: supportOf(fields), projects_max: Number(plain(fields.projects_max)), valid_from: fields.valid_from, valid_until: fields.valid_until, only: fields.only ? { counties: [fields.only] } : null }
      const made = await post<Commitment>("pairing", "/commitments", body, { key: fields.key })
      forget()
      go(`/commitments/${made.body.id}`)
    } catch (fault) {
      const problem = asProblem(fault)
      setProblem(problem)
      setTold(Object.fromEntries(Object.entries(problem.errors).map(([pointer, detail]) => [FIELDS[pointer] ?? pointer, detail])))
      setBusy(false)
    }
  }
  const at = NAMES.indexOf(step)
  return (
    <>
      <p><a href={at ? href("/commitments/new", { step: NAMES[at - 1]! }) : href("/commitments")}>← {t(at ? "submit.back" : "commitments.title")}</a></p>
      <h1>{t("submit.title")}</h1>
      <p class="quiet">{t("submit.step", { no: at + 1, of: NAMES.length })} · {t(`submit.step.${step}`)}</p>
      <Faults of={faults} labels={labels} />
      {problem && !Object.keys(told).length && <Refusal problem={problem} />}
      <form onSubmit={step === "check" ? send : on} noValidate>
        {step === "what" && <>{choice("category", CATEGORIES, (one) => t(`category.${one}`), t("choose"))}{text("zh", { maxLength: 300, lang: "zh-Hans" })}{text("en", { maxLength: 300, lang: "en" })}</>}
        {step === "support" && <>{choice("kind", KINDS, (one) => t(`support.${one}`))}{text("amount", { inputMode: "decimal" }, isMoney(fields) ? t("submit.amount.hint") : "")}{!isMoney(fields) && text("unit", { maxLength: 300 })}</>}
        {step === "share" && <>{text("projects_max", { inputMode: "numeric" }, t("submit.projects_max.hint"))}{choice("only", names.counties.map((one) => one.code!), names.county, t("submit.any"))}</>}
        {step === "days" && <>{text("valid_from", { type: "date" })}{text("valid_until", { type: "date", min: fields.valid_from })}</>}
        {step === "check" && (
          <dl class="card pairs">
            <Line step="what" label={labels.category!}>{fields.category && t(`category.${fields.category}`)}</Line>
            <Line step="what" label={labels[language]!}>{name(fields)}</Line>
            <Line step="support" label={t(`support.${fields.kind}`)}>{worth(supportOf(fields))}</Line>
            <Line step="share" label={labels.projects_max!}>{fields.projects_max}</Line>
            <Line step="share" label={labels.only!}>{fields.only ? names.county(fields.only) : t("submit.any")}</Line>
            <Line step="days" label={t("valid")}>{t("days", { from: onDay(fields.valid_from), until: onDay(fields.valid_until) })}</Line>
          </dl>
        )}
        <p class="actions"><button disabled={busy}>{t(busy ? "sending" : step === "check" ? "submit.send" : "submit.on")}</button></p>
      </form>
    </>
  )
}

const Line = ({ step, label, children }: { step: string; label: string; children: string }) => (
  <div><dt>{label}</dt><dd>{children} <a href={href("/commitments/new", { step })} aria-label={t("submit.change-of", { label })}>{t("submit.change")}</a></dd></div>
)
