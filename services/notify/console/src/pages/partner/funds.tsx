// The entries of the ledger behind one sum, each with what it adds to it.

import type { PageProps } from "../page"
import { moneyExact, onDay, type Money } from "../../lib/format"
import { all } from "../../lib/http"
import type { Commitment } from "../../lib/programme"
import { href } from "../../lib/router"
import { name, t } from "../../lib/words"
import { Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"

interface Entry { id: string; no: number; type: string; booked_on: string; currency: string; commitment_id: string; milestone_no: number | null; payee: string | null; postings: (Money & { account_id: string })[] }
interface Row extends Entry { adds: bigint }

// A sum is what lies on accounts of some kinds; promised is what has left the partner's own.
const SUMS: Record<string, { accounts: RegExp; sign: bigint }> = {
  promised: { accounts: /-source$/, sign: -1n },
  committed: { accounts: /-(reserved|released|paid)$/, sign: 1n },
  handed_over: { accounts: /-(released|paid)$/, sign: 1n },
  used: { accounts: /-paid$/, sign: 1n },
}

export default function Funds({ params }: PageProps) {
  const what = params.what!
  const sum = SUMS[what]
  const rows = useLoad(async (signal) => {
    const [entries, commitments] = await Promise.all([all<Entry>("funding", "/entries", {}, signal), all<Commitment>("pairing", "/commitments", {}, signal)])
    const titles = new Map(commitments.map((one) => [one.id, name(one.title)]))
    // What others hand over is theirs.
    const own = entries.filter((one) => sum && titles.has(one.commitment_id))
    const rows = own.map((one): Row => ({ ...one, adds: sum!.sign * one.postings.filter((to) => sum!.accounts.test(to.account_id)).reduce((of, to) => of + minor(to.amount), 0n) }))
    return { rows: rows.filter((one) => one.adds), titles }
  }, [what])
  if (!sum) return <><h1>{t("gone.title")}</h1><p>{t("gone.page")}</p></>
  return (
    <>
      <p><a href={href("/commitments")}>← {t("commitments.title")}</a></p>
      <h1>{t(`funds.${what}`)}</h1>
      <p class="lead">{t(`funds.${what}.means`)}</p>
      <Show of={rows}>
        {({ rows, titles }) => (
          <>
            <p class="lead">{totals(rows).map((one) => <b key={one.currency} data-total={one.currency}>{moneyExact(one)} </b>)}</p>
            <Table
              caption={t("funds.rows")}
              rows={rows}
              id={(one) => one.id}
              file={`funds-${what}`}
              columns={[
                { head: t("funds.on"), cell: (one) => onDay(one.booked_on), plain: (one) => one.booked_on },
                { head: t("funds.type"), cell: (one) => t(`entry.${one.type}`), plain: (one) => t(`entry.${one.type}`) },
                { head: t("commitment"), cell: (one) => <a href={href(`/commitments/${one.commitment_id}`)}>{titles.get(one.commitment_id)}</a>, plain: (one) => titles.get(one.commitment_id)! },
                { head: t("funds.milestone"), cell: (one) => one.milestone_no ?? "—", plain: (one) => one.milestone_no, figure: true },
                { head: t("funds.payee"), cell: (one) => one.payee ?? "—", plain: (one) => one.payee },
                { head: t("funds.amount"), cell: (one) => moneyExact(money(one, one.adds)), plain: (one) => money(one, one.adds).amount, figure: true },
              ]}
            />
          </>
        )}
      </Show>
    </>
  )
}

function totals(rows: Row[]): Money[] {
  const found = new Map<string, { row: Row; sum: bigint }>()
  for (const row of rows) found.set(row.currency, { row, sum: (found.get(row.currency)?.sum ?? 0n) + row.adds })
  return [...found.values()].map(({ row, sum }) => money(row, sum))
}

const minor = (amount: string): bigint => BigInt(amount.replace(".", ""))

/** With the decimals that the entry's currency has. */
function money(entry: Entry, adds: bigint): Money {
  const decimals = entry.postings[0]!.amount.split(".")[1]?.length ?? 0
  const digits = String(adds < 0n ? -adds : adds).padStart(decimals + 1, "0")
  const at = digits.length - decimals
  return { amount: (adds < 0n ? "-" : "") + digits.slice(0, at) + (decimals ? `.${digits.slice(at)}` : ""), currency: entry.currency }
}
