// Reporting a milestone, one thing a page: the words, the photos, then all of it once more before it is sent.

import { onDay, today } from "../lib/format"
import { session } from "../lib/session"
import { name, t } from "../lib/words"
import { write } from "./database"
import { shrink } from "./photo"
import { begin, remove, save, submit } from "./reports"
import { type Project } from "./state"
import { sync } from "./sync"
import { Photos } from "./photos"

let failed = false

export function ReportMilestone({ project, no, step }: { project: Project; no: number; step: string }) {
  const milestone = project.milestones.find((one) => one.no === no)
  if (!milestone) return <p>{t("problem.404")}</p>
  const draft = begin(session()!.sub, project, no, null)
  const to = (next: string) => (event: Event) => { event.preventDefault(); location.hash = `/report/${project.id}/${no}/${next}` }
  const addPhotos = async (files: FileList) => {
    const photos: string[] = []
    failed = false
    for (const file of files) {
      const id = crypto.randomUUID()
      try {
        if (await write("photos", id, await shrink(file))) photos.push(id)
      } catch {
        failed = true
      }
    }
    // Somebody may have written on meanwhile.
    const now = begin(draft.sub, project, no, null)
    await save({ ...now, photos: [...now.photos, ...photos] })
  }
  const send = async () => {
    await submit(draft)
    location.hash = "/sending"
    void sync()
  }
  return (
    <>
      <p><a href={step === "words" ? `#/project/${project.id}` : `#/report/${project.id}/${no}/${step === "check" ? "photos" : "words"}`}>← {t("officer.back")}</a></p>
      <p class="quiet">{name(project.title)}</p>
      <h1>{no}. {name(milestone.title)}</h1>
      {step === "words" && (
        <form onSubmit={to("photos")}>
          <div class="field">
            <label for="note">{t("officer.what")}</label>
            <p class="hint" id="note-hint">{t("officer.what.hint")}</p>
            <textarea id="note" rows={6} maxLength={10000} aria-describedby="note-hint" value={draft.note} onInput={(event) => void save({ ...draft, note: event.currentTarget.value })} />
          </div>
          <div class="field">
            <label for="day">{t("officer.when")}</label>
            <input id="day" type="date" required max={today()} value={dayOf(draft.occurred_at)} onInput={(event) => event.currentTarget.value && void save({ ...draft, occurred_at: instantOn(event.currentTarget.value) })} />
          </div>
          <p class="actions"><button>{t("officer.on")}</button></p>
        </form>
      )}
      {step === "photos" && (
        <form onSubmit={to("check")}>
          <div class="field">
            <h2>{t("officer.photo")}</h2>
            <p class="hint" id="photo-hint">{t("officer.photo.hint")}</p>
            <input id="photo" class="hidden" type="file" accept="image/*" multiple aria-describedby="photo-hint" onChange={(event) => { const input = event.currentTarget; void addPhotos(input.files!).then(() => (input.value = "")) }} />
            <label for="photo" class="button">{t("officer.photo.add")}</label>
            {failed && <p class="fault" role="alert">{t("officer.photo.unreadable")}</p>}
          </div>
          <Photos of={draft} drop={(photo) => void save({ ...draft, photos: draft.photos.filter((one) => one !== photo) })} />
          <p class="actions"><button>{t(draft.photos.length ? "officer.on" : "officer.no-photo")}</button></p>
        </form>
      )}
      {step === "check" && (
        <>
          <h2>{t("officer.check")}</h2>
          <dl class="card">
            <dt>{t("officer.what")}</dt><dd class="text">{draft.note || t("no-entry")}</dd>
            <dt>{t("officer.when")}</dt><dd>{onDay(dayOf(draft.occurred_at))}</dd>
            <dt>{t("officer.photo")}</dt><dd><Photos of={draft} /></dd>
          </dl>
          <p class="actions">
            <button type="button" onClick={() => void send()}>{t(navigator.onLine ? "officer.send" : "officer.send-later")}</button>
            <button type="button" class="plain" onClick={() => { void remove(draft); location.hash = `/project/${project.id}` }}>{t("officer.discard")}</button>
          </p>
        </>
      )}
    </>
  )
}

/** The day in Beijing of an instant, and an instant on a day: now for today, noon for an earlier one. */
const dayOf = (instant: string): string => today(new Date(instant))
const instantOn = (day: string): string => (day === today() ? new Date() : new Date(`${day}T12:00:00+08:00`)).toISOString()
