// Sending what waits and reading what is new, whenever there is a line. Sending again is safe: an edit is taken once.
//
// A refused report is set aside and the next one goes on; a token that is over, a service that is away or no line at all
// stop everything, as the next one would fare no better.

import { get, post, Problem, type Page } from "../lib/http"
import { isOver, session } from "../lib/session"
import { read, write } from "./database"
import { photosOf, readReports, save, wordsOf } from "./reports"
import { changed, state, type Conflict, type Kept, type Named, type Project, type Report } from "./state"

interface Verdict { id: string; outcome: "applied" | "merged" | "duplicate" | "conflict" | "waiting" | "refused"; detail: { zh: string; en: string }; conflict_id: string | null }

const AT_ONCE = 40
const AGAIN_MS = 30_000
let again: ReturnType<typeof setTimeout> | undefined

let asked = false

/** Sends, then reads; one tab of the browser at a time. Whoever asks while it is under way is served by one more turn. */
export async function sync(): Promise<void> {
  if (asked || !navigator.onLine) return
  asked = true
  clearTimeout(again)
  await navigator.locks.request("jiedui-officer", async () => {
    asked = false
    if (!session() || isOver()) return
    state.busy = true
    state.problem = null
    try {
      // What other tabs have noted or sent meanwhile.
      await readReports()
      await sendAll()
      await readAnew()
    } catch (fault) {
      state.problem = fault instanceof Problem ? fault : new Problem(0, "page-broken", String(fault))
      if (!isOver()) again = setTimeout(sync, AGAIN_MS)
    }
    state.busy = false
    state.sending = new Set()
    changed()
  })
}

const waiting = (): Report[] => state.reports.filter((one) => one.state === "waiting" && one.sub === session()?.sub)

async function sendAll(): Promise<void> {
  const words = waiting().filter((one) => !one.words_sent)
  for (let i = 0; i < words.length; i += AT_ONCE) await sendWords(words.slice(i, i + AT_ONCE))
  for (const report of waiting()) if (report.words_sent && !report.photos_sent) await sendPhotos(report)
}

async function sendWords(reports: Report[]): Promise<void> {
  mark(reports)
  for (const [i, verdict] of (await push(reports.map(wordsOf), reports)).entries()) {
    const report = current(reports[i]!)
    if (!report || verdict.outcome === "waiting") continue
    if (verdict.outcome === "refused") await save({ ...report, state: "needs", why: verdict.detail })
    else await settle({ ...report, words_sent: true, photos_sent: !report.photos.length, conflict_id: verdict.conflict_id, why: verdict.conflict_id ? verdict.detail : null })
  }
}

async function sendPhotos(report: Report): Promise<void> {
  mark([report])
  try {
    for (const photo of report.photos) {
      if (report.uploaded[photo]) continue
      const file = await read<Blob>("photos", photo)
      if (!file) throw new Problem(422, "photo-gone", "the browser no longer has the photo")
      const { body } = await post<{ sha256: string }>("projects", "/evidence", undefined, { file, key: photo })
      report = { ...report, uploaded: { ...report.uploaded, [photo]: body.sha256 } }
      if (!current(report)) return
      await save(report)
    }
  } catch (fault) {
    if (!(fault instanceof Problem) || stops(fault)) throw fault
    return save({ ...report, state: "needs", why: { zh: fault.sentence, en: fault.sentence } })
  }
  const [verdict] = await push([photosOf(report)], [report])
  if (verdict!.outcome === "waiting") return
  if (verdict!.outcome === "refused") return save({ ...report, state: "needs", why: verdict!.detail })
  await settle({ ...report, photos_sent: true })
}

/** Sent, once its words and photos are; in conflict, it needs somebody all the same. */
const settle = (report: Report): Promise<void> =>
  save({ ...report, state: !report.photos_sent ? "waiting" : report.conflict_id ? "needs" : "sent" })

async function push(edits: object[], of: Report[]): Promise<Verdict[]> {
  try {
    return (await post<{ results: Verdict[] }>("projects", "/sync", { edits, grant: state.kept?.grant })).body.results
  } catch (fault) {
    if (!(fault instanceof Problem) || stops(fault)) throw fault
    const why = { zh: fault.sentence, en: fault.sentence }
    if (edits.length === 1) return [{ id: of[0]!.id, outcome: "refused", detail: why, conflict_id: null }]
    // One of them is what the service cannot read: each by itself, so that it holds up no other.
    const alone: Verdict[] = []
    for (const [i, edit] of edits.entries()) alone.push(...(await push([edit], [of[i]!])))
    return alone
  }
}

/** Whether the next one would fare no better. */
const stops = ({ status }: Problem): boolean => [0, 401, 403, 408, 429].includes(status) || status >= 500

function mark(reports: Report[]): void {
  state.sending = new Set(reports.map((one) => one.id))
  changed()
}

/** As it is now: somebody may have deleted it while it was under way. */
const current = (report: Report): Report | undefined => state.reports.find((one) => one.id === report.id)

async function readAnew(): Promise<void> {
  const { sub } = session()!
  const projects: Project[] = []
  let page: Page<Project> & { grant: string }
  let cursor: string | null = null
  do {
    page = await get("projects", "/sync", { limit: 100, cursor })
    projects.push(...page.items)
    cursor = page.next_cursor
  } while (cursor)
  const { items: conflicts } = await get<Page<Conflict>>("projects", "/conflicts", { limit: 500 })
  const kept: Kept = { read_at: new Date().toISOString(), grant: page.grant, projects, conflicts, counties: state.kept?.counties ?? {} }
  const keep = () => write("kept", sub, kept)
  state.kept = kept
  await keep()
  // What somebody has decided meanwhile, here or elsewhere, needs nobody any more.
  for (const one of state.reports) {
    if (one.sub === sub && one.conflict_id && !conflicts.some(({ id }) => id === one.conflict_id)) await settle({ ...one, conflict_id: null, why: null })
  }
  // A county's name is no reason to stop: pairing may be away while projects is not.
  for (const { county_code } of projects) {
    kept.counties[county_code] ??= (await get<{ name: Named }>("pairing", `/counties/${county_code}`)).name
  }
  await keep()
}

/** What was read on an earlier day. */
export async function readKept(): Promise<void> {
  const sub = session()?.sub
  state.kept = (sub && (await read<Kept>("kept", sub))) || null
  changed()
}
