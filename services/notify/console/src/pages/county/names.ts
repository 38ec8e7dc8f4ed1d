// What counties and partners are called, for pages that show many of them. A service that is away leaves them unnamed.

import { all } from "../../lib/http"
import { name, t } from "../../lib/words"
import { useLoad } from "../../ui/load"

interface Name { zh?: string; en?: string | null }
export interface Names { county: (code: string) => string; partner: (id: string) => string }
const none: Names = { county: (code) => t("county.code", { code }), partner: () => t("partner.unnamed") }

export function useNames(): Names {
  const found = useLoad(async (signal) => {
    const [counties, partners] = await Promise.allSettled([
      all<{ code: string; name: Name }>("pairing", "/counties", {}, signal),
      all<{ id: string; name: Name }>("pairing", "/partners", {}, signal),
    ])
    const county = new Map(counties.status === "fulfilled" ? counties.value.map((one) => [one.code, name(one.name)]) : [])
    const partner = new Map(partners.status === "fulfilled" ? partners.value.map((one) => [one.id, name(one.name)]) : [])
    return { county: (code: string) => county.get(code) ?? none.county(code), partner: (id: string) => partner.get(id) ?? none.partner(id) }
  }, [])
  return found.value ?? none
}
