// Milestones that wait for a second person: what was reported, with its evidence; verified, or sent back with a reason.

import { useState } from "preact/hooks"
import type { PageProps } from "../page"
import { onDay } from "../../lib/format"
import { all, post } from "../../lib/http"
import type { Milestone, Project } from "../../lib/programme"
import { session } from "../../lib/session"
import { name, t } from "../../lib/words"
import { Ask } from "../../ui/dialog"
import { Show, useLoad, When } from "../../ui/load"
import { useNames, type Names } from "../../ui/names"
import { setQuery } from "../../lib/router"
import { Evidence } from "./evidence"

export default function Verify({ query }: PageProps) {
  const names = useNames()
  const projects = useLoad((signal) => all<Project>("projects", "/projects", { milestone: "reported" }, signal), [])
  const [said, say] = useState("")
  const done = (what: string) => {
    say(what)
    projects.again()
  }
  return (
    <>
      <h1>{t("verify.title")}</h1>
      <p class="lead">{t("verify.lead")}</p>
      <p role="status">{said}</p>
      <Show of={projects}>
        {(found) => {
          const waiting = found
            .flatMap((project) => project.milestones.filter((one) => one.status === "reported").map((one) => ({ project, one })))
            .sort((a, b) => (a.one.reported_at! < b.one.reported_at! ? -1 : 1))
          const counties = [...new Set(waiting.map(({ project }) => project.county_code))]
          const shown = waiting.filter(({ project }) => !query.county || project.county_code === query.county)
          return (
            <>
              <div class="filters">
                <label>{t("county")}
                  <select value={query.county ?? ""} onChange={(event) => setQuery({ county: event.currentTarget.value || null })}>
                    <option value="">{t("all")}</option>
                    {counties.map((code) => <option key={code} value={code}>{names.county(code)}</option>)}
                  </select>
                </label>
                <p class="quiet">{t("verify.count", { n: shown.length })}</p>
              </div>
              {!shown.length && <p class="quiet">{t("verify.none")}</p>}
              {shown.map(({ project, one }) => <Waiting key={`${project.id}/${one.no}`} project={project} one={one} names={names} done={done} />)}
            </>
          )
        }}
      </Show>
    </>
  )
}

function Waiting({ project, one, names, done }: { project: Project; one: Milestone; names: Names; done: (what: string) => void }) {
  const [asked, ask] = useState<"verify" | "return" | null>(null)
  const own = one.reported_by === session()?.sub
  const title = name(one.title)
  const send = async (how: "verify" | "return", reason: string) => {
    const body = how === "return" ? { reason } : reason ? { note: reason } : {}
    await post("projects", `/projects/${project.id}/milestones/${one.no}/${how}`, body, { version: one.version })
    done(t(`verify.${how}.done`, { title }))
  }
  return (
    <section class="card" data-milestone={`${project.id}/${one.no}`}>
      <h2>{one.no}. {title}</h2>
      <p class="quiet">{name(project.title)} · {names.county(project.county_code)} · {names.partner(project.partner_id)}</p>
      <dl class="pairs">
        <div><dt>{t("verify.by")}</dt><dd>{names.person(one.reported_by)}</dd></div>
        <div><dt>{t("verify.at")}</dt><dd>{one.reported_at && <When at={one.reported_at} />}</dd></div>
        <div><dt>{t("verify.due")}</dt><dd>{onDay(one.due_on)}</dd></div>
      </dl>
      {one.note && <p class="text said">{one.note}</p>}
      <Evidence of={one.evidence} about={title} />
      {own && <p class="notice">{t("verify.own")}</p>}
      <p class="actions">
        {!own && <button type="button" onClick={() => ask("verify")}>{t("verify.verify")}</button>}
        <button type="button" class="danger" onClick={() => ask("return")}>{t("verify.return")}</button>
      </p>
      {asked && (
        <Ask title={t(`verify.${asked}`)} reason={asked === "return"} doIt={(reason) => send(asked, reason)} close={() => ask(null)} again={() => done("")}>
          <p>{t(`verify.${asked}.means`, { title })}</p>
        </Ask>
      )}
    </section>
  )
}
