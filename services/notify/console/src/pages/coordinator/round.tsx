// One round: how far it is, what it proposes, what is otherwise than in the one before it, and what it leaves unserved.

import { useEffect, useState } from "preact/hooks"
import type { PageProps } from "../page"
import { number, onDay } from "../../lib/format"
import { get, post, Problem } from "../../lib/http"
import { because } from "../../lib/programme"
import { href, setQuery } from "../../lib/router"
import { has } from "../../lib/session"
import { t } from "../../lib/words"
import { Ask } from "../../ui/dialog"
import { Show, useLoad } from "../../ui/load"
import { useNames } from "../../ui/names"
import { Difference } from "./difference"
import { Proposals } from "./proposals"
import { RoundStatus, type Round } from "./rounds"
import { Unserved } from "./unserved"

interface Approval { approved: string[]; refused: { pairing_id: string; type: string; detail: string }[] }
const VIEWS = ["proposals", "difference", "unserved"] as const

export default function OneRound({ params, query }: PageProps) {
  const round = useLoad((signal) => get<Round>("pairing", `/rounds/${params.id}`, {}, signal), [params.id])
  const running = round.value?.status === "running"
  useEffect(() => {
    if (!running) return
    const timer = setInterval(round.again, 1000)
    return () => clearInterval(timer)
  }, [running])
  return (
    <>
      <p><a href={href("/rounds")}>← {t("rounds.title")}</a></p>
      <h1>{round.value ? t("round.of", { day: onDay(round.value.as_of) }) : t("round.title")}</h1>
      <Show of={round}>
        {(seen) => (
          <>
            <p role="status"><RoundStatus of={seen} /> {because(seen.reason ?? "")}</p>
            {seen.status === "failed" && <details><summary>{t("details")}</summary><p lang="en">{seen.reason}</p></details>}
            {running && <Running of={seen} again={round.again} />}
            {seen.status === "completed" && <Completed of={seen} view={VIEWS.find((one) => one === query.view) ?? "proposals"} />}
          </>
        )}
      </Show>
    </>
  )
}

function Running({ of, again }: { of: Round; again: () => void }) {
  const [asked, ask] = useState(false)
  const cancel = (reason: string) => post("pairing", `/rounds/${of.id}/cancel`, reason ? { reason } : {}).then(again)
  return (
    <section class="card">
      <p><label>{t("round.progress", { progress: of.progress })}<progress max={100} value={of.progress} /></label></p>
      {has("coordinator") && <button type="button" class="danger" onClick={() => ask(true)}>{t("round.cancel")}</button>}
      {asked && <Ask title={t("round.cancel")} doIt={cancel} close={() => ask(false)} again={again}><p>{t("round.cancel.means")}</p></Ask>}
    </section>
  )
}

function Completed({ of, view }: { of: Round; view: (typeof VIEWS)[number] }) {
  const names = useNames()
  const [asked, ask] = useState(false)
  const [done, setDone] = useState<Approval | null>(null)
  const [turn, setTurn] = useState(0)
  const approve = async () => {
    setDone((await post<Approval>("pairing", `/rounds/${of.id}/approve`, {})).body)
    setTurn((n) => n + 1)
  }
  return (
    <>
      <ul class="figures">
        <li><b>{number(of.pairings)}</b> {t("round.pairings")}</li>
        <li><b>{number(of.counties_reached)}</b> {t("round.counties")}</li>
        <li><b>{number(of.needs_served)}</b> {t("round.served")}</li>
        <li><b>{number(of.needs_unserved)}</b> <a href={href(`/rounds/${of.id}`, { view: "unserved" })}>{t("round.unserved")}</a></li>
      </ul>
      {has("coordinator") && <p><button type="button" onClick={() => ask(true)}>{t("round.approve")}</button></p>}
      {asked && <Ask title={t("round.approve")} doIt={approve} close={() => ask(false)} again={() => setTurn((n) => n + 1)}><p>{t("round.approve.means")}</p></Ask>}
      {done && (
        <div class={done.refused.length ? "notice" : "card"} role="status">
          <p>{t("round.approved", { n: done.approved.length })}</p>
          {done.refused.length > 0 && <><p>{t("round.refused", { n: done.refused.length })}</p><ul>{done.refused.map((one) => <li key={one.pairing_id}><a href={href(`/pairings/${one.pairing_id}`)}>{new Problem(409, one.type.split("/").pop()!, one.detail).sentence}</a></li>)}</ul></>}
        </div>
      )}
      <div class="tabs" role="group" aria-label={t("round.views")}>
        {VIEWS.map((one) => <button key={one} type="button" class="plain" aria-pressed={one === view} onClick={() => setQuery({ view: one })}>{t(`round.${one}`)}</button>)}
      </div>
      {view === "proposals" && <Proposals key={turn} round={of.id} names={names} />}
      {view === "difference" && <Difference round={of.id} names={names} />}
      {view === "unserved" && <Unserved round={of.id} names={names} />}
    </>
  )
}
