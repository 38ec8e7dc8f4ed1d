// What a new commitment is made of: its fields by step, what is wrong with them, and what is sent.

import { today } from "../../lib/format"
import { t } from "../../lib/words"

export type Fields = Record<
  "category" | "zh" | "en" | "reference" | "kind" | "amount" | "currency" | "unit" | "value" | "projects_max" | "prefers" | "only" | "excludes" | "valid_from" | "valid_until" | "key", string
>
export const CATEGORIES = ["coverage", "produce-sales", "education", "ecommerce-training", "smart-travel"]
export const KINDS = ["money", "purchase", "goods", "service", "training"]
export const CURRENCIES = ["CNY", "HKD", "MOP", "TWD", "USD", "EUR", "GBP", "JPY"]
/** Provinces (two digits) and counties (six), with commas between them. */
export const PLACES = ["prefers", "only", "excludes"] as const
export const STEPS: Record<string, (keyof Fields)[]> = {
  what: ["category", "zh", "en", "reference"],
  support: ["kind", "amount", "currency", "unit", "value"],
  share: ["projects_max"],
  where: [...PLACES],
  days: ["valid_from", "valid_until"],
  check: [],
}
export const NAMES = Object.keys(STEPS)
const OPTIONAL: (keyof Fields)[] = ["reference", "value", ...PLACES]
// Where the service's names differ from ours.
const POINTERS: Record<string, keyof Fields> = { "/title": "zh", "/support/quantity": "amount", "/support": "kind" }

export const empty = (): Fields => ({
  category: "", zh: "", en: "", reference: "", kind: "money", amount: "", currency: "CNY", unit: "", value: "", projects_max: "1",
  prefers: "", only: "", excludes: "", valid_from: today(), valid_until: "", key: crypto.randomUUID(),
})

export const isMoney = (fields: Fields) => fields.kind === "money" || fields.kind === "purchase"
// Full-width digits and grouped ones are what people type.
export const plain = (text: string) => text.normalize("NFKC").replace(/[,\s]/g, "")

export const stepOf = (field: string): string => NAMES.find((step) => STEPS[step]!.includes(field as keyof Fields)) ?? "check"

/** The field that a fault of the service is about; a pointer into a list is about the list. */
export const fieldOf = (pointer: string): string => POINTERS[pointer] ?? pointer.split("/").find((step) => step in empty()) ?? pointer

export function faultsOf(fields: Fields, step: string): Record<string, string> {
  const faults: Record<string, string> = {}
  const held = isMoney(fields)
  for (const field of STEPS[step]!) if (!fields[field].trim() && !OPTIONAL.includes(field) && !(field === "unit" && held)) faults[field] = t("missing")
  const hold = (field: keyof Fields, form: RegExp, fault: string) => {
    const text = plain(fields[field])
    if (text && !(form.test(text) && Number(text))) faults[field] = t(fault)
  }
  const amount = /^\d{1,15}(\.\d{1,2})?$/
  if (step === "support") {
    hold("amount", held ? amount : /^\d{1,15}$/, held ? "submit.bad-amount" : "submit.bad-quantity")
    if (!held) hold("value", amount, "submit.bad-amount")
  }
  if (step === "share") hold("projects_max", /^\d{1,5}$/, "submit.bad-number")
  if (step === "days" && fields.valid_until && fields.valid_until < fields.valid_from) faults.valid_until = t("submit.bad-days")
  return faults
}

export function supportOf(fields: Fields) {
  const { kind, currency, unit } = fields
  if (isMoney(fields)) return { kind, amount: plain(fields.amount), currency }
  const value = plain(fields.value)
  return { kind, quantity: Number(plain(fields.amount)), unit: unit.trim(), value: value ? { amount: value, currency } : null }
}

export const listOf = (places: string): string[] => places.split(",").filter(Boolean)

export function bodyOf(fields: Fields) {
  const { category, zh, en, projects_max, valid_from, valid_until } = fields
  const places = PLACES.map((name) => {
    const codes = listOf(fields[name])
    return [name, codes.length ? { provinces: codes.filter((code) => code.length === 2), counties: codes.filter((code) => code.length > 2) } : null]
  })
  return { category, title: { zh, en }, support: supportOf(fields), projects_max: Number(plain(projects_max)), valid_from, valid_until, reference: fields.reference.trim() || null, ...Object.fromEntries(places) }
}
