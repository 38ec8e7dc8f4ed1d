// Pins and bans that hold from the next round on.

import { useState } from "preact/hooks"
import type { PageProps } from "../page"
import { all, call, post } from "../../lib/http"
import type { Commitment } from "../../lib/programme"
import { has } from "../../lib/session"
import { name, t } from "../../lib/words"
import { Ask } from "../../ui/dialog"
import { Faults, Field, useDraft } from "../../ui/form"
import { asProblem, Refusal, Show, useLoad, When } from "../../ui/load"
import { useNames, type Names } from "../../ui/names"
import { Table } from "../../ui/table"
import type { Problem } from "../../lib/http"

interface Rule { id: string; kind: "pin" | "ban"; commitment_id: string | null; partner_id: string | null; county_code: string; reason: string; version: number; added_at: string; added_by: string }

export default function Rules({ query }: PageProps) {
  const names = useNames()
  const rules = useLoad((signal) => all<Rule>("pairing", "/rules", {}, signal), [])
  const commitments = useLoad((signal) => all<Commitment>("pairing", "/commitments", {}, signal), [])
  const [gone, remove] = useState<Rule | null>(null)
  const whose = (rule: Rule) => {
    const commitment = commitments.value?.find((one) => one.id === rule.commitment_id)
    return rule.partner_id ? names.partner(rule.partner_id) : commitment ? `${names.partner(commitment.partner_id)} · ${name(commitment.title)}` : "…"
  }
  return (
    <>
      <h1>{t("rules.title")}</h1>
      <p class="lead">{t("rules.lead")}</p>
      <Show of={rules}>
        {(found) => (
          <Table
            caption={t("rules.list")}
            rows={found}
            id={(one) => one.id}
            file="rules"
            columns={[
              { head: t("rules.kind"), cell: (one) => <span class={one.kind === "ban" ? "tag bad" : "tag"}>{t(`rules.${one.kind}`)}</span>, plain: (one) => t(`rules.${one.kind}`) },
              { head: t("rules.whose"), cell: whose, plain: whose },
              { head: t("county"), cell: (one) => names.county(one.county_code), plain: (one) => names.county(one.county_code) },
              { head: t("reason"), cell: (one) => one.reason, plain: (one) => one.reason },
              { head: t("rules.added"), cell: (one) => <>{names.person(one.added_by)} · <When at={one.added_at} /></>, plain: (one) => one.added_at },
              { head: t("rules.remove"), cell: (one) => (has("coordinator") ? <button type="button" class="danger" onClick={() => remove(one)}>{t("rules.remove")}</button> : "—") },
            ]}
          />
        )}
      </Show>
      {gone && (
        <Ask title={t("rules.remove")} doIt={() => call("DELETE", "pairing", `/rules/${gone.id}`, { version: gone.version }).then(rules.again)} close={() => remove(null)} again={rules.again}>
          <p>{t("rules.remove.means", { whose: whose(gone), county: names.county(gone.county_code) })}</p>
        </Ask>
      )}
      {has("coordinator") && <Add names={names} commitments={commitments.value ?? []} county={query.county ?? ""} added={rules.again} />}
    </>
  )
}

function Add({ names, commitments, county, added }: { names: Names; commitments: Commitment[]; county: string; added: () => void }) {
  const { fields, set, forget } = useDraft("rule", { kind: "pin", commitment_id: "", county_code: county, reason: "" })
  const [faults, setFaults] = useState<Record<string, string>>({})
  const [problem, setProblem] = useState<Problem | null>(null)
  const labels = { kind: t("rules.kind"), commitment_id: t("commitment"), county_code: t("county"), reason: t("reason") }
  const add = async (event: Event) => {
    event.preventDefault()
    setProblem(null)
    const missing = (["commitment_id", "county_code", "reason"] as const).filter((field) => !fields[field].trim())
    setFaults(Object.fromEntries(missing.map((field) => [field, t("missing")])))
    if (missing.length) return
    try {
      await post("pairing", "/rules", fields)
      forget()
      added()
    } catch (fault) {
      const problem = asProblem(fault)
      setProblem(problem)
      setFaults(Object.fromEntries(Object.entries(problem.errors).map(([pointer, detail]) => [pointer.slice(1), detail])))
    }
  }
  return (
    <form class="card" onSubmit={add} noValidate>
      <h2>{t("rules.add")}</h2>
      {problem && !Object.keys(faults).length && <Refusal problem={problem} />}
      <Faults of={faults} labels={labels} />
      <Field name="kind" label={labels.kind}>{(more) => <select {...more} value={fields.kind} onChange={(event) => set({ kind: event.currentTarget.value })}>{(["pin", "ban"] as const).map((kind) => <option key={kind} value={kind}>{t(`rules.${kind}`)}</option>)}</select>}</Field>
      <Field name="commitment_id" label={labels.commitment_id} fault={faults.commitment_id}>
        {(more) => (
          <select {...more} value={fields.commitment_id} onChange={(event) => set({ commitment_id: event.currentTarget.value })}>
            <option value="">{t("choose")}</option>
            {commitments.filter((one) => one.status !== "withdrawn" && one.status !== "expired").map((one) => <option key={one.id} value={one.id}>{names.partner(one.partner_id)} · {name(one.title)}</option>)}
          </select>
        )}
      </Field>
      <Field name="county_code" label={labels.county_code} fault={faults.county_code}>
        {(more) => (
          <select {...more} value={fields.county_code} onChange={(event) => set({ county_code: event.currentTarget.value })}>
            <option value="">{t("choose")}</option>
            {names.counties.map((one) => <option key={one.code} value={one.code}>{name(one.name)}</option>)}
          </select>
        )}
      </Field>
      <Field name="reason" label={labels.reason} fault={faults.reason}>{(more) => <textarea {...more} rows={2} maxLength={1000} value={fields.reason} onInput={(event) => set({ reason: event.currentTarget.value })} />}</Field>
      <button>{t("rules.add")}</button>
    </form>
  )
}
