// Calls to the four APIs. What goes wrong is a `Problem`, with a sentence for the reader.

import { config, type Service } from "./config"
import { session, wasRefused } from "./session"
import { knows, language, t } from "./words"

export type Query = Record<string, string | number | boolean | null | undefined>
export interface Sent {
  query?: Query
  body?: unknown
  /** A multipart file instead of JSON. */
  file?: Blob & { name?: string }
  /** Idempotency-Key: the same for each try of one command. */
  key?: string
  /** The version that was read, for If-Match. */
  version?: number
  /** Last-Event-ID: what follows it is sent. */
  after?: number
  /** For a resource that has several forms. */
  accept?: string
  signal?: AbortSignal
}
export interface Answer<T> { body: T; status: number; version: number | null; location: string | null }
export interface Page<T> { items: T[]; next_cursor: string | null; total?: number }

/** A refusal, or no answer (`status` 0). `rule` is the end of its type; `errors` are by field, `/` between steps. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly rule: string,
    readonly detail: string,
    readonly errors: Record<string, string> = {},
    readonly traceId: string | null = null,
    /** All of the problem, such as `current` of a 412. */
    readonly whole: Record<string, any> = {},
  ) {
    super(detail)
  }

  /** Whether the same question may be answered a little later: the line or the service is away. */
  get passes(): boolean {
    return ["unreachable", "offline"].includes(this.rule) || [502, 503, 504].includes(this.status)
  }

  /** What it means and which conditions are not met, in the reader's language; the service tells of fields in it too. */
  get sentence(): string {
    const key = [`problem.${this.rule}`, `problem.${this.status}`, "problem.other"].find(knows)!
    const unmet = (this.whole.rules ?? []).flatMap(({ rule, met }: { rule: string; met: boolean }) => (met ? [] : t(`unmet.${rule}`)))
    return [t(key, { status: this.status }), ...unmet, ...Object.values(this.errors)].join(" ")
  }
}

export function url(service: Service, path: string, query: Query = {}): string {
  const made = new URL(config.apis[service] + path)
  for (const [name, value] of Object.entries(query)) if (value != null && value !== "") made.searchParams.set(name, String(value))
  return made.href
}

export async function call<T>(method: string, service: Service, path: string, sent: Sent = {}): Promise<Answer<T>> {
  const answer = await raw(method, service, path, sent)
  const version = answer.headers.get("etag")?.match(/^"(\d+)"$/)?.[1]
  return {
    body: answer.status === 204 ? (undefined as T) : await answer.json(),
    status: answer.status,
    version: version ? Number(version) : null,
    location: answer.headers.get("location"),
  }
}

export const get = async <T>(service: Service, path: string, query: Query = {}, signal?: AbortSignal): Promise<T> =>
  (await call<T>("GET", service, path, { query, signal })).body

export const post = <T>(service: Service, path: string, body: unknown, more: Sent = {}): Promise<Answer<T>> =>
  call<T>("POST", service, path, { key: crypto.randomUUID(), ...more, body })

/** All items of a list, page by page. */
export async function all<T>(service: Service, path: string, query: Query = {}, signal?: AbortSignal): Promise<T[]> {
  const found: T[] = []
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Page<T> = await get<Page<T>>(service, path, { limit: 500, ...query, cursor }, signal)
    found.push(...page.items)
    cursor = page.next_cursor
  }
  return found
}

/** The response itself, of a stream or a file. */
export async function raw(method: string, service: Service, path: string, sent: Sent = {}): Promise<Response> {
  const token = session()?.token
  const headers: Record<string, string> = { "accept-language": language }
  if (token) headers.authorization = `Bearer ${token}`
  if (sent.accept) headers.accept = sent.accept
  if (sent.key) headers["idempotency-key"] = sent.key
  if (sent.version !== undefined) headers["if-match"] = `"${sent.version}"`
  if (sent.after !== undefined) headers["last-event-id"] = String(sent.after)
  let body: BodyInit | undefined
  if (sent.file) {
    body = new FormData()
    body.append("file", sent.file, sent.file.name ?? "file")
  } else if (sent.body !== undefined) {
    headers["content-type"] = "application/json"
    body = JSON.stringify(sent.body)
  }
  let answer: Response
  try {
    answer = await fetch(url(service, path, sent.query), { method, headers, body, signal: sent.signal ?? null })
  } catch (fault) {
    if ((fault as Error).name === "AbortError") throw fault
    throw new Problem(0, navigator.onLine ? "unreachable" : "offline", String(fault))
  }
  if (answer.ok) return answer
  if (answer.status === 401 && token) wasRefused(token)
  throw await problemOf(answer)
}

async function problemOf(answer: Response): Promise<Problem> {
  let whole: Record<string, any> = {}
  try {
    whole = await answer.json()
  } catch {
    // A proxy answers in HTML; its status says enough.
  }
  const errors: Record<string, string> = {}
  for (const { pointer, detail } of whole.errors ?? []) errors[pointer] = detail
  return new Problem(answer.status, String(whole.type ?? "").split("/").pop()!, whole.detail ?? answer.statusText, errors, whole.trace_id, whole)
}
