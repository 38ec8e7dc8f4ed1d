// One pairing: why it is, what would be without it, and what a coordinator may do about it.

import { useState } from "preact/hooks"
import type { PageProps } from "../page"
import { number } from "../../lib/format"
import { get, post } from "../../lib/http"
import { because, worth, type Commitment, type Pairing } from "../../lib/programme"
import { href } from "../../lib/router"
import { has } from "../../lib/session"
import { language, name, t } from "../../lib/words"
import { Ask } from "../../ui/dialog"
import { Show, useLoad } from "../../ui/load"
import { useNames } from "../../ui/names"
import { Table } from "../../ui/table"
import type { Sentences } from "./difference"
import { PairingStatus } from "./proposals"

interface Explanation {
  levels: { level: string; with: number; without: number }[]
  instead: { county_code: string } | null
  sentences: Sentences
}
type Act = "approve" | "reject" | "revoke" | "pin" | "ban"

export default function OnePairing({ params }: PageProps) {
  const names = useNames()
  const seen = useLoad(async (signal) => {
    const pairing = await get<Pairing>("pairing", `/pairings/${params.id}`, {}, signal)
    return { pairing, commitment: await get<Commitment>("pairing", `/commitments/${pairing.commitment_id}`, {}, signal) }
  }, [params.id])
  const why = useLoad((signal) => get<Explanation>("pairing", `/pairings/${params.id}/explanation`, {}, signal), [params.id])
  const [said, say] = useState("")
  return (
    <>
      {seen.value && <p><a href={href(`/rounds/${seen.value.pairing.round_id}`)}>← {t("round.title")}</a></p>}
      <h1>{seen.value ? t("pairing.of", { partner: names.partner(seen.value.pairing.partner_id), county: names.county(seen.value.pairing.county_code) }) : t("pairing.title")}</h1>
      <Show of={seen}>
        {({ pairing, commitment }) => (
          <>
            <dl class="card pairs">
              <div><dt>{t("commitment")}</dt><dd><a href={href(`/commitments/${commitment.id}`)}>{name(commitment.title)}</a></dd></div>
              <div><dt>{t("category")}</dt><dd>{t(`category.${pairing.category}`)}</dd></div>
              <div><dt>{t("allocated")}</dt><dd>{worth(pairing.allocated)}</dd></div>
              <div><dt>{t("status")}</dt><dd><PairingStatus status={pairing.status} /> {because(pairing.reason ?? "")}</dd></div>
            </dl>
            <p role="status">{said}</p>
            {has("coordinator") && <Acts of={pairing} again={seen.again} done={(act) => { say(t(`pairing.${act}.done`)); seen.again() }} />}
          </>
        )}
      </Show>
      <h2>{t("why")}</h2>
      <Show of={why}>
        {(found) => (
          <>
            <ul>{found.sentences[language].map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
            <Table
              caption={t("pairing.levels")}
              rows={found.levels}
              id={(one) => one.level}
              columns={[
                { head: t("pairing.level"), cell: (one) => t(`level.${one.level}`) },
                { head: t("pairing.with"), cell: (one) => number(one.with), figure: true },
                { head: t("pairing.without"), cell: (one) => number(one.without), figure: true },
              ]}
            />
          </>
        )}
      </Show>
    </>
  )
}

function Acts({ of, again, done }: { of: Pairing; again: () => void; done: (act: Act) => void }) {
  const [asked, ask] = useState<Act | null>(null)
  const acts: Act[] = [...(of.status === "proposed" ? (["approve", "reject"] as const) : of.status === "approved" ? (["revoke"] as const) : []), "pin", "ban"]
  const doIt = async (act: Act, reason: string) => {
    if (act === "pin" || act === "ban") await post("pairing", "/rules", { kind: act, commitment_id: of.commitment_id, county_code: of.county_code, reason })
    else await post("pairing", `/pairings/${of.id}/${act}`, act === "approve" ? {} : { reason }, { version: of.version })
    done(act)
  }
  return (
    <p class="actions">
      {acts.map((act) => <button key={act} type="button" class={act === "approve" ? "" : act === "reject" || act === "revoke" ? "danger" : "plain"} onClick={() => ask(act)}>{t(`pairing.${act}`)}</button>)}
      {asked && <Ask title={t(`pairing.${asked}`)} reason={asked !== "approve"} doIt={(reason) => doIt(asked, reason)} close={() => ask(null)} again={again}><p>{t(`pairing.${asked}.means`)}</p></Ask>}
    </p>
  )
}
