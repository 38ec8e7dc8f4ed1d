// Provinces and counties, chosen one after the other; what is chosen can be taken out again.

import { knows, t } from "../../lib/words"
import type { Names } from "../../ui/names"
import { listOf } from "./offer"

/** A province by its two digits, a county by its six. */
export const placeName = (code: string, names: Names): string =>
  code.length > 2 ? names.county(code) : knows(`province.${code}`) ? t(`province.${code}`) : code

export function Places({ of, given, names, change }: { of: string; given: object; names: Names; change: (of: string) => void }) {
  const chosen = listOf(of)
  const counties = names.counties.map((one) => one.code!)
  const rest = (codes: string[]) => codes.filter((code) => !chosen.includes(code)).map((code) => <option key={code} value={code}>{placeName(code, names)}</option>)
  return (
    <>
      {chosen.length > 0 && (
        <p class="actions">
          {chosen.map((code) => (
            <button key={code} type="button" class="person" aria-label={t("submit.without", { place: placeName(code, names) })} onClick={() => change(chosen.filter((one) => one !== code).join())}>{placeName(code, names)} ×</button>
          ))}
        </p>
      )}
      <select {...given} value="" onChange={(event) => change([...chosen, event.currentTarget.value].join())}>
        <option value="">{t(chosen.length ? "submit.more" : "choose")}</option>
        <optgroup label={t("filter.province")}>{rest([...new Set(counties.map((code) => code.slice(0, 2)))].sort())}</optgroup>
        <optgroup label={t("county")}>{rest(counties)}</optgroup>
      </select>
    </>
  )
}
