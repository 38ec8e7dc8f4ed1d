// All that a partner promised, and what became of the money.

import { money, onDay } from "../../lib/format"
import { all, get } from "../../lib/http"
import { worth, type Commitment } from "../../lib/programme"
import { href } from "../../lib/router"
import { session } from "../../lib/session"
import { name, t } from "../../lib/words"
import { AsOf, Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"

interface View { funds: Record<string, Record<string, string>>; as_of: { position: number; time: string | null } }
const SUMS = ["promised", "committed", "handed_over", "used"] as const

export default function Commitments() {
  const view = useLoad((signal) => get<View>("notify", `/views/partners/${session()?.partner_id}`, {}, signal), [])
  const commitments = useLoad((signal) => all<Commitment>("pairing", "/commitments", {}, signal), [])
  return (
    <>
      <h1>{t("commitments.title")}</h1>
      <p class="actions"><a class="button" href={href("/commitments/new")}>{t("submit.title")}</a> <a class="button plain" href={href("/upload")}>{t("upload.title")}</a></p>
      <h2>{t("funds.title")}</h2>
      <Show of={view}>
        {(seen) => (
          <>
            {Object.entries(seen.funds).map(([currency, funds]) => (
              <ul class="figures" key={currency}>
                {SUMS.map((what) => <li key={what}><b>{money({ amount: funds[what]!, currency })}</b> <a href={href(`/funds/${what}`)}>{t(`funds.${what}`)}</a></li>)}
              </ul>
            ))}
            <AsOf of={seen.as_of} />
          </>
        )}
      </Show>
      <Show of={commitments}>
        {(found) => (
          <Table
            caption={t("commitments.list")}
            rows={found}
            id={(one) => one.id}
            file="commitments"
            columns={[
              { head: t("commitment"), cell: (one) => <a href={href(`/commitments/${one.id}`)}>{name(one.title)}</a>, plain: (one) => name(one.title) },
              { head: t("category"), cell: (one) => t(`category.${one.category}`), plain: (one) => t(`category.${one.category}`) },
              { head: t("support"), cell: (one) => worth(one.support), plain: (one) => one.support.amount ?? one.support.quantity ?? null, figure: true },
              { head: t("paired"), cell: (one) => `${one.pairings.length} / ${one.projects_max}`, plain: (one) => one.pairings.length, figure: true },
              { head: t("until"), cell: (one) => onDay(one.valid_until), plain: (one) => one.valid_until },
              { head: t("status"), cell: (one) => <CommitmentStatus status={one.status} />, plain: (one) => t(`commitment.${one.status}`) },
            ]}
          />
        )}
      </Show>
    </>
  )
}

export const CommitmentStatus = ({ status }: { status: string }) => <span class={status === "fully_paired" ? "tag good" : status === "withdrawn" || status === "expired" ? "tag warn" : "tag"}>{t(`commitment.${status}`)}</span>
