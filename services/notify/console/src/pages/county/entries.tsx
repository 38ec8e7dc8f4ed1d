// The rows behind a project's money: all that was booked of it.

import { moneyExact, onDay } from "../../lib/format"
import { all, get } from "../../lib/http"
import { href } from "../../lib/router"
import { name, t } from "../../lib/words"
import { Refusal, Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"
import type { Project } from "./shapes"
import type { PageProps } from "../page"

interface Entry { id: string; type: string; booked_on: string; milestone_no: number | null; payee: string | null; amount: string; currency: string }

export default function Entries({ params }: PageProps) {
  const project = useLoad((signal) => get<Project>("projects", `/projects/${params.id}`, {}, signal), [params.id])
  const found = useLoad((signal) => all<Entry>("funding", "/entries", { project: params.id }, signal), [params.id])
  return (
    <>
      <p><a href={href(`/project/${params.id}`)}>← {t("project.title")}</a></p>
      <h1>{t("funds.rows")}{project.value && ` · ${name(project.value.title)}`}</h1>
      {project.problem && <Refusal problem={project.problem} again={project.again} />}
      <Show of={found}>
        {(rows) => (
          <Table
            caption={t("funds.rows")} rows={rows} id={(one) => one.id} file="entries"
            columns={[
              { head: t("funds.on"), cell: (one) => onDay(one.booked_on), plain: (one) => one.booked_on },
              { head: t("funds.type"), cell: (one) => t(`entry.${one.type}`), plain: (one) => one.type },
              { head: t("funds.milestone"), cell: (one) => one.milestone_no ?? "—", plain: (one) => one.milestone_no, figure: true },
              { head: t("funds.payee"), cell: (one) => one.payee ?? "—", plain: (one) => one.payee },
              { head: t("funds.amount"), cell: (one) => moneyExact(one), plain: (one) => one.amount, figure: true },
            ]}
          />
        )}
      </Show>
    </>
  )
}
