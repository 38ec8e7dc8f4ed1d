// The rows behind the figure of what is promised. What ended counts with what was paired of it, all else in whole.

import { money } from "../../lib/format"
import { all } from "../../lib/http"
import { name, t } from "../../lib/words"
import { OwnRows, Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"
import { useNames } from "../../ui/names"
import type { Name } from "./shapes"

interface Commitment {
  id: string
  partner_id: string
  category: string
  title: Name
  status: string
  support: { amount?: string; currency?: string }
  paired: { projects: number; amount: { amount: string; currency: string } | null }
}

export default function Promises() {
  const found = useLoad((signal) => all<Commitment>("pairing", "/commitments", {}, signal), [])
  const names = useNames()
  const promised = (row: Commitment) => {
    if (!row.support.amount) return null
    return row.status === "withdrawn" || row.status === "expired" ? row.paired.amount : { amount: row.support.amount, currency: row.support.currency! }
  }
  return (
    <>
      <h1>{t("promises.title")}</h1>
      <OwnRows />
      <p class="quiet">{t("funds.promised.means")}</p>
      <Show of={found}>
        {(rows) => (
          <Table
            caption={t("promises.caption")} rows={rows} id={(row) => row.id} file="promises"
            columns={[
              { head: t("promises.promise"), cell: (row) => name(row.title), plain: (row) => name(row.title) },
              { head: t("projects.partner"), cell: (row) => names.partner(row.partner_id), plain: (row) => names.partner(row.partner_id) },
              { head: t("projects.category"), cell: (row) => t(`category.${row.category}`), plain: (row) => row.category },
              { head: t("funds.promised"), cell: (row) => { const sum = promised(row); return sum ? money(sum) : <span class="gap">{t("funds.no-money")}</span> }, plain: (row) => promised(row)?.amount ?? null, figure: true },
              { head: t("promises.paired"), cell: (row) => t("projects.found", { n: row.paired.projects }), plain: (row) => row.paired.projects, figure: true },
            ]}
          />
        )}
      </Show>
    </>
  )
}
