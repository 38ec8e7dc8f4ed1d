// Indicators over time. A period without an entry is a gap in the line and "no entry" in the table; 0 is a point.

import { measured, number, onDay } from "../../lib/format"
import { all, type Query } from "../../lib/http"
import { t } from "../../lib/words"
import { Line } from "../../ui/chart"
import { Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"
import type { IndicatorTotal } from "./shapes"

/** A ratio is shown as per cent of its whole. */
export function plain(value: any): number | null {
  if (value == null) return null
  if (typeof value === "object") return value.denominator ? (value.numerator / value.denominator) * 100 : null
  return typeof value === "boolean" ? Number(value) : value
}

const total = (row: IndicatorTotal): string =>
  row.kind === "yes-no" && row.answers ? t("indicators.answers", { yes: row.answers.yes ?? 0, no: row.answers.no ?? 0 }) : measured(plain(row.total), row.unit)

export function Indicators({ of, file }: { of: Query; file: string }) {
  const found = useLoad((signal) => all<IndicatorTotal>("notify", "/indicators", of, signal), [JSON.stringify(of)])
  return (
    <>
      <h2>{t("indicators.title")}</h2>
      <Show of={found}>
        {(rows) => {
          const drawn = rows.filter((row) => row.periods.length && row.kind !== "yes-no")
          return (
            <>
              <div class="charts">
                {drawn.map((row) => (
                  <Line
                    key={row.indicator + row.unit} title={`${t(`indicator.${row.indicator}`)} · ${t(`kind.${row.kind}`)}`} file={`${file}-${row.indicator}`}
                    heads={[t("indicators.period"), t("indicators.value")]} show={(value) => measured(value, row.unit)}
                    points={row.periods.map((one) => ({ label: one.from === one.until ? onDay(one.until) : `${onDay(one.from)} – ${onDay(one.until)}`, value: plain(one.value) }))}
                  />
                ))}
              </div>
              <Table
                caption={t("indicators.all")} rows={rows} id={(row) => row.indicator + row.kind + row.unit} file={`${file}-indicators`} empty={t("indicators.none")}
                columns={[
                  { head: t("indicators.indicator"), cell: (row) => t(`indicator.${row.indicator}`), plain: (row) => row.indicator },
                  { head: t("indicators.kind"), cell: (row) => t(`kind.${row.kind}`), plain: (row) => row.kind },
                  { head: t("indicators.value"), cell: (row) => (row.total === null ? <span class="gap">{t("no-entry")}</span> : <span>{total(row)}{row.carried && ` ${t("indicators.carried")}`}</span>), plain: (row) => plain(row.total), figure: true },
                  { head: t("indicators.reported"), cell: (row) => t("indicators.reported-of", { reported: number(row.reported), of: number(row.of) }), plain: (row) => `${row.reported}/${row.of}`, figure: true },
                ]}
              />
            </>
          )
        }}
      </Show>
    </>
  )
}
