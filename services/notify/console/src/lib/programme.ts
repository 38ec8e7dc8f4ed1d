// What pairing, projects and funding answer, as far as pages show it.

import type { Money } from "./format"
import { money, number } from "./format"
import { knows, t } from "./words"

export type Text = { zh: string; en?: string | null }
export type Quantity = { quantity: number; unit: string }
export interface Part { projects: number; amount: Money | null; quantity: number | null }

export interface Commitment {
  id: string
  partner_id: string
  category: string
  title: Text
  support: { kind: string } & Partial<Money & Quantity>
  projects_max: number
  valid_from: string
  valid_until: string
  reference: string | null
  status: string
  paired: Part
  remaining: Part
  pairings: string[]
  version: number
}

export interface Pairing {
  id: string
  round_id: string
  commitment_id: string
  partner_id: string
  county_code: string
  category: string
  allocated: Partial<Money & Quantity>
  status: string
  project_id: string | null
  reason: string | null
  version: number
}

export interface Milestone {
  no: number
  title: Text
  due_on: string
  status: string
  note: string | null
  evidence: string[]
  reason: string | null
  occurred_at: string | null
  reported_by: string | null
  reported_at: string | null
  version: number
}

export interface Project {
  id: string
  pairing_id: string
  commitment_id: string
  partner_id: string
  county_code: string
  category: string
  title: Text
  status: string
  progress: number
  milestones: Milestone[]
}

/**
 * Why something was decided. What people wrote stays as it is; what the services say of themselves, in English or by the
 * names of rules, is said in the reader's words.
 */
export function because(reason: string): string {
  const [, indicator, value] = /^(\w+) = (\S+), observed in project /.exec(reason) ?? []
  if (indicator) return `${t(`indicator.${indicator}`)} ${number(Number(value))}`
  const known = (said: string) => knows(`reason.${said}`)
  const rules = reason.split(", ")
  if (rules.every(known)) return rules.map((rule) => t(`reason.${rule}`)).join(t("comma"))
  // What follows names ids, and what failed within.
  const [first] = reason.split(": ")
  return known(first!) ? t(`reason.${first}`) : reason
}

/** Money, or so many of something. */
export const worth = (of: Partial<Money & Quantity>): string =>
  of.amount != null ? money(of as Money) : `${number(of.quantity)} ${of.unit ?? ""}`
