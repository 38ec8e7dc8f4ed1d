// One filter of a page, kept in its address.

import { setQuery } from "../../lib/router"
import { t } from "../../lib/words"

export function Choice({ name, query, all }: { name: string; query: Record<string, string>; all: string[][] }) {
  return (
    <label>{t(`filter.${name}`)}
      <select value={query[name] ?? ""} onChange={(event) => setQuery({ [name]: event.currentTarget.value || null })}>
        <option value="">{t("filter.all")}</option>
        {all.map(([value, said]) => <option key={value} value={value}>{said}</option>)}
      </select>
    </label>
  )
}
