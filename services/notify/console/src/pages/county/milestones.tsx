// The rows behind the figures about milestones.

import { onDay, percent } from "../../lib/format"
import { all } from "../../lib/http"
import { href } from "../../lib/router"
import { name, t } from "../../lib/words"
import { OwnRows, Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"
import { Choice } from "../monitor/choice"
import { useNames } from "../../ui/names"
import { CATEGORIES, MILESTONE_STATES, type Project } from "./shapes"
import type { PageProps } from "../page"

export default function Milestones({ query }: PageProps) {
  const { category, county, status } = query
  const found = useLoad((signal) => all<Project>("projects", "/projects", { category, county, milestone: status }, signal), [category, county, status])
  const names = useNames()
  return (
    <>
      <h1>{t("milestones.title")}{county && ` · ${names.county(county)}`}</h1>
      <OwnRows />
      <div class="filters">
        <Choice name="category" query={query} all={CATEGORIES.map((one) => [one, t(`category.${one}`)])} />
        <Choice name="status" query={query} all={MILESTONE_STATES.map((one) => [one, t(`milestone.${one}`)])} />
      </div>
      <Show of={found}>
        {(projects) => {
          const rows = projects.filter((project) => project.status !== "cancelled")
            .flatMap((project) => project.milestones.map((milestone) => ({ project, milestone })))
            .filter(({ milestone }) => !status || milestone.status === status)
          return (
            <>
              <p role="status">{t("milestones.found", { n: rows.length })}</p>
              <Table
                caption={t("milestones.caption")} rows={rows} id={({ project, milestone }) => `${project.id}/${milestone.no}`} file="milestones"
                columns={[
                  { head: t("milestones.milestone"), cell: ({ milestone }) => `${milestone.no} ${name(milestone.title)}`, plain: ({ milestone }) => name(milestone.title) },
                  { head: t("projects.project"), cell: ({ project }) => <a href={href(`/project/${project.id}`)}>{name(project.title)}</a>, plain: ({ project }) => name(project.title) },
                  { head: t("projects.county"), cell: ({ project }) => <a href={href(`/county/${project.county_code}`)}>{names.county(project.county_code)}</a>, plain: ({ project }) => project.county_code },
                  { head: t("projects.status"), cell: ({ milestone }) => <span class="tag">{t(`milestone.${milestone.status}`)}</span>, plain: ({ milestone }) => milestone.status },
                  { head: t("milestones.weight"), cell: ({ milestone }) => percent(milestone.weight), plain: ({ milestone }) => milestone.weight, figure: true },
                  { head: t("milestones.due"), cell: ({ milestone }) => onDay(milestone.due_on), plain: ({ milestone }) => milestone.due_on },
                ]}
              />
            </>
          )
        }}
      </Show>
    </>
  )
}
