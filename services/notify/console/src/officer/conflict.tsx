// The conflict desk: what the phone said, what stands there now, and what both began with; a person decides.

import { at } from "../lib/format"
import { post, Problem } from "../lib/http"
import { session } from "../lib/session"
import { name, t } from "../lib/words"
import { changed, state } from "./state"
import { sync } from "./sync"

let chosen: Record<string, string | null> = {}
let of = ""
let reason = ""
let problem: Problem | null = null
let busy = false

export function Desk({ id }: { id: string }) {
  const conflict = state.kept!.conflicts.find((one) => one.id === id)
  if (!conflict) return <><p><a href="#/">← {t("officer.projects")}</a></p><h1>{t("officer.desk")}</h1><p>{t("officer.settled")}</p></>
  if (of !== id) [of, chosen, reason, problem] = [id, {}, "", null]
  const project = state.kept!.projects.find((one) => one.id === conflict.project_id)
  const who = (sub: string) => t(sub === session()!.sub ? "officer.you" : "officer.another")
  const choose = (field: string, value: string | null) => { chosen = { ...chosen, [field]: value }; changed() }
  const settle = async (event: Event) => {
    event.preventDefault()
    busy = true
    changed()
    try {
      await post("projects", `/conflicts/${id}/resolve`, { fields: chosen, reason }, { version: conflict.version })
      state.kept!.conflicts = state.kept!.conflicts.filter((one) => one.id !== id)
      location.hash = "/"
      void sync()
    } catch (fault) {
      problem = fault as Problem
      // It may be another one by now, or none.
      void sync()
    }
    busy = false
    changed()
  }
  return (
    <>
      <p><a href="#/">← {t("officer.projects")}</a></p>
      <p class="quiet">{name(project?.title)} · {name(project?.milestones.find((one) => one.no === conflict.milestone_no)?.title)}</p>
      <h1>{t("officer.desk")}</h1>
      <p>{t("officer.desk.lead")}</p>
      <form onSubmit={settle}>
        {conflict.fields.map((field) => {
          const value = chosen[field.name]
          const ways: [string, string | null, string][] = [
            ["mine", field.mine, `${who(conflict.sent_by)} · ${at(conflict.occurred_at)}`],
            ["theirs", field.theirs, `${who(field.by)} · ${at(field.at)}`],
            ["base", field.base, ""],
          ]
          return (
            <fieldset key={field.name}>
              <legend>{t(`officer.field.${field.name}`)}</legend>
              {ways.map(([way, text, by]) => (
                <label key={way} class="card way">
                  <span><input type="radio" name={field.name} required={!(field.name in chosen)} checked={field.name in chosen && value === text} onChange={() => choose(field.name, text)} />{t(`officer.way.${way}`)} <span class="quiet">{by}</span></span>
                  <span class="text">{text ?? t("no-entry")}</span>
                </label>
              ))}
              <div class="field">
                <label for="own">{t("officer.way.own")}</label>
                <textarea id="own" rows={3} value={value ?? ""} onInput={(event) => choose(field.name, event.currentTarget.value)} />
              </div>
            </fieldset>
          )
        })}
        <div class="field">
          <label for="reason">{t("officer.reason")}</label>
          <textarea id="reason" required rows={2} value={reason} onInput={(event) => { reason = event.currentTarget.value; changed() }} />
        </div>
        {problem && <div class="refusal" role="alert"><p>{problem.sentence}</p></div>}
        <p class="actions"><button disabled={busy || !navigator.onLine}>{t(navigator.onLine ? "officer.settle" : "officer.settle.no-line")}</button></p>
      </form>
    </>
  )
}
