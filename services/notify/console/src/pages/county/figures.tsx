// What the programme and a county have in common: projects by category and status, milestones, money; each figure leads
// to its rows.

import { money, number } from "../../lib/format"
import { href } from "../../lib/router"
import { has } from "../../lib/session"
import { t } from "../../lib/words"
import { Bars } from "../../ui/chart"
import { CATEGORIES, MILESTONE_STATES, PROJECT_STATES, type Figures as Of, type Sums } from "./shapes"

const FUNDS = ["promised", "committed", "handed_over", "used"] as const

/** `county` narrows the rows that a figure leads to; `file` begins the names of the exports. */
export function Figures({ of, county, file }: { of: Of; county?: string; file: string }) {
  return (
    <>
      <h2>{t("funds.title")}</h2>
      {Object.keys(of.funds).length === 0 && <p class="quiet">{t("funds.none")}</p>}
      {Object.entries(of.funds).map(([currency, sums]) => <Funds key={currency} sums={sums} currency={currency} county={county} />)}
      <div class="pair">
        <Bars
          title={t("programme.by-category")} heads={[t("projects.category"), t("projects.title")]} file={`${file}-categories`}
          points={CATEGORIES.map((one) => ({ label: t(`category.${one}`), value: of.projects_by_category[one] ?? null, href: href("/projects", { category: one, status: "live", county }) }))}
        />
        <div>
          <Bars
            title={t("programme.by-status")} heads={[t("projects.status"), t("projects.title")]} file={`${file}-statuses`}
            points={PROJECT_STATES.map((one) => ({ label: t(`project.${one}`), value: of.projects_by_status[one] ?? null, href: href("/projects", { status: one, county }) }))}
          />
          <Bars
            title={t("programme.milestones")} heads={[t("projects.status"), t("milestones.title")]} file={`${file}-milestones`}
            points={MILESTONE_STATES.map((one) => ({ label: t(`milestone.${one}`), value: of.milestones[one] ?? null, href: href("/milestones", { status: one, county }) }))}
          />
        </div>
      </div>
    </>
  )
}

function Funds({ sums, currency, county }: { sums: Sums; currency: string; county?: string | undefined }) {
  return (
    <ul class="figures">
      {FUNDS.filter((what) => sums[what] !== undefined).map((what) => (
        <li key={what}>
          <b>{money({ amount: sums[what]!, currency })}</b>
          {what !== "promised" || has("partner", "coordinator", "monitor", "bookkeeper")
            ? <a href={what === "promised" ? href("/promises") : href("/projects", { county, funds: what })}>{t(`funds.${what}`)}</a>
            : t(`funds.${what}`)}
        </li>
      ))}
    </ul>
  )
}

/** Below a county's severity: how dire a need is, 1 to 5. */
export const band = (value: number): string => t("needs.band-of", { band: number(value) })
