// Rows on a wide screen, cards on a phone; with what of it can be taken away as CSV.

import type { ComponentChildren } from "preact"
import { t } from "../lib/words"

export interface Column<Row> {
  head: string
  cell: (row: Row) => ComponentChildren
  /** What the export has; without it, the column is not exported. */
  plain?: (row: Row) => string | number | null
  /** Right-aligned, with digits below each other. */
  figure?: boolean
}

interface Props<Row> {
  caption: string
  rows: Row[]
  columns: Column<Row>[]
  id: (row: Row) => string
  /** File name of the export, without its ending. */
  file?: string
  empty?: string
}

export function Table<Row>({ caption, rows, columns, id, file, empty }: Props<Row>) {
  if (!rows.length) return <p class="quiet">{empty ?? t("nothing-here")}</p>
  return (
    <div class="table">
      <div class="rows" tabIndex={0} role="group" aria-label={caption}><table>
        <caption>{caption}</caption>
        <thead><tr>{columns.map((column) => <th scope="col" class={column.figure ? "figure" : ""}>{column.head}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map((column) => <td data-head={column.head} class={column.figure ? "figure" : ""}>{column.cell(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table></div>
      {file && <button type="button" class="plain" onClick={() => save(`${file}.csv`, csv(rows, columns))}>{t("export-csv")}</button>}
    </div>
  )
}

function csv<Row>(rows: Row[], columns: Column<Row>[]): string {
  const kept = columns.filter((column) => column.plain)
  const lines = [kept.map((column) => column.head), ...rows.map((row) => kept.map((column) => column.plain!(row)))]
  // The mark tells Excel that it is UTF-8.
  return "\uFEFF" + lines.map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n"
}

function quoted(value: string | number | null): string {
  const text = value == null ? "" : String(value)
  // A spreadsheet would run what begins like a formula.
  const safe = typeof value === "string" && /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Hands a file to the reader. */
export function save(name: string, content: string | Blob): void {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: "text/csv" }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
