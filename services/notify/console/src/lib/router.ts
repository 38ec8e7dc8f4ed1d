// The page and its filters, in the URL's fragment: #/county/520326?category=education

import { useLayoutEffect, useState } from "preact/hooks"
import { decoded } from "./decoded"

export interface Route { path: string; query: Record<string, string> }

export function route(): Route {
  const [path, query] = location.hash.slice(1).split("?")
  return { path: path || "/", query: Object.fromEntries(new URLSearchParams(query)) }
}

export function href(path: string, query: Record<string, string | number | null | undefined> = {}): string {
  const wanted = Object.entries(query).filter(([, value]) => value != null && value !== "")
  const search = new URLSearchParams(wanted.map(([name, value]) => [name, String(value)])).toString()
  return `#${path}${search ? `?${search}` : ""}`
}

export function go(path: string, query: Record<string, string | number | null | undefined> = {}): void {
  location.hash = href(path, query)
}

/** Changes filters of this page, without a new entry in the browser's history. */
export function setQuery(changes: Record<string, string | null>): void {
  const { path, query } = route()
  history.replaceState(null, "", href(path, { ...query, ...changes }))
  dispatchEvent(new HashChangeEvent("hashchange"))
}

export function useRoute(): Route {
  const [now, set] = useState(route)
  // Listens as soon as it is drawn: an effect after painting would miss who goes on at once.
  useLayoutEffect(() => {
    const listen = () => set(route())
    addEventListener("hashchange", listen)
    return () => removeEventListener("hashchange", listen)
  }, [])
  return now
}

/** The parameters of `pattern` (`/county/:code`) in `path`; null if it is another page's. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/")
  const found = path.split("/")
  if (wanted.length !== found.length) return null
  const params: Record<string, string> = {}
  for (const [i, step] of wanted.entries()) {
    if (step.startsWith(":")) params[step.slice(1)] = decoded(found[i]!)
    else if (step !== found[i]) return null
  }
  return params
}
