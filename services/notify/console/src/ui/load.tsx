// What a page reads: while it comes, when it fails, and how old it is.

import type { ComponentChildren } from "preact"
import { useCallback, useEffect, useLayoutEffect, useState } from "preact/hooks"
import { ago, at } from "../lib/format"
import { Problem } from "../lib/http"
import { has, onSession, session } from "../lib/session"
import { t } from "../lib/words"

export interface Loaded<T> { value: T | null; problem: Problem | null; again: () => void }

const FIRST_WAIT_MS = 2_000
const LONGEST_WAIT_MS = 60_000

/** Reads when `keys` change, when somebody signs in, and on `again()`, and by itself while a service or the line is away;
what was read stays while it is read again. */
export function useLoad<T>(read: (signal: AbortSignal) => Promise<T>, keys: unknown[]): Loaded<T> {
  const [state, set] = useState<{ value: T | null; problem: Problem | null }>({ value: null, problem: null })
  const [turn, setTurn] = useState(0)
  const again = useCallback(() => setTurn((n) => n + 1), [])
  useLayoutEffect(() => onSession(() => session() && again()), [])
  useEffect(() => {
    const stop = new AbortController()
    let timer = 0
    const ask = (wait: number): void => void read(stop.signal).then(
      (value) => stop.signal.aborted || set({ value, problem: null }),
      (fault) => {
        if (stop.signal.aborted) return
        const problem = asProblem(fault)
        set((old) => ({ ...old, problem }))
        if (problem.passes) timer = window.setTimeout(ask, wait, Math.min(2 * wait, LONGEST_WAIT_MS))
      },
    )
    ask(FIRST_WAIT_MS)
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [...keys, turn])
  return { ...state, again }
}

export function asProblem(fault: unknown): Problem {
  if (fault instanceof Problem) return fault
  console.error(fault)
  return new Problem(0, "page-broken", String(fault))
}

/** The value once it is there; a problem beside it does not hide what was read before. */
export function Show<T>({ of, children }: { of: Loaded<T>; children: (value: T) => ComponentChildren }) {
  return (
    <>
      {of.problem && <Refusal problem={of.problem} again={of.again} />}
      {of.value !== null ? children(of.value) : !of.problem && <p class="quiet" role="status">{t("loading")}</p>}
    </>
  )
}

/** A problem in a sentence, with the service's own words below. */
export function Refusal({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div class="refusal" role="alert">
      <p>{problem.sentence}</p>
      {again && problem.status !== 404 && <button type="button" onClick={again}>{t("try-again")}</button>}
      {problem.status > 0 && (
        <details>
          <summary>{t("details")}</summary>
          <p lang="en">{problem.detail}</p>
          {problem.traceId && <p class="quiet">trace {problem.traceId}</p>}
        </details>
      )}
    </div>
  )
}

/** What partners and officers are told above rows of which they see their own only. */
export const OwnRows = () => (has("coordinator", "monitor", "bookkeeper") ? null : <p class="quiet">{t("own-rows")}</p>)

/** An instant, with how long ago it was. */
export function When({ at: instant }: { at: string | number }) {
  const [now, set] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), 10_000)
    return () => clearInterval(timer)
  }, [])
  return <time dateTime={new Date(instant).toISOString()} title={at(instant)}>{at(instant)} <span class="quiet">· {ago(instant, now)}</span></time>
}

/** "Data up to event N, time T". */
export function AsOf({ of }: { of: { position: number; time: string | null } }) {
  return <p class="as-of quiet">{t("as-of", { position: of.position })} {of.time && <When at={of.time} />}</p>
}
