// What a service could not take: looked at, put back on its topic, or put aside, with a reason.

import { useState } from "preact/hooks"
import { get, post, type Page } from "../../lib/http"
import { has } from "../../lib/session"
import { t } from "../../lib/words"
import { Ask } from "../../ui/dialog"
import { Show, useLoad, When } from "../../ui/load"
import { Choice } from "./choice"
import type { PageProps } from "../page"

interface Letter {
  id: string
  service: string
  topic: string
  partition: number
  offset: number
  key: string | null
  error: { type: string; message: string }
  attempts: number
  first_failed_at: string
  value: string | null
  status: string
  reason: string | null
  decided_at: string | null
}

const SERVICES = ["pairing", "projects", "funding", "notify"]
const STATES = ["open", "replayed", "discarded"]
const DEEDS = ["replay", "discard"] as const
const FIRST = 50
const LONGEST = 20_000

export default function DeadLetters({ query }: PageProps) {
  const { service, status } = query
  const [count, setCount] = useState(FIRST)
  const found = useLoad((signal) => get<Page<Letter>>("notify", "/dead-letters", { service, status, limit: count, total: true }, signal), [service, status, count])
  const [asked, ask] = useState<{ deed: (typeof DEEDS)[number]; letter: Letter } | null>(null)
  return (
    <>
      <h1>{t("dead.title")}</h1>
      <p class="quiet">{t("dead.means")}</p>
      <div class="filters">
        <Choice name="status" query={query} all={STATES.map((one) => [one, t(`dead.${one}`)])} />
        <Choice name="service" query={query} all={SERVICES.map((one) => [one, t(`service.${one}`)])} />
      </div>
      <Show of={found}>
        {(page) => (
          <>
            <p role="status">{t("dead.found", { n: page.total ?? page.items.length })}</p>
            <ol class="events">{page.items.map((letter) => <Card key={letter.id} letter={letter} ask={(deed) => ask({ deed, letter })} />)}</ol>
            {page.next_cursor && count < 500 && <p class="actions"><button type="button" class="plain" onClick={() => setCount(500)}>{t("feed.older")}</button></p>}
          </>
        )}
      </Show>
      {asked && (
        <Ask
          title={t(`dead.${asked.deed}`)} reason close={() => ask(null)} again={found.again}
          doIt={async (reason) => { await post("notify", `/dead-letters/${asked.letter.id}/${asked.deed}`, { reason }); found.again() }}
        >
          <p>{t(`dead.${asked.deed}.means`, { service: t(`service.${asked.letter.service}`) })}</p>
        </Ask>
      )}
    </>
  )
}

function Card({ letter, ask }: { letter: Letter; ask: (deed: (typeof DEEDS)[number]) => void }) {
  return (
    <li class={letter.status === "open" ? "event bad" : "event"} data-status={letter.status}>
      <p class="what"><b>{t(`service.${letter.service}`)}</b> <code>{letter.error.type}</code></p>
      <p class="where"><span class={letter.status === "open" ? "tag bad" : "tag"}>{t(`dead.${letter.status}`)}</span></p>
      <div>
        <p lang="en">{letter.error.message}</p>
        <p class="quiet"><When at={letter.first_failed_at} /> · {t("dead.attempts", { n: letter.attempts })}</p>
        {letter.reason && <p>{t("reason")}：“{letter.reason}” {letter.decided_at && <span class="quiet"><When at={letter.decided_at} /></span>}</p>}
        <details>
          <summary>{t("dead.look")}</summary>
          <p class="quiet"><code>{letter.topic}</code> · {t("dead.place", { partition: letter.partition, offset: letter.offset })}{letter.key && <> · {t("dead.key")} <code>{letter.key}</code></>}</p>
          <pre tabIndex={0}>{readable(letter.value)}</pre>
        </details>
        {letter.status === "open" && has("monitor") && (
          <p class="actions">
            <button type="button" onClick={() => ask("replay")}>{t("dead.replay")}</button>
            <button type="button" class="danger" onClick={() => ask("discard")}>{t("dead.discard")}</button>
          </p>
        )}
      </div>
    </li>
  )
}

/** As JSON, else as text, else as bytes. */
function readable(value: string | null): string {
  if (value === null) return t("dead.empty")
  const bytes = Uint8Array.from(atob(value), (c) => c.charCodeAt(0))
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    text = Array.from(bytes.subarray(0, LONGEST / 3), (byte) => byte.toString(16).padStart(2, "0")).join(" ")
  }
  try {
    text = JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    // It is shown as it is.
  }
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
