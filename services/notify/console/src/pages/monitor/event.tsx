// One event in words, with the ways on from it.

import { config } from "../../lib/config"
import { measured, money, number, onDay } from "../../lib/format"
import { because } from "../../lib/programme"
import { href } from "../../lib/router"
import { knows, name, t } from "../../lib/words"
import { When } from "../../ui/load"
import type { Names } from "../../ui/names"
import type { Envelope } from "./stream"

export const eventName = (type: string): string => (knows(`event.${type.replace("jiedui.", "")}`) ? t(`event.${type.replace("jiedui.", "")}`) : t("event.other"))

/** The id whose story the event belongs to. */
export const storyOf = ({ data }: Envelope): string | null => data.project_id ?? data.pairing_id ?? data.commitment_id ?? null

export function traceOf(event: Envelope): string | null {
  const id = event.traceparent?.split("-")[1]
  return id && config.trace_url ? config.trace_url.replace("{trace_id}", id) : null
}

/** What it says, as far as it can be read: an event of a type that this page does not know may hold anything. */
function told(event: Envelope): string[] {
  const said: string[] = []
  try {
    tell(event, said)
  } catch {
    // What was said so far is the most that can be said.
  }
  return said
}

function tell({ type, data }: Envelope, said: string[]): void {
  if (data.title) said.push(`“${name(data.title)}”`)
  if (data.milestone_no) said.push(t("event.milestone", { no: data.milestone_no }))
  if (data.indicator && type.endsWith("observed")) {
    const value = typeof data.value === "object" && data.value ? `${number(data.value.numerator)} / ${number(data.value.denominator)}` : measured(data.value, data.unit)
    said.push(`${t(`indicator.${data.indicator}`)} ${value}`)
  }
  if (typeof data.amount === "string") said.push(money({ amount: data.amount, currency: data.currency }))
  if (data.support?.amount) said.push(money(data.support))
  if (typeof data.pairings === "number") said.push(t("event.pairings", { n: data.pairings }))
  if (data.was && data.due_on) said.push(`${onDay(data.was)} → ${onDay(data.due_on)}`)
  if (data.rule) said.push(`${t(`indicator.${data.indicator}`)} · ${because(data.rule)}`)
  if (data.rules) said.push(because(data.rules.join(", ")))
  if (typeof data.reason === "string" && data.reason) said.push(`“${because(data.reason)}”`)
}

export function EventCard({ event, names, position, story = true, children }: { event: Envelope; names: Names; position: number; story?: boolean; children?: any }) {
  const { data } = event
  const about = storyOf(event)
  const trace = traceOf(event)
  const bad = /at_risk|relapse|refused|failed|returned|cancelled|revoked/.test(event.type)
  return (
    <li class={bad ? "event bad" : "event"} data-position={position}>
      <p class="what"><b>{eventName(event.type)}</b> {told(event).join(" · ")}</p>
      <p class="where">
        {data.category && <span class="tag">{t(`category.${data.category}`)}</span>}
        {data.county_code && <a href={href(`/county/${data.county_code}`)}>{names.county(data.county_code)}</a>}
        {data.partner_id && <span>{names.partner(data.partner_id)}</span>}
      </p>
      <p class="when quiet">
        <When at={event.time} /> <span>{t("event.position", { position })}</span>
        {story && about && <a href={href(`/story/${about}`)}>{t("event.story")}</a>}
        {trace && <a href={trace} target="_blank" rel="noreferrer">{t("event.trace")}</a>}
      </p>
      {children}
    </li>
  )
}
