// All rounds, newest first, and a new one.

import { useState } from "preact/hooks"
import { number, onDay, today } from "../../lib/format"
import { all, post } from "../../lib/http"
import { go, href } from "../../lib/router"
import { has } from "../../lib/session"
import { t } from "../../lib/words"
import { asProblem, Refusal, Show, useLoad, When } from "../../ui/load"
import { Table } from "../../ui/table"
import type { Problem } from "../../lib/http"

export interface Round {
  id: string
  as_of: string
  seed: number
  status: "running" | "completed" | "failed" | "cancelled"
  progress: number
  pairings: number | null
  counties_reached: number | null
  needs_served: number | null
  needs_unserved: number | null
  solve_ms: number | null
  reason: string | null
  version: number
  requested_at: string
}

export default function Rounds() {
  const rounds = useLoad((signal) => all<Round>("pairing", "/rounds", {}, signal), [])
  return (
    <>
      <h1>{t("rounds.title")}</h1>
      {has("coordinator") && <Begin />}
      <Show of={rounds}>
        {(found) => (
          <Table
            caption={t("rounds.list")}
            rows={found}
            id={(one) => one.id}
            file="rounds"
            columns={[
              { head: t("rounds.as-of"), cell: (one) => <a href={href(`/rounds/${one.id}`)}>{onDay(one.as_of)}</a>, plain: (one) => one.as_of },
              { head: t("status"), cell: (one) => <RoundStatus of={one} />, plain: (one) => t(`round.${one.status}`) },
              { head: t("rounds.asked"), cell: (one) => <When at={one.requested_at} />, plain: (one) => one.requested_at },
              { head: t("round.pairings"), cell: (one) => number(one.pairings), plain: (one) => one.pairings, figure: true },
              { head: t("round.counties"), cell: (one) => number(one.counties_reached), plain: (one) => one.counties_reached, figure: true },
              { head: t("round.unserved"), cell: (one) => number(one.needs_unserved), plain: (one) => one.needs_unserved, figure: true },
            ]}
          />
        )}
      </Show>
    </>
  )
}

export const RoundStatus = ({ of }: { of: Round }) => <span class={of.status === "failed" ? "tag bad" : of.status === "cancelled" ? "tag warn" : "tag"}>{t(`round.${of.status}`)}</span>

function Begin() {
  const [day, setDay] = useState(today())
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)
  const run = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      // The seed decides between plans that are equally good; it is kept with the round.
      const made = await post<Round>("pairing", "/rounds", { as_of: day, seed: crypto.getRandomValues(new Uint32Array(1))[0] })
      go(`/rounds/${made.body.id}`)
    } catch (fault) {
      setProblem(asProblem(fault))
      setBusy(false)
    }
  }
  return (
    <form class="card" onSubmit={run}>
      <p>{t("rounds.lead")}</p>
      {problem && <Refusal problem={problem} />}
      <div class="filters">
        <label>{t("rounds.as-of")}<input type="date" required value={day} onInput={(event) => setDay(event.currentTarget.value)} /></label>
        <button disabled={busy}>{t("rounds.run")}</button>
      </div>
    </form>
  )
}
