// Whether everything keeps up: looked at each second or so, so that whoever stops is seen at once. What is not known is
// said to be unknown, also when this page's own reading is too old to be believed.

import { useEffect, useState } from "preact/hooks"
import { at, lasting, number } from "../../lib/format"
import { get } from "../../lib/http"
import { because } from "../../lib/programme"
import { href } from "../../lib/router"
import { t } from "../../lib/words"
import { Show, useLoad, When } from "../../ui/load"
import { Table } from "../../ui/table"
import { eventName } from "./event"

interface Monitor {
  lag: { group: string; topic: string; count: number | null; age_s: number | null }[]
  outbox: { service: string; depth: number | null; oldest_age_s: number | null }[]
  dead_letters: number
  stuck: { kind: string; id: string; since: string; waits_for: string }[]
  skipped: { stream: string; first: number; last: number; reason: string }[]
  rates: { service: string; applied_per_minute: number | null; sent_per_minute: number | null }[]
  workers: { id: string; service: string; build: string | null }[]
  deliveries: { waiting: number; failed: number; suppressed: number }
}

const EACH_MS = 1000
const BELIEVED_MS = 5000
const known = (value: number | null, show: (value: number) => string) => (value === null ? <span class="gap">{t("unknown")}</span> : <span>{show(value)}</span>)
const sum = (values: (number | null)[]) => (values.some((value) => value === null) ? null : values.reduce((a, b) => a! + b!, 0))
const most = (values: (number | null)[]) => (values.some((value) => value === null) ? null : Math.max(0, ...(values as number[])))

export default function MonitorPage() {
  const seen = useLoad(async (signal) => ({ ...(await get<Monitor>("notify", "/monitor", {}, signal)), at: Date.now() }), [])
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    // One after the other: on a bad line, none waits behind the last.
    const timer = setTimeout(() => !document.hidden && seen.again(), EACH_MS)
    return () => clearTimeout(timer)
  }, [seen.value, seen.problem])
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), EACH_MS)
    document.addEventListener("visibilitychange", seen.again)
    return () => { clearInterval(timer); document.removeEventListener("visibilitychange", seen.again) }
  }, [])
  return (
    <>
      <h1>{t("monitor.title")}</h1>
      <Show of={seen}>{(found) => <Seen of={found} old={seen.problem !== null || now - found.at > BELIEVED_MS} />}</Show>
    </>
  )
}

function Seen({ of, old }: { of: Monitor & { at: number }; old: boolean }) {
  const believed = <T,>(value: T | null) => (old ? null : value)
  const lag = of.lag.map((row) => ({ ...row, count: believed(row.count), age_s: believed(row.age_s) }))
  return (
    <>
      <p class="quiet">{t("monitor.live", { at: at(of.at) })}</p>
      <ul class="services">
        {of.outbox.map((outbox) => {
          const service = outbox.service
          const rows = lag.filter((row) => row.group === `jiedui-${service}`)
          const age = most(rows.map((row) => row.age_s))
          const rate = of.rates.find((row) => row.service === service)
          const workers = of.workers.filter((worker) => worker.service === service).length
          return (
            <li class={age === null || age >= 5 || (!old && !workers) ? "card late" : "card"} key={service} data-service={service}>
              <h2>{t(`service.${service}`)}</h2>
              <dl>
                <div><dt>{t("monitor.lag")}</dt><dd data-lag>{known(sum(rows.map((row) => row.count)), number)}</dd></div>
                <div><dt>{t("monitor.age")}</dt><dd data-age={age ?? ""}>{known(age, lasting)}</dd></div>
                <div><dt>{t("monitor.outbox")}</dt><dd>{known(believed(outbox.depth), number)}</dd></div>
                <div><dt>{t("monitor.outbox-age")}</dt><dd>{outbox.depth === 0 && !old ? "—" : known(believed(outbox.oldest_age_s), lasting)}</dd></div>
                <div><dt>{t("monitor.rate")}</dt><dd>{known(believed(rate?.applied_per_minute ?? null), (value) => number(value, 0))}</dd></div>
                <div><dt>{t("monitor.workers")}</dt><dd>{known(believed(workers), number)}</dd></div>
              </dl>
            </li>
          )
        })}
      </ul>
      <ul class="figures">
        <li><b>{known(believed(of.dead_letters), number)}</b> <a href={href("/dead-letters", { status: "open" })}>{t("monitor.dead-letters")}</a></li>
        <li><b>{known(believed(of.stuck.length), number)}</b> {t("monitor.stuck")}</li>
        <li><b>{known(believed(of.deliveries.waiting), number)}</b> {t("monitor.waiting")}</li>
        <li><b>{known(believed(of.deliveries.failed), number)}</b> {t("monitor.failed")}</li>
      </ul>
      <details>
        <summary>{t("monitor.by-topic")}</summary>
        <Table caption={t("monitor.by-topic")} rows={lag} id={(row) => row.group + row.topic} file="lag" columns={[
          { head: t("monitor.service"), cell: (row) => t(`service.${row.group.replace("jiedui-", "")}`), plain: (row) => row.group },
          { head: t("monitor.topic"), cell: (row) => <code>{row.topic}</code>, plain: (row) => row.topic },
          { head: t("monitor.lag"), cell: (row) => known(row.count, number), plain: (row) => row.count, figure: true },
          { head: t("monitor.age"), cell: (row) => known(row.age_s, lasting), plain: (row) => row.age_s, figure: true },
        ]} />
      </details>
      <h2>{t("monitor.stuck.title")}</h2>
      <Table caption={t("monitor.stuck.means")} rows={of.stuck} id={(row) => row.id + row.waits_for} empty={t("monitor.no-stuck")} columns={[
        { head: t("monitor.what"), cell: (row) => <a href={href(`/story/${row.id}`)}>{t("event.story")}</a> },
        { head: t("monitor.since"), cell: (row) => <When at={row.since} /> },
        { head: t("monitor.waits-for"), cell: (row) => eventName(row.waits_for) },
      ]} />
      {of.skipped.length > 0 && (
        <Table caption={t("monitor.skipped")} rows={of.skipped} id={(row) => `${row.stream}${row.first}`} file="skipped" columns={[
          { head: t("monitor.stream"), cell: (row) => <code>{row.stream}</code>, plain: (row) => row.stream },
          { head: t("monitor.numbers"), cell: (row) => `${row.first}–${row.last}`, plain: (row) => `${row.first}-${row.last}` },
          { head: t("reason"), cell: (row) => because(row.reason), plain: (row) => because(row.reason) },
        ]} />
      )}
    </>
  )
}
