// What became of one promise: its pairings with their reasons, their projects, and all that happened, in its order.

import { useEffect } from "preact/hooks"
import { onDay, percent } from "../../lib/format"
import type { PageProps } from "../page"
import { all, get } from "../../lib/http"
import { because, worth, type Commitment, type Pairing, type Project } from "../../lib/programme"
import { href } from "../../lib/router"
import { has } from "../../lib/session"
import { knows, language, name, t } from "../../lib/words"
import { Show, useLoad, When } from "../../ui/load"
import { useNames, type Names } from "../../ui/names"
import { CommitmentStatus } from "./commitments"

interface Told { position: number; event: { type: string; time: string } }
interface Why { sentences: { zh: string[]; en: string[] } }

export default function OneCommitment({ params }: PageProps) {
  const names = useNames()
  const seen = useLoad(async (signal) => {
    const [commitment, pairings] = await Promise.all([
      get<Commitment>("pairing", `/commitments/${params.id}`, {}, signal),
      all<Pairing>("pairing", "/pairings", { commitment: params.id }, signal),
    ])
    return { commitment, pairings: pairings.filter((one) => one.status !== "superseded") }
  }, [params.id])
  const story = useLoad((signal) => get<{ items: Told[] }>("notify", `/story/${params.id}`, {}, signal), [params.id])
  // What was submitted a moment ago is in the archive in a moment.
  const soon = story.problem?.status === 404
  useEffect(() => {
    if (!soon) return
    const timer = setInterval(story.again, 2000)
    return () => clearInterval(timer)
  }, [soon])
  return (
    <>
      {has("partner") && <p><a href={href("/commitments")}>← {t("commitments.title")}</a></p>}
      <Show of={seen}>
        {({ commitment, pairings }) => (
          <>
            <h1>{name(commitment.title)}</h1>
            <dl class="card pairs">
              <div><dt>{t("status")}</dt><dd><CommitmentStatus status={commitment.status} /></dd></div>
              <div><dt>{t("partner")}</dt><dd>{names.partner(commitment.partner_id)}</dd></div>
              <div><dt>{t("category")}</dt><dd>{t(`category.${commitment.category}`)}</dd></div>
              <div><dt>{t(`support.${commitment.support.kind}`)}</dt><dd>{worth(commitment.support)}</dd></div>
              <div><dt>{t("remaining")}</dt><dd>{worth({ ...commitment.support, ...(commitment.remaining.amount ?? { quantity: commitment.remaining.quantity ?? 0 }) })}</dd></div>
              <div><dt>{t("valid")}</dt><dd>{t("days", { from: onDay(commitment.valid_from), until: onDay(commitment.valid_until) })}</dd></div>
            </dl>
            <h2>{t("pairings")}</h2>
            {!pairings.length && <p class="quiet">{t("pairings.none")}</p>}
            {pairings.map((one) => <Paired key={one.id} of={one} names={names} />)}
          </>
        )}
      </Show>
      {!seen.value && <h1>{t("commitment")}</h1>}
      <h2>{t("story")}</h2>
      {soon ? <p class="quiet" role="status">{t("story.soon")}</p> : (
        <Show of={story}>
          {(told) => <ol class="story">{told.items.map((one) => <li key={one.position}><b>{said(one.event.type)}</b> <When at={one.event.time} /></li>)}</ol>}
        </Show>
      )}
    </>
  )
}

const said = (type: string): string => {
  const key = `event.${type.replace("jiedui.", "")}`
  return knows(key) ? t(key) : t("story.other")
}

function Paired({ of, names }: { of: Pairing; names: Names }) {
  const why = useLoad((signal) => get<Why>("pairing", `/pairings/${of.id}/explanation`, {}, signal), [of.id])
  const project = useLoad((signal) => (of.project_id ? get<Project>("projects", `/projects/${of.project_id}`, {}, signal) : Promise.resolve(null)), [of.project_id])
  return (
    <section class="card">
      <h3>{names.county(of.county_code)}</h3>
      <p><span class="tag">{t(`pairing.${of.status}`)}</span> {worth(of.allocated)} {because(of.reason ?? "")}</p>
      {project.problem && <p class="quiet">{project.problem.sentence}</p>}
      {project.value && (
        <>
          <p>{t(`project.${project.value.status}`)} · {percent(project.value.progress)}</p>
          <progress max={100} value={project.value.progress} aria-label={t("progress")} />
        </>
      )}
      <h4>{t("why")}</h4>
      <Show of={why}>{(found) => <ul>{found.sentences[language].map((one) => <li key={one}>{one}</li>)}</ul>}</Show>
    </section>
  )
}
