// Needs that a round gave nothing: why not, and the smallest change that would serve each.

import { all } from "../../lib/http"
import { number, onDay } from "../../lib/format"
import { href } from "../../lib/router"
import { has } from "../../lib/session"
import { language, t } from "../../lib/words"
import { Show, useLoad } from "../../ui/load"
import type { Names } from "../../ui/names"
import { Table } from "../../ui/table"
import type { Sentences } from "./difference"

interface Need { county_code: string; category: string; band: number; open_slots: number; reason: string; since: string; sentences: Sentences }

export function Unserved({ round, names }: { round: string; names: Names }) {
  const needs = useLoad((signal) => all<Need>("pairing", "/needs/unserved", { round, limit: 100 }, signal), [round])
  return (
    <Show of={needs}>
      {(found) => (
        <Table
          caption={t("round.unserved")}
          empty={t("unserved.none")}
          rows={found}
          id={(one) => `${one.county_code} ${one.category}`}
          file="unserved"
          columns={[
            { head: t("county"), cell: (one) => names.county(one.county_code), plain: (one) => names.county(one.county_code) },
            { head: t("category"), cell: (one) => t(`category.${one.category}`), plain: (one) => t(`category.${one.category}`) },
            { head: t("unserved.slots"), cell: (one) => number(one.open_slots), plain: (one) => one.open_slots, figure: true },
            { head: t("unserved.since"), cell: (one) => onDay(one.since), plain: (one) => one.since },
            { head: t("why-not"), cell: (one) => <><span class="tag warn">{t(`unserved.${one.reason}`)}</span> {one.sentences[language].join(" ")}</>, plain: (one) => one.sentences[language].join(" ") },
            { head: t("unserved.do"), cell: (one) => (has("coordinator") ? <a href={href("/rules", { county: one.county_code })}>{t("rules.pin")}</a> : "—") },
          ]}
        />
      )}
    </Show>
  )
}
