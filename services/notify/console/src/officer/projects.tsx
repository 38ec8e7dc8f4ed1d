// My counties' projects, and one of them: its milestones to report and its indicators to observe.

import { measured, onDay, percent, today } from "../lib/format"
import { name, t } from "../lib/words"
import { state, type Kept, type Milestone, type Project, type Report } from "./state"

export function Projects({ kept }: { kept: Kept }) {
  const counties = [...new Set(kept.projects.map((one) => one.county_code))]
  return (
    <>
      <h1>{t("officer.projects")}</h1>
      {kept.conflicts.length > 0 && (
        <section class="notice">
          <h2>{t("officer.conflicts", { n: kept.conflicts.length })}</h2>
          <ul>{kept.conflicts.map((one) => <li key={one.id}><a href={`#/conflict/${one.id}`}>{name(kept.projects.find((project) => project.id === one.project_id)?.title)} · {t("officer.milestone", { no: one.milestone_no })}</a></li>)}</ul>
        </section>
      )}
      {!kept.projects.length && <p class="quiet">{t("officer.none")}</p>}
      {counties.map((code) => (
        <section key={code}>
          <h2>{name(kept.counties[code])}</h2>
          {kept.projects.filter((one) => one.county_code === code).map((one) => (
            <a key={one.id} class="card way" href={`#/project/${one.id}`}>
              <b>{name(one.title)}</b>
              <span class="quiet">{t(`category.${one.category}`)} · {t(`project.${one.status}`)} · {percent(one.progress)}</span>
              <progress max={100} value={one.progress} aria-label={t("officer.progress")} />
              {next(one) && <span>{t("officer.next")} {name(next(one)!.title)} <Due of={next(one)!} /></span>}
            </a>
          ))}
        </section>
      ))}
    </>
  )
}

const next = (project: Project): Milestone | undefined =>
  project.status === "active" || project.status === "suspended" ? project.milestones.find((one) => one.status === "pending" || one.status === "returned") : undefined

const Due = ({ of }: { of: Milestone }) => <span class={of.due_on < today() && of.status !== "verified" ? "tag warn" : "quiet"}>{t("officer.due", { on: onDay(of.due_on) })}</span>

export function OneProject({ project }: { project: Project }) {
  const open = project.status === "active" || project.status === "suspended"
  const mine = (test: (one: Report) => boolean) => state.reports.find((one) => one.project_id === project.id && one.state !== "sent" && test(one))
  return (
    <>
      <p><a href="#/">← {t("officer.projects")}</a></p>
      <h1>{name(project.title)}</h1>
      <p class="quiet">{name(state.kept!.counties[project.county_code])} · {t(`category.${project.category}`)} · {t(`project.${project.status}`)} · {percent(project.progress)}</p>
      <h2>{t("officer.milestones")}</h2>
      {project.milestones.map((one) => {
        const unsent = mine((report) => report.milestone_no === one.no)
        return (
          <section key={one.no} class="card">
            <h3>{one.no}. {name(one.title)}</h3>
            <p><span class={one.status === "returned" ? "tag bad" : "tag"}>{t(`milestone.${one.status}`)}</span> <Due of={one} /> <span class="quiet">· {t("officer.weight", { weight: one.weight })}</span></p>
            {one.status === "returned" && one.reason && <p>{t("officer.returned")} {one.reason}</p>}
            {one.note && <p class="quiet">{one.note}</p>}
            {one.evidence.length > 0 && <p class="quiet">{t("officer.photos", { n: one.evidence.length })}</p>}
            {unsent && <p><a href="#/sending">{t(`officer.state.${unsent.state}`)}</a></p>}
            {open && <a class="button" href={`#/report/${project.id}/${one.no}`}>{t(one.status === "pending" ? "officer.report" : "officer.report-more")}</a>}
          </section>
        )
      })}
      <h2>{t("officer.indicators")}</h2>
      {project.indicators.map((one) => (
        <section key={one.code} class="card">
          <h3>{t(`indicator.${one.code}`)}</h3>
          <p><b>{measured(one.actual, one.unit)}</b> <span class="quiet">{t("officer.of-target", { target: measured(one.target, one.unit) })}</span></p>
          {mine((report) => report.indicator === one.code) && <p><a href="#/sending">{t(`officer.state.${mine((report) => report.indicator === one.code)!.state}`)}</a></p>}
          {open && <a class="button plain" href={`#/observe/${project.id}/${one.code}`}>{t("officer.observe")}</a>}
        </section>
      ))}
    </>
  )
}
