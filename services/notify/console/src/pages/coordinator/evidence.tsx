// A milestone's evidence: each picture, and whether it was taken near its county.

import { useEffect, useState } from "preact/hooks"
import { number } from "../../lib/format"
import { raw } from "../../lib/http"
import { t } from "../../lib/words"
import { Show, useLoad } from "../../ui/load"
import { save } from "../../ui/table"

interface Known { media_type: string; distance_m: number | null; location: "near" | "far" | "unverified" }

export function Evidence({ of, about }: { of: string[]; about: string }) {
  if (!of.length) return <p class="quiet">{t("verify.no-evidence")}</p>
  return <ul class="photos">{of.map((sha256, i) => <li key={sha256}><One sha256={sha256} about={t("verify.photo", { no: i + 1, about })} /></li>)}</ul>
}

function One({ sha256, about }: { sha256: string; about: string }) {
  const loaded = useLoad(async (signal) => {
    const [known, file] = await Promise.all([
      raw("GET", "projects", `/evidence/${sha256}`, { accept: "application/json", signal }).then((answer) => answer.json() as Promise<Known>),
      raw("GET", "projects", `/evidence/${sha256}`, { signal }).then((answer) => answer.blob()),
    ])
    return { known, file }
  }, [sha256])
  return (
    <Show of={loaded}>
      {({ known, file }) => (
        <>
          {known.media_type === "application/pdf"
            ? <button type="button" class="plain" onClick={() => save("evidence.pdf", file)}>{about} · PDF</button>
            : <Picture file={file} about={about} />}
          <span class={known.location === "near" ? "tag" : known.location === "far" ? "tag bad" : "tag warn"} data-location={known.location}>{t(`verify.${known.location}`)}</span>
          {known.distance_m !== null && <span class="quiet">{t("verify.distance", { km: number(known.distance_m / 1000, 1) })}</span>}
        </>
      )}
    </Show>
  )
}

function Picture({ file, about }: { file: Blob; about: string }) {
  const [address, set] = useState<string>()
  useEffect(() => {
    const made = URL.createObjectURL(file)
    set(made)
    return () => URL.revokeObjectURL(made)
  }, [file])
  return address ? <a href={address} target="_blank"><img src={address} alt={about} /></a> : null
}
