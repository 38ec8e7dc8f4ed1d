// Who is meant by a code or an id: counties, partners, and people by their desks. Read once for each reader.

import { all } from "../lib/http"
import { session } from "../lib/session"
import { knows, name, t } from "../lib/words"
import { useLoad } from "./load"

type Named = { id?: string; code?: string; name: { zh: string; en?: string | null } }
export interface Names {
  counties: Named[]
  partners: Named[]
  county: (code: string) => string
  partner: (id: string) => string
  person: (sub: string | null) => string
}

const kept = new Map<string, Promise<Named[]>>()

function once(path: string): Promise<Named[]> {
  const key = `${path} ${session()?.sub}`
  const found = kept.get(key) ?? all<Named>("pairing", path)
  kept.set(key, found)
  found.catch(() => kept.delete(key))
  return found
}

/** Names as far as they are there; what has none yet is shown as "…". */
export function useNames(): Names {
  const loaded = useLoad(() => Promise.all([once("/counties"), once("/partners")]), [])
  const [counties, partners] = loaded.value ?? [[], []]
  const of = (list: Named[], id: string) => name(list.find((one) => (one.code ?? one.id) === id)?.name ?? { zh: loaded.value || loaded.problem ? t("unnamed") : "…" })
  const county = (code: string) => of(counties, code)
  return {
    counties,
    partners,
    county,
    partner: (id) => of(partners, id),
    person: (sub) => {
      if (sub === session()?.sub) return t("you")
      if (sub && knows(`desk.${sub}`)) return t(`desk.${sub}`)
      const code = sub?.match(/^officer-(\d{6})$/)?.[1]
      return code ? t("officer-of", { county: county(code) }) : (sub ?? "—")
    },
  }
}
