// The rows behind the figure of partners.

import { number } from "../../lib/format"
import { all } from "../../lib/http"
import { href } from "../../lib/router"
import { name, t } from "../../lib/words"
import { OwnRows, Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"
import { Choice } from "../monitor/choice"
import type { Name, Project } from "./shapes"
import type { PageProps } from "../page"

interface Row { id: string; name: Name; kind: string; projects: number }

export default function Partners({ query }: PageProps) {
  const found = useLoad(async (signal) => {
    const [partners, projects] = await Promise.all([
      all<Omit<Row, "projects">>("pairing", "/partners", {}, signal),
      all<Project>("projects", "/projects", {}, signal),
    ])
    return partners.map((one): Row => ({ ...one, projects: projects.filter((project) => project.partner_id === one.id && project.status !== "cancelled").length }))
  }, [])
  return (
    <>
      <h1>{t("partners.title")}</h1>
      <OwnRows />
      <div class="filters"><Choice name="with" query={query} all={[["projects", t("filter.with.projects")]]} /></div>
      <Show of={found}>
        {(all) => (
          <Table
            caption={t("partners.caption")} rows={all.filter((row) => row.projects || !query.with)} id={(row) => row.id} file="partners"
            columns={[
              { head: t("projects.partner"), cell: (row) => name(row.name), plain: (row) => name(row.name) },
              { head: t("partners.kind"), cell: (row) => t(`partners.${row.kind}`), plain: (row) => row.kind },
              { head: t("partners.projects"), cell: (row) => <a href={href("/projects", { partner: row.id, status: "live" })}>{number(row.projects)}</a>, plain: (row) => row.projects, figure: true },
            ]}
          />
        )}
      </Show>
    </>
  )
}
