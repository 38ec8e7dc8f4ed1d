// The rows behind one sum: commitments behind what was promised, entries of the ledger behind the rest.

import type { PageProps } from ".."
import { moneyExact, onDay } from "../../lib/format"
import { all } from "../../lib/http"
import type { Commitment } from "../../lib/programme"
import { href } from "../../lib/router"
import { name, t } from "../../lib/words"
import { Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"

interface Entry { id: string; no: number; type: string; booked_on: string; amount: string; currency: string; commitment_id: string; milestone_no: number | null; payee: string | null; reference: string | null }
// A reversal takes back an entry of any type.
const TYPES: Record<string, string[]> = {
  promised: ["pledged", "unpledged", "transferred", "reversed"],
  committed: ["reserved", "returned", "reversed"],
  handed_over: ["tranche_released", "returned", "reversed"],
  used: ["spent", "reversed"],
}

export default function Funds({ params }: PageProps) {
  const what = params.what!
  const rows = useLoad(async (signal) => {
    const [entries, commitments] = await Promise.all([
      Promise.all((TYPES[what] ?? []).map((type) => all<Entry>("funding", "/entries", { type }, signal))),
      all<Commitment>("pairing", "/commitments", {}, signal),
    ])
    return { entries: entries.flat().sort((a, b) => a.no - b.no), title: (id: string) => name(commitments.find((one) => one.id === id)?.title) }
  }, [what])
  if (!TYPES[what]) return <><h1>{t("gone.title")}</h1><p>{t("gone.page")}</p></>
  return (
    <>
      <p><a href={href("/commitments")}>← {t("commitments.title")}</a></p>
      <h1>{t(`funds.${what}`)}</h1>
      <p class="lead">{t(`funds.${what}.means`)}</p>
      <Show of={rows}>
        {({ entries, title }) => (
          <Table
            caption={t("funds.rows")}
            rows={entries}
            id={(one) => one.id}
            file={`funds-${what}`}
            columns={[
              { head: t("funds.on"), cell: (one) => onDay(one.booked_on), plain: (one) => one.booked_on },
              { head: t("funds.type"), cell: (one) => t(`entry.${one.type}`), plain: (one) => t(`entry.${one.type}`) },
              { head: t("commitment"), cell: (one) => <a href={href(`/commitments/${one.commitment_id}`)}>{title(one.commitment_id)}</a>, plain: (one) => title(one.commitment_id) },
              { head: t("funds.milestone"), cell: (one) => one.milestone_no ?? "—", plain: (one) => one.milestone_no, figure: true },
              { head: t("funds.payee"), cell: (one) => one.payee ?? "—", plain: (one) => one.payee },
              { head: t("funds.amount"), cell: (one) => moneyExact(one), plain: (one) => one.amount, figure: true },
            ]}
          />
        )}
      </Show>
    </>
  )
}
