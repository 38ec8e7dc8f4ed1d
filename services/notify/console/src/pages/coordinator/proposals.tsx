// What a round proposes, pairing by pairing.

import { all } from "../../lib/http"
import { worth, type Commitment, type Pairing } from "../../lib/programme"
import { href } from "../../lib/router"
import { name, t } from "../../lib/words"
import { Show, useLoad } from "../../ui/load"
import type { Names } from "../../ui/names"
import { Table } from "../../ui/table"

export const useTitles = () => {
  const loaded = useLoad((signal) => all<Commitment>("pairing", "/commitments", {}, signal), [])
  return (id: string) => name(loaded.value?.find((one) => one.id === id)?.title ?? { zh: loaded.value ? t("unnamed") : "…" })
}

export function Proposals({ round, names }: { round: string; names: Names }) {
  const titles = useTitles()
  const pairings = useLoad((signal) => all<Pairing>("pairing", "/pairings", { round }, signal), [round])
  return (
    <Show of={pairings}>
      {(found) => (
        <Table
          caption={t("round.proposals")}
          rows={found}
          id={(one) => one.id}
          file="pairings"
          columns={[
            { head: t("county"), cell: (one) => <a href={href(`/pairings/${one.id}`)}>{names.county(one.county_code)}</a>, plain: (one) => names.county(one.county_code) },
            { head: t("partner"), cell: (one) => names.partner(one.partner_id), plain: (one) => names.partner(one.partner_id) },
            { head: t("commitment"), cell: (one) => titles(one.commitment_id), plain: (one) => titles(one.commitment_id) },
            { head: t("category"), cell: (one) => t(`category.${one.category}`), plain: (one) => t(`category.${one.category}`) },
            { head: t("allocated"), cell: (one) => worth(one.allocated), plain: (one) => one.allocated.amount ?? one.allocated.quantity ?? null, figure: true },
            { head: t("status"), cell: (one) => <PairingStatus status={one.status} />, plain: (one) => t(`pairing.${one.status}`) },
          ]}
        />
      )}
    </Show>
  )
}

export const PairingStatus = ({ status }: { status: string }) => <span class={status === "approved" ? "tag good" : status === "proposed" ? "tag" : "tag warn"}>{t(`pairing.${status}`)}</span>
