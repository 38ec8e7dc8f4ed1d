// What the services tell of the programme, a county and a project.

export const CATEGORIES = ["coverage", "produce-sales", "education", "ecommerce-training", "smart-travel"] as const
export const PROJECT_STATES = ["active", "suspended", "completed", "cancelled"] as const
export const MILESTONE_STATES = ["pending", "reported", "returned", "verified"] as const

export interface Name { zh?: string; en?: string | null }
export interface AsOf { position: number; time: string | null }
export type Sums = Partial<Record<"promised" | "committed" | "handed_over" | "used", string>>
export interface Figures {
  projects_by_category: Record<string, number>
  projects_by_status: Record<string, number>
  milestones: Record<string, number>
  funds: Record<string, Sums>
  as_of: AsOf
}
export interface Overview extends Figures { partners: number; counties: number; projects: number; events: number }
export interface CountyView extends Figures { code: string; name: Name; province: string | null; status: string | null; projects: string[] }
export interface Card {
  code: string
  name: Name
  status: string
  province: string
  needs: { category: string; slots: number; open_slots: number; severity: number; band: number }[]
}
export interface Funds { currency: string; reserved: string; released: string; spent: string; returned: string }
export interface Milestone { no: number; title: Name; weight: number; due_on: string; status: string; tranche_share: number; reported_at: string | null; verified_at: string | null }
export interface Indicator { code: string; kind: string; unit: string; baseline: any; target: any; actual: any; observations: number }
export interface Project {
  id: string
  partner_id: string
  county_code: string
  commitment_id: string
  category: string
  title: Name
  status: string
  at_risk: string[]
  progress: number
  starts_on: string
  milestones: Milestone[]
  indicators: Indicator[]
  funds: Funds | null
}
export interface IndicatorTotal {
  indicator: string
  kind: string
  unit: string
  total: any
  carried: boolean
  periods: { from: string; until: string; value: any; carried: boolean }[]
  reported: number
  of: number
  answers: { yes?: number; no?: number } | null
}
