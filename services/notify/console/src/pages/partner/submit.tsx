// A new commitment, one thing a page, all of it once more before it is sent. What was typed stays until it was taken.

import { useState } from "preact/hooks"
import type { PageProps } from "../page"
import { money, onDay } from "../../lib/format"
import { post, type Problem } from "../../lib/http"
import { worth, type Commitment } from "../../lib/programme"
import { go, href } from "../../lib/router"
import { language, name, t } from "../../lib/words"
import { Faults, Field, useDraft } from "../../ui/form"
import { asProblem, Refusal } from "../../ui/load"
import { useNames } from "../../ui/names"
import { bodyOf, CATEGORIES, CURRENCIES, empty, faultsOf, fieldOf, type Fields, isMoney, KINDS, listOf, NAMES, PLACES, stepOf, STEPS, supportOf } from "./offer"
import { placeName, Places } from "./places"

export default function Submit({ query }: PageProps) {
  const names = useNames()
  const { fields, set, forget } = useDraft<Fields>("commitment", empty())
  const step = query.step && STEPS[query.step] ? query.step : "what"
  const [told, setTold] = useState<Record<string, string>>({})
  const [tried, setTried] = useState("")
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)
  const here = { ...(tried === step ? faultsOf(fields, step) : {}), ...Object.fromEntries(STEPS[step]!.flatMap((field) => (told[field] ? [[field, told[field]]] : []))) }
  const faults: Record<string, string> = step === "check" ? told : here
  const labels = Object.fromEntries(Object.values(STEPS).flat().map((field) => [field, t(field === "amount" && !isMoney(fields) ? "submit.quantity" : `submit.${field}`)]))
  const put = (field: keyof Fields, value: string) => {
    setTold(({ [field]: _, ...rest }) => rest)
    // A changed commitment is another command.
    set({ [field]: value, key: crypto.randomUUID() })
  }
  const change = (field: keyof Fields) => (event: { currentTarget: { value: string } }) => put(field, event.currentTarget.value)
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
  // What the service calls by its code.
  const named = (detail: string) => detail.replace(/\b(\d{6}|\d{2})\b/g, (code) => placeName(code, names))
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
      const made = await post<Commitment>("pairing", "/commitments", bodyOf(fields), { key: fields.key })
      forget()
      go(`/commitments/${made.body.id}`)
    } catch (fault) {
      const problem = asProblem(fault)
      setProblem(problem)
      setTold(Object.fromEntries(Object.entries(problem.errors).map(([pointer, detail]) => [fieldOf(pointer), named(detail)])))
      setBusy(false)
    }
  }
  const at = NAMES.indexOf(step)
  return (
    <>
      <p><a href={at ? href("/commitments/new", { step: NAMES[at - 1]! }) : href("/commitments")}>← {t(at ? "submit.back" : "commitments.title")}</a></p>
      <h1>{t("submit.title")}</h1>
      <p class="quiet">{t("submit.step", { no: at + 1, of: NAMES.length })} · {t(`submit.step.${step}`)}</p>
      <Faults of={faults} labels={labels} open={(field) => go("/commitments/new", { step: stepOf(field) })} />
      {problem && !Object.keys(told).length && <Refusal problem={problem} />}
      <form onSubmit={step === "check" ? send : on} noValidate>
        {step === "what" && <>{choice("category", CATEGORIES, (one) => t(`category.${one}`), t("choose"))}{text("zh", { maxLength: 300, lang: "zh-Hans" })}{text("en", { maxLength: 300, lang: "en" })}{text("reference", { maxLength: 255 }, t("submit.reference.hint"))}</>}
        {step === "support" && (
          <>
            {choice("kind", KINDS, (one) => t(`support.${one}`))}
            {text("amount", { inputMode: "decimal" }, isMoney(fields) ? t("submit.amount.hint") : "")}
            {!isMoney(fields) && <>{text("unit", { maxLength: 300 })}{text("value", { inputMode: "decimal" }, t("submit.value.hint"))}</>}
            {choice("currency", CURRENCIES, currencyName)}
          </>
        )}
        {step === "share" && text("projects_max", { inputMode: "numeric" }, t("submit.projects_max.hint"))}
        {step === "where" && PLACES.map((one) => <Field key={one} name={one} label={labels[one]!} fault={faults[one]} hint={t(`submit.${one}.hint`)}>{(given) => <Places given={given} of={fields[one]} names={names} change={(codes) => put(one, codes)} />}</Field>)}
        {step === "days" && <>{text("valid_from", { type: "date" })}{text("valid_until", { type: "date", min: fields.valid_from })}</>}
        {step === "check" && (
          <dl class="card pairs">
            <Line step="what" label={labels.category!}>{fields.category && t(`category.${fields.category}`)}</Line>
            <Line step="what" label={labels[language]!}>{name(fields)}</Line>
            {fields.reference && <Line step="what" label={labels.reference!}>{fields.reference}</Line>}
            <Line step="support" label={t(`support.${fields.kind}`)}>{worth(supportOf(fields))}</Line>
            {!isMoney(fields) && fields.value && <Line step="support" label={labels.value!}>{money(supportOf(fields).value)}</Line>}
            <Line step="share" label={labels.projects_max!}>{fields.projects_max}</Line>
            {PLACES.map((one) => (one === "only" || fields[one]) && <Line key={one} step="where" label={labels[one]!}>{listOf(fields[one]).map((code) => placeName(code, names)).join(t("comma")) || t("submit.any")}</Line>)}
            <Line step="days" label={t("valid")}>{t("days", { from: onDay(fields.valid_from), until: onDay(fields.valid_until) })}</Line>
          </dl>
        )}
        <p class="actions"><button disabled={busy}>{t(busy ? "sending" : step === "check" ? "submit.send" : "submit.on")}</button></p>
      </form>
    </>
  )
}

const currencies = new Intl.DisplayNames(language === "zh" ? "zh-Hans" : "en", { type: "currency" })
const currencyName = (code: string): string => `${currencies.of(code)} (${code})`

const Line = ({ step, label, children }: { step: string; label: string; children: string }) => (
  <div><dt>{label}</dt><dd>{children} <a href={href("/commitments/new", { step })} aria-label={t("submit.change-of", { label })}>{t("submit.change")}</a></dd></div>
)
