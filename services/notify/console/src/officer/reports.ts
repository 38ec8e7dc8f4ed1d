// What an officer notes: reports of milestones and observations, each with one id for ever, kept until it is sent.
//
//     draft → waiting → sending → sent
//                ↑         ↓
//                └── needs you: refused (mend it, export it, delete it) or in conflict (decide at the desk)
//
// Of a report with photos the words go first, as an edit of their own; the photos follow as a second one that builds on
// it. So what was done is known soon, over however thin a line. Edits of one milestone build on one another: see `link`.

import { drop, readAll, write } from "./database"
import { changed, state, type Project, type Report } from "./state"

let writes = 0

export async function readReports(): Promise<void> {
  let before: number
  let found: Report[] | undefined
  do {
    before = writes
    found = state.lost ? state.reports : await readAll("reports")
    // What was noted while it was read is not in it yet.
  } while (before !== writes)
  state.reports = (found ?? state.reports).sort((a, b) => (a.noted_at < b.noted_at ? -1 : 1))
  changed()
}

export async function save(report: Report): Promise<void> {
  const at = state.reports.findIndex((one) => one.id === report.id)
  state.reports = at < 0 ? [...state.reports, report] : state.reports.with(at, report)
  changed()
  writes++
  await write("reports", report.id, report)
  writes++
}

/** A draft of this kind that is being written already, else a new one. */
export function begin(sub: string, project: Project, milestone_no: number | null, indicator: string | null): Report {
  const there = state.reports.find((one) => one.state === "draft" && one.sub === sub && one.project_id === project.id && one.milestone_no === milestone_no && one.indicator === indicator)
  const now = new Date().toISOString()
  return there ?? {
    id: crypto.randomUUID(), sub, kind: indicator ? "observation" : "milestone-report", project_id: project.id, milestone_no, indicator,
    state: "draft", noted_at: now, occurred_at: now, note: "", typed: {}, value: null, splits: {}, from: "", until: "", photos: [], uploaded: {},
    photos_id: crypto.randomUUID(), base_version: null, after: null, words_sent: false, photos_sent: false, why: null, conflict_id: null,
  }
}

/** From a draft, or one that was refused, to one that waits for a line. */
export async function submit(report: Report): Promise<void> {
  await save({ ...report, ...(report.words_sent ? {} : link(report)), state: "waiting", why: null })
}

/**
 * What a report builds on. One noted before it that this phone has not sent yet, or has sent since it last read the
 * milestone: then the chain goes on. Else the version that was read.
 */
function link(report: Report): Pick<Report, "base_version" | "after"> {
  if (report.kind === "observation") return { base_version: null, after: null }
  const version = state.kept?.projects.find((one) => one.id === report.project_id)?.milestones.find((one) => one.no === report.milestone_no)?.version ?? 1
  const before = state.reports.findLast((one) =>
    one.noted_at < report.noted_at && one.sub === report.sub && one.project_id === report.project_id && one.milestone_no === report.milestone_no &&
    (one.state === "waiting" || (one.state === "sent" && one.base_version === version)))
  return before ? { base_version: before.base_version, after: lastEdit(before) } : { base_version: version, after: null }
}

const lastEdit = (report: Report): string => (report.photos.length ? report.photos_id : report.id)

/** Removes it and its photos. What built upon it builds on what it built upon, or it would wait for ever. */
export async function remove(report: Report): Promise<void> {
  for (const one of state.reports) {
    if (one.after === report.id || one.after === report.photos_id) await save({ ...one, after: report.words_sent ? report.id : report.after })
  }
  state.reports = state.reports.filter((one) => one.id !== report.id)
  changed()
  writes++
  await drop(report.id, report.photos)
}

/** The words of a report as an edit for the service. */
export function wordsOf(report: Report): object {
  const fields = report.kind === "observation"
    ? { indicator: report.indicator, value: report.value, ...(report.from && report.from !== report.until ? { period: { from: report.from, until: report.until } } : { on: report.until }), ...(Object.keys(report.splits).length ? { splits: report.splits } : {}) }
    : report.note ? { note: report.note } : {}
  return edit(report, report.id, report.after, fields)
}

/** Its photos, once all are uploaded. */
export const photosOf = (report: Report): object => edit(report, report.photos_id, report.id, { evidence: report.photos.map((photo) => report.uploaded[photo]) })

function edit(report: Report, id: string, after: string | null, fields: object): object {
  const { kind, project_id, milestone_no, base_version, occurred_at } = report
  return { id, kind, project_id, milestone_no, base_version, after, occurred_at, fields }
}
