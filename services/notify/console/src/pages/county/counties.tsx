// All counties of the programme, as far as the reader may see them.

import { number, percent } from "../../lib/format"
import { all } from "../../lib/http"
import { href } from "../../lib/router"
import { knows, name, t } from "../../lib/words"
import { Refusal, Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"
import { Choice } from "../monitor/choice"
import { CountyMap, type Row } from "./map"
import type { Card, Project } from "./shapes"
import type { PageProps } from "../page"

export default function Counties({ query }: PageProps) {
  const cards = useLoad((signal) => all<Card>("pairing", "/counties", {}, signal), [])
  const projects = useLoad((signal) => all<Project>("projects", "/projects", {}, signal), [])
  // Without the projects, the counties are still what they are.
  const found = { ...cards, value: projects.value || projects.problem ? cards.value : null }
  const rowOf = (card: Card): Row => {
    const own = projects.value?.filter((project) => project.county_code === card.code && project.status !== "cancelled")
    return { card, projects: own?.length ?? null, progress: own?.length ? own.reduce((sum, one) => sum + one.progress, 0) / own.length : null }
  }
  return (
    <>
      <h1>{t("counties.title")}</h1>
      {projects.problem && <Refusal problem={projects.problem} again={projects.again} />}
      <Show of={found}>
        {(all) => {
          const provinces = [...new Set(all.map((card) => card.province))].sort()
          const rows = all.map(rowOf).filter(({ card, projects }) => (!query.province || card.province === query.province) && (projects !== 0 || !query.with))
          return (
            <>
              <div class="filters"><Choice name="with" query={query} all={[["projects", t("filter.with.projects")]]} /><Choice name="province" query={query} all={provinces.map((one) => [one, knows(`province.${one}`) ? t(`province.${one}`) : one])} /></div>
              <CountyMap rows={rows} province={query.province} />
              <CountyTable rows={rows} />
            </>
          )
        }}
      </Show>
    </>
  )
}

function CountyTable({ rows }: { rows: Row[] }) {
  const unknown = <span class="gap">{t("unknown")}</span>
  return (
    <Table
      caption={t("counties.caption")} rows={rows} id={({ card }) => card.code} file="counties"
      columns={[
        { head: t("projects.county"), cell: ({ card }) => <a href={href(`/county/${card.code}`)}>{name(card.name)}</a>, plain: ({ card }) => card.code },
        { head: t("projects.status"), cell: ({ card }) => <span class={card.status === "watch" ? "tag warn" : "tag"}>{t(`county.${card.status}`)}</span>, plain: ({ card }) => card.status },
        { head: t("counties.worst"), cell: ({ card }) => (card.needs.length ? number(Math.max(...card.needs.map((need) => need.band))) : "—"), plain: ({ card }) => (card.needs.length ? Math.max(...card.needs.map((need) => need.band)) : null), figure: true },
        { head: t("needs.open"), cell: ({ card }) => number(card.needs.reduce((sum, need) => sum + need.open_slots, 0)), plain: ({ card }) => card.needs.reduce((sum, need) => sum + need.open_slots, 0), figure: true },
        { head: t("projects.title"), cell: (row) => (row.projects === null ? unknown : number(row.projects)), plain: (row) => row.projects, figure: true },
        { head: t("projects.progress"), cell: (row) => (row.projects === null ? unknown : row.progress === null ? <span class="gap">{t("counties.no-project")}</span> : percent(row.progress)), plain: (row) => row.progress, figure: true },
      ]}
    />
  )
}
