// Numbers, money, days and instants as the reader writes them. Days are days in Beijing, instants are shown in its time.

import { language, t } from "./words"

const locale = language === "zh" ? "zh-Hans-CN" : "en-GB"
const ZONE = "Asia/Shanghai"
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" })
const instant = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: ZONE })
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" })
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]]

/** A number; what was never entered is said to be so, and is not 0. */
export function number(value: number | null | undefined, digits = 2): string {
  return value == null ? t("no-entry") : new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)
}

/** Per cent of a whole, from 0 to 100. */
export const percent = (value: number | null | undefined): string => (value == null ? t("no-entry") : `${number(value, 0)}%`)

export interface Money { amount: string; currency: string }

/** With its unit; from `large` on in 万 and 亿 for Chinese readers, rounded to two decimals of them. */
function counted(value: number, unit: string, large: number): string {
  const size = language === "zh" ? Math.abs(value) : 0
  const [by, said] = size >= 1e8 ? [1e8, " 亿"] : size >= large ? [1e4, " 万"] : [1, ""]
  return `${number(value / by)}${said}${said && !/^\w/.test(unit) ? "" : " "}${unit}`
}

/** In 万 and 亿 where Chinese readers count so. See `moneyExact`. */
export function money(value: Money | null | undefined): string {
  if (!value) return t("no-entry")
  const amount = Number(value.amount)
  if (language === "en") return new Intl.NumberFormat(locale, { style: "currency", currency: value.currency, currencyDisplay: "code", maximumFractionDigits: amount % 1 ? 2 : 0 }).format(amount).replace("\u00a0", " ")
  return counted(amount, value.currency === "CNY" ? t("unit.CNY") : value.currency, 1e4)
}

/** To the last decimal, digits grouped. */
export function moneyExact(value: Money): string {
  const [whole, decimals] = value.amount.split(".")
  return `${whole!.replace(/\B(?=(\d{3})+$)/g, ",")}${decimals ? `.${decimals}` : ""} ${value.currency}`
}

/** `2026-11-25` as a day. */
export const onDay = (value: string | null | undefined): string => (value ? day.format(new Date(`${value}T00:00:00Z`)) : "—")

/** An instant in Beijing's time, with its zone. */
export const at = (value: string | number | Date): string => t("beijing", { at: instant.format(new Date(value)) })

/** How long ago, or how soon. */
export function ago(value: string | number | Date, now = Date.now()): string {
  const seconds = Math.round((new Date(value).getTime() - now) / 1000)
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? STEPS[3]!
  return relative.format(Math.trunc(seconds / size), unit)
}

/** The day in Beijing, as `2026-11-25`. */
export const today = (now = new Date()): string => new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE }).format(now)

/** A length of time in its largest unit. */
export function lasting(seconds: number): string {
  const [unit, size] = STEPS.find(([, length]) => seconds >= length) ?? STEPS[3]!
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 }).format(seconds / size)
}

/** A value of an indicator with its unit, in 万 and 亿 where the last digits say little; yes or no in words, null as "no entry". */
export function measured(value: number | boolean | null | undefined, unit: string): string {
  if (value == null) return t("no-entry")
  if (typeof value === "boolean") return t(value ? "yes" : "no")
  if (unit === "CNY") return money({ amount: String(value), currency: unit })
  return unit === "%" ? `${number(value)}%` : counted(value, t(`unit.${unit}`), 1e5)
}
