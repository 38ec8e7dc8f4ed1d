// One project: its steps, its money, its indicators over time.

import { measured, money, onDay, percent } from "../../lib/format"
import { get } from "../../lib/http"
import { because } from "../../lib/programme"
import { href } from "../../lib/router"
import { has } from "../../lib/session"
import { name, t } from "../../lib/words"
import { Show, useLoad, When } from "../../ui/load"
import { AsOf } from "../../ui/load"
import { Table } from "../../ui/table"
import { Indicators, plain } from "./indicators"
import { useNames } from "../../ui/names"
import type { AsOf as Moment, Project } from "./shapes"
import type { PageProps } from "../page"

export default function ProjectPage({ params }: PageProps) {
  const view = useLoad((signal) => get<Project & { as_of?: Moment }>("notify", `/views/projects/${params.id}`, {}, signal), [params.id])
  // Notify may be away while the project's own service is not.
  const away = view.problem !== null && view.problem.status !== 404
  const own = useLoad((signal) => (away ? get<Project & { as_of?: Moment }>("projects", `/projects/${params.id}`, {}, signal) : Promise.resolve(null)), [params.id, away])
  const found = { ...view, value: view.value ?? own.value }
  const names = useNames()
  return (
    <>
      <h1>{found.value ? name(found.value.title) : t("project.title")}</h1>
      <Show of={found}>
        {(project) => (
          <>
            <p>
              <span class="tag">{t(`project.${project.status}`)}</span> {project.at_risk.length > 0 && <><span class="tag warn">{t("projects.at-risk")}</span> {because(project.at_risk.join(", "))} ·</>}{" "}
              {t(`category.${project.category}`)} · <a href={href(`/county/${project.county_code}`)}>{names.county(project.county_code)}</a> · {names.partner(project.partner_id)} · {t("project.since", { day: onDay(project.starts_on) })}
            </p>
            {project.as_of && <AsOf of={project.as_of} />}
            <p><label for="progress">{t("projects.progress")} {percent(project.progress)}</label><progress id="progress" max={100} value={project.progress} /></p>
            <p><a href={href(`/story/${project.id}`)}>{t("event.story")}</a> · <a href={href("/feed", { project: project.id })}>{t("county.feed")}</a></p>
            {project.funds
              ? <ul class="figures">{(["reserved", "released", "spent", "returned"] as const).map((what) => <li key={what}><b>{money({ amount: project.funds![what], currency: project.funds!.currency })}</b> {has("partner", "coordinator", "monitor", "bookkeeper") ? <a href={href(`/project/${project.id}/entries`)}>{t(`funds.${what}`)}</a> : t(`funds.${what}`)}</li>)}</ul>
              : <p class="quiet">{t("funds.no-money")}</p>}
            <Table
              caption={t("milestones.title")} rows={project.milestones} id={(one) => String(one.no)} file="milestones"
              columns={[
                { head: t("milestones.milestone"), cell: (one) => `${one.no} ${name(one.title)}`, plain: (one) => name(one.title) },
                { head: t("projects.status"), cell: (one) => <span class="tag">{t(`milestone.${one.status}`)}</span>, plain: (one) => one.status },
                { head: t("milestones.weight"), cell: (one) => percent(one.weight), plain: (one) => one.weight, figure: true },
                { head: t("milestones.share"), cell: (one) => percent(one.tranche_share), plain: (one) => one.tranche_share, figure: true },
                { head: t("milestones.due"), cell: (one) => onDay(one.due_on), plain: (one) => one.due_on },
                { head: t("milestone.verified"), cell: (one) => (one.verified_at ? <span><When at={one.verified_at} /></span> : "—"), plain: (one) => one.verified_at },
              ]}
            />
            <Table
              caption={t("indicators.goals")} rows={project.indicators} id={(one) => one.code} file="goals"
              columns={[
                { head: t("indicators.indicator"), cell: (one) => t(`indicator.${one.code}`), plain: (one) => one.code },
                { head: t("indicators.baseline"), cell: (one) => measured(plain(one.baseline), one.unit), plain: (one) => plain(one.baseline), figure: true },
                { head: t("indicators.actual"), cell: (one) => (one.actual == null ? <span class="gap">{t("no-entry")}</span> : measured(typeof one.actual === "boolean" ? one.actual : plain(one.actual), one.unit)), plain: (one) => plain(one.actual), figure: true },
                { head: t("target"), cell: (one) => measured(typeof one.target === "boolean" ? one.target : plain(one.target), one.unit), plain: (one) => plain(one.target), figure: true },
              ]}
            />
          </>
        )}
      </Show>
      {!found.problem && <Indicators of={{ project: params.id }} file="project" />}
    </>
  )
}
