// One county: who works there on what, what it still needs, what came of it.

import { number } from "../../lib/format"
import { all, get } from "../../lib/http"
import { href } from "../../lib/router"
import { name, t } from "../../lib/words"
import { AsOf, Show, useLoad } from "../../ui/load"
import { Table } from "../../ui/table"
import { band, Figures } from "./figures"
import { Indicators } from "./indicators"
import { useNames } from "../../ui/names"
import { ProjectTable } from "./projects"
import type { Card, CountyView, Project } from "./shapes"
import type { PageProps } from "../page"

export default function County({ params }: PageProps) {
  const code = params.code!
  const seen = useLoad((signal) => get<CountyView>("notify", `/views/counties/${code}`, {}, signal), [code])
  const card = useLoad((signal) => get<Card>("pairing", `/counties/${code}`, {}, signal), [code])
  const projects = useLoad((signal) => all<Project>("projects", "/projects", { county: code }, signal), [code])
  const names = useNames()
  return (
    <>
      <h1>{seen.value ? name(seen.value.name) : t("county.title")} {seen.value?.status && <span class={seen.value.status === "watch" ? "tag warn" : "tag"}>{t(`county.${seen.value.status}`)}</span>}</h1>
      <Show of={seen}>{(view) => <><AsOf of={view.as_of} /><p><a href={href("/feed", { county: code })}>{t("county.feed")}</a></p><Figures of={view} county={code} file={code} /></>}</Show>
      {seen.problem?.status !== 404 && (
        <>
          <h2>{t("county.projects")}</h2>
          <Show of={projects}>{(rows) => <ProjectTable rows={rows} names={names} file={`${code}-projects`} within />}</Show>
          <h2>{t("needs.title")}</h2>
          <Show of={card}>
            {(found) => (
              <Table
                caption={t("needs.caption")} rows={found.needs} id={(need) => need.category} file={`${code}-needs`}
                columns={[
                  { head: t("projects.category"), cell: (need) => t(`category.${need.category}`), plain: (need) => need.category },
                  { head: t("needs.severity"), cell: (need) => <><meter min={0} max={1} value={need.severity} aria-label={t(`category.${need.category}`)} /> {number(need.severity)}</>, plain: (need) => need.severity },
                  { head: t("needs.band"), cell: (need) => band(need.band), plain: (need) => need.band, figure: true },
                  { head: t("needs.slots"), cell: (need) => number(need.slots), plain: (need) => need.slots, figure: true },
                  { head: t("needs.open"), cell: (need) => number(need.open_slots), plain: (need) => need.open_slots, figure: true },
                ]}
              />
            )}
          </Show>
          <Indicators of={{ county: code }} file={code} />
        </>
      )}
    </>
  )
}
