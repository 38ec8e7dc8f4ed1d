// What happens, as it happens: newest on top, filters in the address, and a pause that loses nothing.

import { useEffect, useRef, useState } from "preact/hooks"
import { get, type Page, type Problem } from "../../lib/http"
import { setQuery } from "../../lib/router"
import { t } from "../../lib/words"
import { asProblem, Refusal } from "../../ui/load"
import { useNames } from "../../ui/names"
import { Choice } from "./choice"
import { EventCard, eventName } from "./event"
import { follow, type FeedItem, type State } from "./stream"
import { TYPES } from "./types"
import { CATEGORIES } from "../county/shapes"
import type { PageProps } from "../page"

const FILTERS = ["type", "category", "county", "partner", "project", "from", "until"] as const
const FIRST = 50
/** More than this is not kept on the page while it follows; older ones are read again when asked for. */
const KEPT = 500

export default function Feed({ query }: PageProps) {
  const filter = Object.fromEntries(FILTERS.flatMap((name) => (query[name] ? [[name, query[name]]] : [])))
  const key = JSON.stringify(filter)
  const names = useNames()
  const [items, setItems] = useState<FeedItem[] | null>(null)
  const [cursor, setCursor] = useState<string | null>(null)
  const [state, setState] = useState<State>("opening")
  const [paused, setPaused] = useState<number | null>(null)
  const [reset, setReset] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [turn, setTurn] = useState(0)

  useEffect(() => {
    const stop = new AbortController()
    setState("opening")
    setPaused(null)
    void begin().catch((fault) => stop.signal.aborted || setProblem(asProblem(fault)))
    return () => stop.abort()

    async function begin() {
      const after = await newest()
      await follow(filter, after, {
        item: (item) => setItems((old) => trimmed([item, ...(old ?? [])])),
        reset: () => { setReset(true); void newest().catch(() => undefined) },
        state: setState,
      }, stop.signal)
    }

    async function newest(): Promise<number> {
      const page = await get<Page<FeedItem>>("notify", "/events", { ...filter, order: "desc", limit: FIRST }, stop.signal)
      setProblem(null)
      setItems(page.items)
      setCursor(page.next_cursor)
      return page.items[0]?.position ?? 0
    }
  }, [key, turn])

  const still = useRef(false)
  still.current = paused !== null
  const trimmed = (all: FeedItem[]) => {
    if (all.length <= KEPT || still.current) return all
    setCursor(null)
    return all.slice(0, KEPT)
  }
  const older = async () => {
    try {
      const page = await get<Page<FeedItem>>("notify", "/events", { ...filter, order: "desc", limit: FIRST, cursor })
      setItems((old) => [...(old ?? []), ...page.items])
      setCursor(page.next_cursor)
    } catch (fault) {
      setProblem(asProblem(fault))
    }
  }
  const shown = items?.filter((item) => paused === null || item.position <= paused)
  const held = (items?.length ?? 0) - (shown?.length ?? 0)
  return (
    <>
      <h1>{t("feed.title")}</h1>
      <div class="filters">
        <Choice name="category" query={query} all={CATEGORIES.map((one) => [one, t(`category.${one}`)])} />
        <Choice name="type" query={query} all={TYPES.map((one) => [one, eventName(one)])} />
        <label>{t("filter.from")}<input type="date" value={query.from ?? ""} onChange={(event) => setQuery({ from: event.currentTarget.value || null })} /></label>
        <label>{t("filter.until")}<input type="date" value={query.until ?? ""} onChange={(event) => setQuery({ until: event.currentTarget.value || null })} /></label>
      </div>
      {(["county", "partner", "project"] as const).map((one) => query[one] && (
        <p key={one}>
          <span class="tag">{one === "county" ? names.county(query[one]!) : one === "partner" ? names.partner(query[one]!) : t("filter.one-project")}</span>
          <button type="button" class="plain" onClick={() => setQuery({ [one]: null })}>{t("filter.remove")}</button>
        </p>
      ))}
      <div class="strip">
        <p role="status" class={`state ${paused === null ? state : "paused"}`} data-state={state}>
          {paused !== null ? t("feed.paused", { n: held }) : t(`feed.${state}`)}
        </p>
        {paused === null
          ? <button type="button" class="plain" disabled={!items} onClick={() => setPaused(items![0]?.position ?? 0)}>{t("feed.pause")}</button>
          : <button type="button" onClick={() => setPaused(null)}>{t("feed.go-on", { n: held })}</button>}
      </div>
      {reset && <p class="notice" role="status">{t("feed.reset")} <button type="button" class="plain" onClick={() => setReset(false)}>{t("feed.understood")}</button></p>}
      {problem && <Refusal problem={problem} again={() => setTurn(turn + 1)} />}
      {!shown && !problem && <p class="quiet" role="status">{t("loading")}</p>}
      {shown?.length === 0 && <p class="quiet">{t("feed.none")}</p>}
      <ol class="events" reversed>{shown?.map((item) => <EventCard key={item.position} event={item.event} position={item.position} names={names} />)}</ol>
      {cursor && <p class="actions"><button type="button" class="plain" onClick={older}>{t("feed.older")}</button></p>}
    </>
  )
}
