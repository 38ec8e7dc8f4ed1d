// Everything that happened to one thing, causes before effects, by whichever id somebody has: of a commitment, pairing
// or project; of an event; of whatever else events are about; of the command that began it.

import { useState } from "preact/hooks"
import { number } from "../../lib/format"
import { get, type Page, Problem } from "../../lib/http"
import { go } from "../../lib/router"
import { t } from "../../lib/words"
import { AsOf, Show, useLoad, When } from "../../ui/load"
import { useNames } from "../../ui/names"
import { EventCard, storyOf } from "./event"
import type { FeedItem } from "./stream"
import type { PageProps } from "../page"

interface Item extends FeedItem { queue_ms?: number; deliveries?: { id: string; status: string; attempts: { at: string; status: string }[] }[] }
interface Story { items: Item[]; as_of?: { position: number; time: string | null } }

const LONGEST = 500

async function told(id: string, signal: AbortSignal): Promise<Story> {
  const gone = (fault: unknown) => {
    if (fault instanceof Problem && fault.status === 404) return null
    throw fault
  }
  const path = encodeURIComponent(id)
  const story = await get<Story>("notify", `/story/${path}`, {}, signal).catch(gone)
  if (story) return story
  const event = await get<FeedItem>("notify", `/events/${path}`, {}, signal).catch(gone)
  const about = event && storyOf(event.event)
  if (about) return get<Story>("notify", `/story/${about}`, {}, signal)
  for (const name of ["subject", "correlationid"]) {
    const page = await get<Page<FeedItem>>("notify", "/events", { [name]: event?.event.subject ?? id, limit: LONGEST }, signal)
    if (page.items.length) return { items: page.items }
  }
  throw new Problem(404, "no-story", id)
}

export default function StoryPage({ params }: PageProps) {
  const [text, set] = useState(params.id ?? "")
  return (
    <>
      <h1>{t("story.title")}</h1>
      <form class="filters" onSubmit={(event) => { event.preventDefault(); if (text.trim()) go(`/story/${encodeURIComponent(text.trim())}`) }}>
        <label class="wide">{t("story.id")}<input type="search" required value={text} onInput={(event) => set(event.currentTarget.value)} /></label>
        <button>{t("story.find")}</button>
      </form>
      {params.id ? <Told id={params.id} /> : <p class="quiet">{t("story.means")}</p>}
    </>
  )
}

function Told({ id }: { id: string }) {
  const found = useLoad((signal) => told(id, signal), [id])
  const names = useNames()
  return (
    <Show of={found}>
      {(story) => (
        <>
          {story.as_of && <AsOf of={story.as_of} />}
          <p role="status">{t("story.found", { n: story.items.length })}</p>
          <ol class="events story">
            {story.items.map((item) => (
              <EventCard key={item.event.id} event={item.event} position={item.position} names={names} story={storyOf(item.event) !== id}>
                <div class="quiet">
                  {item.queue_ms !== undefined && <p>{t("story.queue", { ms: number(item.queue_ms) })}</p>}
                  {item.deliveries?.map((delivery) => <p key={delivery.id}>{t(`delivery.${delivery.status}`)} {delivery.attempts.length > 0 && <When at={delivery.attempts.at(-1)!.at} />}</p>)}
                </div>
              </EventCard>
            ))}
          </ol>
        </>
      )}
    </Show>
  )
}
