// The feed as it is told, over lines that break: each event once, in order, from where the last line ended.

import { raw, type Query } from "../../lib/http"
import { isOver } from "../../lib/session"

export interface Envelope {
  id: string
  type: string
  subject: string
  time: string
  recordedtime?: string
  traceparent?: string
  data: Record<string, any>
}
export interface FeedItem { position: number; event: Envelope }
export type State = "opening" | "live" | "away"
interface Told {
  item: (item: FeedItem) => void
  /** The service no longer knows where we were; what is later than `newest` follows. */
  reset: (newest: number) => void
  state: (state: State) => void
}

// The service says something each 15 s; a line that is silent for longer is dead, even if nobody told the browser.
const SILENCE_MS = 40_000
const LONGEST_WAIT_MS = 10_000

/** Follows until `signal` says to stop. A tab that nobody sees holds no line; it catches up when it is seen again. */
export async function follow(query: Query, after: number, told: Told, signal: AbortSignal): Promise<void> {
  let last = after
  for (let tries = 0; !signal.aborted; tries++) {
    await seen(signal)
    const line = new AbortController()
    const cut = () => line.abort()
    const hide = () => document.hidden && cut()
    signal.addEventListener("abort", cut)
    document.addEventListener("visibilitychange", hide)
    try {
      if (isOver()) throw new Error("nobody is signed in")
      const answer = await raw("GET", "notify", "/events/stream", { query, after: last, signal: line.signal })
      told.state("live")
      tries = 0
      for await (const { id, event, data } of messages(answer.body!, cut)) {
        last = Number(id)
        if (event === "reset") told.reset(last)
        else told.item(JSON.parse(data))
      }
    } catch {
      // Whatever it was, the next line says what followed.
    }
    signal.removeEventListener("abort", cut)
    document.removeEventListener("visibilitychange", hide)
    if (signal.aborted) return
    told.state("away")
    await pause(Math.min(500 * 2 ** tries, LONGEST_WAIT_MS), signal)
  }
}

interface Message { id: string; event: string; data: string }

async function* messages(body: ReadableStream<Uint8Array>, cut: () => void): AsyncGenerator<Message> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let waiting = ""
  for (;;) {
    const watch = setTimeout(cut, SILENCE_MS)
    const { value, done } = await reader.read().finally(() => clearTimeout(watch))
    if (done) return
    const blocks = (waiting + value).split("\n\n")
    waiting = blocks.pop()!
    for (const block of blocks) {
      const message = { id: "", event: "", data: "" }
      for (const line of block.split("\n")) {
        const [, field, text] = /^(id|event|data): ?(.*)$/.exec(line) ?? []
        if (field) message[field as keyof Message] += text
      }
      if (message.id) yield message
    }
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((done) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener("abort", () => { clearTimeout(timer); done() }, { once: true })
  })

const seen = (signal: AbortSignal) =>
  new Promise<void>((done) => {
    if (!document.hidden) return done()
    const look = () => {
      if (document.hidden && !signal.aborted) return
      document.removeEventListener("visibilitychange", look)
      done()
    }
    document.addEventListener("visibilitychange", look)
    signal.addEventListener("abort", look)
  })
