// A file of commitments: looked through first, with all faults at once; stored only when its reader says so.

import { useRef, useState } from "preact/hooks"
import { number } from "../../lib/format"
import { call, raw, type Problem } from "../../lib/http"
import { t } from "../../lib/words"
import { asProblem, Refusal, useLoad } from "../../ui/load"
import { save, Table } from "../../ui/table"
import { get } from "../../lib/http"
import { href, setQuery } from "../../lib/router"
import type { PageProps } from "../page"

interface Import {
  id: string
  status: "running" | "completed" | "refused" | "undone"
  dry_run: boolean
  file_name: string
  rows: number
  accepted: number
  repeats: number
  rejected_rows: number
  rejected: { row: number; column: string | null; value: string; detail: string; fix: string | null }[]
  problem: string | null
}

export default function Upload({ query }: PageProps) {
  const input = useRef<HTMLInputElement>(null)
  const [file, choose] = useState<File | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [busy, setBusy] = useState(false)
  const send = async (more: { dry_run?: boolean; partial?: boolean }) => {
    if (!file) return input.current?.focus()
    setBusy(true)
    setProblem(null)
    try {
      const made = await call<Import>("POST", "pairing", "/imports/commitments", { file, query: more, key: crypto.randomUUID() })
      setQuery({ import: made.body.id })
    } catch (fault) {
      setProblem(asProblem(fault))
    }
    setBusy(false)
  }
  return (
    <>
      <h1>{t("upload.title")}</h1>
      <p class="lead">{t("upload.lead")}</p>
      {problem && <Refusal problem={problem} />}
      <form class="card" onSubmit={(event) => { event.preventDefault(); void send({ dry_run: true }) }}>
        <label>{t("upload.file")}<input ref={input} type="file" required accept=".csv,.xlsx" onChange={(event) => choose(event.currentTarget.files?.[0] ?? null)} /></label>
        <p class="actions"><button disabled={busy}>{t(busy ? "sending" : "upload.look")}</button></p>
      </form>
      {query.import && <Found key={query.import} id={query.import} store={file && !busy ? (partial) => send({ partial }) : null} />}
    </>
  )
}

function Found({ id, store }: { id: string; store: ((partial: boolean) => void) | null }) {
  const found = useLoad(async (signal) => {
    for (;;) {
      const seen = await get<Import>("pairing", `/imports/${id}`, {}, signal)
      if (seen.status !== "running") return seen
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }, [id])
  const [problem, setProblem] = useState<Problem | null>(null)
  const fetchBack = async () => {
    try {
      const answer = await raw("GET", "pairing", `/imports/${id}/problems`)
      save(answer.headers.get("content-type")?.startsWith("text/csv") ? "problems.csv" : "problems.xlsx", await answer.blob())
    } catch (fault) {
      setProblem(asProblem(fault))
    }
  }
  if (found.problem) return <Refusal problem={found.problem} again={found.again} />
  if (!found.value) return <p class="quiet" role="status">{t("loading")}</p>
  const of = found.value
  const shown = new Set(of.rejected.map((one) => one.row)).size
  const stored = of.status === "completed" && !of.dry_run
  return (
    <>
      <h2>{of.file_name}</h2>
      <p role="status" class={of.rejected_rows || of.problem ? "notice" : "card"}>{t(stored ? "upload.stored" : of.rejected_rows || of.problem ? "upload.faults" : "upload.clean")} {of.problem}</p>
      <ul class="figures">
        <li><b>{number(of.rows)}</b> {t("upload.rows")}</li>
        <li><b>{number(of.accepted)}</b> {t("upload.accepted")}</li>
        <li><b>{number(of.repeats)}</b> {t("upload.repeats")}</li>
        <li><b>{number(of.rejected_rows)}</b> {t("upload.rejected")}</li>
      </ul>
      {problem && <Refusal problem={problem} />}
      <p class="actions">
        {!stored && store && of.accepted > 0 && <button type="button" onClick={() => store(of.rejected_rows > 0)}>{t(of.rejected_rows ? "upload.store-good" : "upload.store")}</button>}
        {of.rejected_rows > 0 && <button type="button" class="plain" onClick={fetchBack}>{t("upload.back")}</button>}
        {stored && <a href={href("/commitments")}>{t("commitments.title")}</a>}
      </p>
      {of.rejected.length > 0 && (
        <Table
          caption={t(shown < of.rejected_rows ? "upload.more" : "upload.all-faults", { n: shown })}
          rows={of.rejected}
          id={(one) => `${one.row} ${one.column} ${one.detail}`}
          columns={[
            { head: t("upload.row"), cell: (one) => one.row, figure: true },
            { head: t("upload.column"), cell: (one) => one.column ?? "—" },
            { head: t("upload.value"), cell: (one) => one.value || "—" },
            { head: t("upload.fault"), cell: (one) => <span>{one.detail}{one.fix && ` (${one.fix})`}</span> },
          ]}
        />
      )}
    </>
  )
}
