// What the officer's page shows, in one place; whoever changes it says so, and the page is drawn anew.

import type { Problem } from "../lib/http"

export type Named = { zh: string; en?: string | null }
export interface Milestone { no: number; title: Named; weight: number; due_on: string; status: string; note: string | null; reason: string | null; evidence: string[]; version: number }
export interface Indicator { code: string; kind: "flow" | "cumulative" | "level" | "ratio" | "yes-no"; unit: string; target: number | boolean | null; actual: number | boolean | null }
export interface Project { id: string; county_code: string; category: string; title: Named; status: string; progress: number; milestones: Milestone[]; indicators: Indicator[] }
export interface Clash { name: string; base: string | null; mine: string | null; theirs: string | null; by: string; at: string }
export interface Conflict { id: string; project_id: string; milestone_no: number; fields: Clash[]; sent_by: string; occurred_at: string; version: number }

/** What was noted on this phone: of one milestone, or of one indicator. */
export interface Report {
  id: string
  sub: string
  kind: "milestone-report" | "observation"
  project_id: string
  milestone_no: number | null
  indicator: string | null
  state: "draft" | "waiting" | "sent" | "needs"
  /** When it was noted, for the order of the queue; and when it happened. */
  noted_at: string
  occurred_at: string
  note: string
  /** Of an observation: what was typed, by field, and what it came to once it was submitted. */
  typed: Record<string, string>
  value: unknown
  splits: Record<string, number>
  from: string
  until: string
  /** Ids of photos on this phone, and under which SHA-256 the service has those that were sent. */
  photos: string[]
  uploaded: Record<string, string>
  /** The edit that brings the photos. */
  photos_id: string
  base_version: number | null
  after: string | null
  words_sent: boolean
  photos_sent: boolean
  /** Why it needs somebody, in both languages. */
  why: { zh: string; en: string } | null
  conflict_id: string | null
}

/** As of `read_at`. */
export interface Kept { read_at: string; grant: string; projects: Project[]; counties: Record<string, Named>; conflicts: Conflict[] }

export const state = {
  kept: null as Kept | null,
  reports: [] as Report[],
  /** Reports that are on their way just now. */
  sending: new Set<string>(),
  /** Why nothing goes or comes just now. */
  problem: null as Problem | null,
  busy: false,
  /** Whether the browser promised to keep what is kept here. */
  persistent: true,
  /** Whether something could not be kept: what is here is then the only place where it is. */
  lost: false,
}

let draw = () => {}
export const onChange = (listener: () => void): void => void (draw = listener)
export const changed = (): void => draw()
