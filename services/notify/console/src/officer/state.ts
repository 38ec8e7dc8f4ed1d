// What the officer's page shows, in one place; whoever changes it says so, and the page is drawn anew.

import type { Problem } from "../lib/http"
import type { Report } from "./reports"

export type Named = { zh: string; en?: string | null }
export interface Milestone { no: number; title: Named; weight: number; due_on: string; status: string; note: string | null; reason: string | null; evidence: string[]; version: number }
export interface Indicator { code: string; kind: "flow" | "cumulative" | "level" | "ratio" | "yes-no"; unit: string; target: number | boolean | null; actual: number | boolean | null }
export interface Project { id: string; county_code: string; category: string; title: Named; status: string; progress: number; milestones: Milestone[]; indicators: Indicator[] }
export interface Clash { name: string; base: string | null; mine: string | null; theirs: string | null; by: string; at: string }
export interface Conflict { id: string; project_id: string; milestone_no: number; fields: Clash[]; sent_by: string; occurred_at: string; version: number }

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
}

let draw = () => {}
export const onChange = (listener: () => void): void => void (draw = listener)
export const changed = (): void => draw()
