// What was noted on this phone, each with how far it came; what needs somebody can be mended, exported or deleted by itself.

import { ago, at } from "../lib/format"
import { session } from "../lib/session"
import { language, name, t } from "../lib/words"
import { read } from "./database"
import { remove, save, submit } from "./reports"
import { state, type Report } from "./state"
import { sync } from "./sync"

export function Sending() {
  const mine = state.reports.filter((one) => one.sub === session()!.sub).toReversed()
  const others = state.reports.filter((one) => one.sub !== session()!.sub && one.state !== "sent").length
  return (
    <>
      <p><a href="#/">← {t("officer.projects")}</a></p>
      <h1>{t("officer.sending")}</h1>
      {!mine.length && <p class="quiet">{t("officer.sending.none")}</p>}
      {others > 0 && <p class="notice">{t("officer.others", { n: others })}</p>}
      {mine.map((report) => <One key={report.id} report={report} />)}
    </>
  )
}

function One({ report }: { report: Report }) {
  const project = state.kept?.projects.find((one) => one.id === report.project_id)
  const what = report.indicator ? t(`indicator.${report.indicator}`) : `${report.milestone_no}. ${name(project?.milestones.find((one) => one.no === report.milestone_no)?.title)}`
  const stage = state.sending.has(report.id) && report.state === "waiting" ? "sending" : report.state
  const form = report.indicator ? `#/observe/${report.project_id}/${report.indicator}` : `#/report/${report.project_id}/${report.milestone_no}`
  const mend = async () => {
    await save({ ...report, state: "draft", occurred_at: new Date() < new Date(report.occurred_at) ? new Date().toISOString() : report.occurred_at })
    location.hash = form
  }
  return (
    <section class="card" data-report={report.id} data-state={stage}>
      <p class="stage"><span class={stage === "needs" ? "tag bad" : stage === "sent" ? "tag good" : "tag"}>{t(`officer.state.${stage}`)}</span> <time class="quiet" dateTime={report.noted_at} title={at(report.noted_at)}>{ago(report.noted_at)}</time></p>
      <h2>{what}</h2>
      <p class="quiet">{name(project?.title)}</p>
      {report.note && <p class="text">{report.note}</p>}
      {report.photos.length > 0 && report.state !== "sent" && <p class="quiet">{t(report.words_sent ? "officer.photos.follow" : "officer.photos", { n: report.photos.length })}</p>}
      {report.why && <p class={stage === "needs" ? "fault" : "quiet"}>{report.why[language]}</p>}
      <p class="actions">
        {stage === "draft" && <a class="button" href={form}>{t("officer.go-on")}</a>}
        {stage === "needs" && report.conflict_id && <a class="button" href={`#/conflict/${report.conflict_id}`}>{t("officer.decide")}</a>}
        {stage === "needs" && !report.words_sent && <button type="button" onClick={() => void mend()}>{t("officer.mend")}</button>}
        {stage === "needs" && !report.conflict_id && <button type="button" class="plain" onClick={() => void submit(report).then(sync)}>{t("try-again")}</button>}
        {stage !== "sent" && <button type="button" class="plain" onClick={() => void exported(report)}>{t("officer.export")}</button>}
        {stage !== "sending" && <button type="button" class="plain" onClick={() => { if (stage === "sent" || confirm(t("officer.delete.sure"))) void remove(report) }}>{t("officer.delete")}</button>}
      </p>
    </section>
  )
}

/** A file with all of a report, its photos in it: whoever gets it can enter it by hand. */
async function exported(report: Report): Promise<void> {
  const photos = await Promise.all(report.photos.map(async (photo) => dataUrl((await read<Blob>("photos", photo))!)))
  const link = document.createElement("a")
  link.href = URL.createObjectURL(new Blob([JSON.stringify({ ...report, photos }, null, 2)], { type: "application/json" }))
  link.download = `jiedui-${report.noted_at.slice(0, 10)}-${report.id.slice(0, 8)}.json`
  link.click()
}

const dataUrl = (file: Blob): Promise<string> =>
  new Promise((resolve) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.readAsDataURL(file)
  })
