// The rows behind the figure of partners.

import { number } from "../../lib/format"
import { all } from "../../lib/http"
import { href } from "../../lib/router"
import { name, t } from "../../lib/words"
import { OwnRows, Refusal, Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"
import { Choice } from "../monitor/choice"
import type { Name, Project } from "./shapes"
import type { PageProps } from "../page"

interface Partner { id: string; name: Name; kind: string }

export default function Partners({ query }: PageProps) {
  const partners = useLoad((signal) => all<Partner>("pairing", "/partners", {}, signal), [])
  const projects = useLoad((signal) => all<Project>("projects", "/projects", {}, signal), [])
  // Without the projects, the partners are still who they are.
  const found = { ...partners, value: projects.value || projects.problem ? partners.value : null }
  const count = (of: Partner) => projects.value?.filter((project) => project.partner_id === of.id && project.status !== "cancelled").length ?? null
  return (
    <>
      <h1>{t("partners.title")}</h1>
      <OwnRows />
      <div class="filters"><Choice name="with" query={query} all={[["projects", t("filter.with.projects")]]} /></div>
      {projects.problem && <Refusal problem={projects.problem} again={projects.again} />}
      <Show of={found}>
        {(all) => (
          <Table
            caption={t("partners.caption")} rows={all.map((one) => ({ ...one, projects: count(one) })).filter((row) => row.projects !== 0 || !query.with)} id={(row) => row.id} file="partners"
            columns={[
              { head: t("projects.partner"), cell: (row) => name(row.name), plain: (row) => name(row.name) },
              { head: t("partners.kind"), cell: (row) => t(`partners.${row.kind}`), plain: (row) => row.kind },
              { head: t("partners.projects"), cell: (row) => <a href={href("/projects", { partner: row.id, status: "live" })}>{row.projects === null ? t("unknown") : number(row.projects)}</a>, plain: (row) => row.projects, figure: true },
            ]}
          />
        )}
      </Show>
    </>
  )
}
