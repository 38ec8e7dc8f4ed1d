// The photos of a report, as they will be sent.

import { number } from "../lib/format"
import { t } from "../lib/words"
import { read } from "./database"
import { changed, type Report } from "./state"

const shown = new Map<string, { url: string; size: number } | null>()

export function Photos({ of, drop }: { of: Report; drop?: (photo: string) => void }) {
  if (!of.photos.length) return <p class="quiet">{t("officer.photos.none")}</p>
  return (
    <ul class="photos">
      {of.photos.map((photo, i) => {
        const file = shown.get(photo)
        if (file === undefined) void show(photo)
        return (
          <li key={photo}>
            {file && <img src={file.url} alt={t("officer.photo.no", { no: i + 1 })} />}
            <span class="quiet">{file ? t("officer.kb", { kb: number(file.size / 1024, 0) }) : t("loading")}</span>
            {drop && <button type="button" class="plain" onClick={() => drop(photo)}>{t("officer.photo.drop")}</button>}
          </li>
        )
      })}
    </ul>
  )
}

async function show(photo: string): Promise<void> {
  shown.set(photo, null)
  const file = await read<Blob>("photos", photo)
  if (file) shown.set(photo, { url: URL.createObjectURL(file), size: file.size })
  changed()
}
