// Who is meant by a code or an id: counties, partners, and people by their desks. They are "…"
// while the service is away; what was read is good for a minute.

import { all, type Problem } from "../lib/http"
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

const kept = new Map<string, { list: Promise<Named[]>; until: number }>()

function lately(path: string): Promise<Named[]> {
  const key = `${path} ${session()?.sub}`
  const known = kept.get(key)
  if (known && known.until > Date.now()) return known.list
  const list = all<Named>("pairing", path).catch((fault: Problem) => {
    kept.delete(key)
    if (fault.passes) throw fault
    return []
  })
  kept.set(key, { list, until: Date.now() + 60_000 })
  return list
}

/** Names as far as they are there; what has none yet is shown as "…". */
export function useNames(): Names {
  const { value } = useLoad(() => Promise.all([lately("/counties"), lately("/partners")]), [])
  const [counties, partners] = value ?? [[], []]
  const of = (list: Named[], id: string, unnamed: string) => {
    const found = list.find((one) => (one.code ?? one.id) === id)
    return found ? name(found.name) : value ? unnamed : "…"
  }
  const county = (code: string) => of(counties, code, t("county.code", { code }))
  return {
    counties,
    partners,
    county,
    partner: (id) => of(partners, id, t("partner.unnamed")),
    person: (sub) => {
      if (sub === session()?.sub) return t("you")
      if (sub && knows(`desk.${sub}`)) return t(`desk.${sub}`)
      const code = sub?.match(/^officer-(\d{6})$/)?.[1]
      return code ? t("officer-of", { county: county(code) }) : (sub ? t("someone-else") : "—")
    },
  }
}
