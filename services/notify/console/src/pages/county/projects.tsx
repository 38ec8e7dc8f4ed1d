// The rows behind figures about projects and their money.

import { money, percent } from "../../lib/format"
import { all } from "../../lib/http"
import { href } from "../../lib/router"
import { name, t } from "../../lib/words"
import { OwnRows, Show, useLoad } from "../../ui/load"
import { Table, type Column } from "../../ui/table"
import { Choice } from "../monitor/choice"
import { type Names, useNames } from "../../ui/names"
import { CATEGORIES, PROJECT_STATES, type Project } from "./shapes"
import type { PageProps } from "../page"

export default function Projects({ query }: PageProps) {
  const { category, county, partner } = query
  // All but cancelled ones, as the overview counts them by category.
  const status = query.status === "live" ? undefined : query.status
  const at_risk = query.at_risk || undefined
  const found = useLoad((signal) => all<Project>("projects", "/projects", { category, county, partner, status, at_risk }, signal), [category, county, partner, status, at_risk])
  const names = useNames()
  return (
    <>
      <h1>{t("projects.title")}{county && ` · ${names.county(county)}`}</h1>
      <OwnRows />
      <div class="filters">
        <Choice name="category" query={query} all={CATEGORIES.map((one) => [one, t(`category.${one}`)])} />
        <Choice name="status" query={query} all={[["live", t("projects.live")], ...PROJECT_STATES.map((one) => [one, t(`project.${one}`)])]} />
        <Choice name="at_risk" query={query} all={[["true", t("projects.at-risk")]]} />
      </div>
      {query.funds && <p class="quiet">{t(`funds.${query.funds}.means`)}</p>}
      <Show of={found}>
        {(all) => {
          const rows = query.status === "live" ? all.filter((row) => row.status !== "cancelled") : all
          return <><p role="status">{t("projects.found", { n: rows.length })}</p><ProjectTable rows={rows} names={names} file="projects" /></>
        }}
      </Show>
    </>
  )
}

const SUMS = ["reserved", "released", "spent", "returned"] as const

/** `within` one county, its name is left out. */
export function ProjectTable({ rows, names, file, within = false }: { rows: Project[]; names: Names; file: string; within?: boolean }) {
  const columns: Column<Project>[] = [
    { head: t("projects.project"), cell: (row) => <a href={href(`/project/${row.id}`)}>{name(row.title)}</a>, plain: (row) => name(row.title) },
    { head: t("projects.county"), cell: (row) => <a href={href(`/county/${row.county_code}`)}>{names.county(row.county_code)}</a>, plain: (row) => row.county_code },
    { head: t("projects.partner"), cell: (row) => names.partner(row.partner_id), plain: (row) => names.partner(row.partner_id) },
    { head: t("projects.category"), cell: (row) => t(`category.${row.category}`), plain: (row) => row.category },
    { head: t("projects.status"), cell: (row) => <span><span class={row.at_risk.length ? "tag warn" : "tag"}>{t(row.at_risk.length ? "projects.at-risk" : `project.${row.status}`)}</span></span>, plain: (row) => row.status },
    { head: t("projects.progress"), cell: (row) => percent(row.progress), plain: (row) => row.progress, figure: true },
    ...SUMS.map((what): Column<Project> => ({
      head: t(`funds.${what}`), figure: true,
      cell: (row) => (row.funds ? money({ amount: row.funds[what], currency: row.funds.currency }) : <span class="gap">{t("funds.no-money")}</span>),
      plain: (row) => row.funds?.[what] ?? null,
    })),
  ]
  return <Table caption={t("projects.caption")} rows={rows} id={(row) => row.id} file={file} columns={within ? columns.filter((_, i) => i !== 1) : columns} />
}
