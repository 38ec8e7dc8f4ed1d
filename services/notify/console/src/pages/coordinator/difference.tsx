// What a round proposes otherwise than the one before it, each row with its reason.

import { get } from "../../lib/http"
import { language, t } from "../../lib/words"
import { Show, useLoad } from "../../ui/load"
import type { Names } from "../../ui/names"
import { Table } from "../../ui/table"
import { useTitles } from "./proposals"

export interface Sentences { zh: string[]; en: string[] }
interface Row { commitment_id: string; county_code: string; was: string | null; reason: string; sentences: Sentences }
type Kind = "added" | "dropped" | "moved"

export function Difference({ round, names }: { round: string; names: Names }) {
  const titles = useTitles()
  const difference = useLoad((signal) => get<Record<Kind, Row[]>>("pairing", `/rounds/${round}/difference`, {}, signal), [round])
  return (
    <Show of={difference}>
      {(found) => (
        <Table
          caption={t("round.difference")}
          empty={t("difference.none")}
          rows={(["added", "dropped", "moved"] as const).flatMap((kind) => found[kind].map((row) => ({ ...row, kind })))}
          id={(row) => `${row.kind} ${row.commitment_id} ${row.county_code}`}
          file="difference"
          columns={[
            { head: t("difference.what"), cell: (row) => <span class={row.kind === "dropped" ? "tag warn" : "tag"}>{t(`difference.${row.kind}`)}</span>, plain: (row) => t(`difference.${row.kind}`) },
            { head: t("commitment"), cell: (row) => titles(row.commitment_id), plain: (row) => titles(row.commitment_id) },
            { head: t("difference.was"), cell: (row) => (row.was ? names.county(row.was) : "—"), plain: (row) => (row.was ? names.county(row.was) : null) },
            { head: t("county"), cell: (row) => names.county(row.county_code), plain: (row) => names.county(row.county_code) },
            { head: t("why"), cell: (row) => row.sentences[language].join(" "), plain: (row) => row.sentences[language].join(" ") },
          ]}
        />
      )}
    </Show>
  )
}
