// Where the counties are, as a sketch: each county of the list of 2020 is a faint dot, those that take part are large
// ones. The table below says the same.

import { percent } from "../../lib/format"
import { raw } from "../../lib/http"
import { href } from "../../lib/router"
import { name, t } from "../../lib/words"
import { Show, useLoad } from "../../ui/load"
import type { Card } from "./shapes"
import file from "./positions.map.json"

type Positions = Record<string, [longitude: number, latitude: number]>

// A degree of longitude in the middle of the country, in degrees of latitude.
const NARROW = Math.cos((33 * Math.PI) / 180)
const WIDE = 640
const EDGE = 30
const TALLEST = 560

/** Projected onto a sheet of WIDE units, so that `within` fills it. */
function sheet(within: [number, number][]) {
  const xs = within.map(([x]) => x * NARROW)
  const ys = within.map(([, y]) => -y)
  const [left, top] = [Math.min(...xs), Math.min(...ys)]
  const [across, down] = [Math.max(...xs) - left || 1, Math.max(...ys) - top || 1]
  const scale = Math.min((WIDE - 2 * EDGE) / across, (TALLEST - 2 * EDGE) / down)
  const begin = (WIDE - across * scale) / 2
  return {
    height: down * scale + 2 * EDGE,
    at: ([x, y]: [number, number]) => ({ cx: begin + (x * NARROW - left) * scale, cy: EDGE + (-y - top) * scale }),
  }
}

/** `projects` is null where they are not known. */
export interface Row { card: Card; projects: number | null; progress: number | null }

interface Dot { row: Row; cx: number; cy: number; r: number }

/** Moves dots that lie on one another apart, each as little as it takes: a sketch shows all of them. */
function apart(dots: Dot[]): Dot[] {
  for (let turn = 0; turn < 60; turn++) {
    for (const [i, a] of dots.entries()) {
      for (const b of dots.slice(i + 1)) {
        const [dx, dy] = [b.cx - a.cx || 0.1, b.cy - a.cy]
        const far = Math.hypot(dx, dy)
        const push = (a.r + b.r + 2 - far) / 2 / far
        if (push <= 0) continue
        a.cx -= dx * push
        a.cy -= dy * push
        b.cx += dx * push
        b.cy += dy * push
      }
    }
  }
  return dots
}

/** 0 to 4: nothing done, up to a quarter, a half, three quarters, more. */
const shade = (progress: number): number => Math.min(4, Math.ceil(progress / 25))

export function CountyMap({ rows, province }: { rows: Row[]; province?: string | undefined }) {
  const found = useLoad(async (signal) => (await (await raw("GET", "notify", file as unknown as string, { signal })).json()) as Positions, [])
  return <Show of={found}>{(positions) => <Sheet rows={rows} positions={positions} province={province} />}</Show>
}

function Sheet({ rows, positions, province }: { rows: Row[]; positions: Positions; province: string | undefined }) {
  const there = Object.entries(positions).filter(([code]) => !province || code.startsWith(province))
  if (!there.length) return <p class="quiet">{t("map.nowhere", { n: rows.length })}</p>
  const { height, at } = sheet(there.map(([, position]) => position))
  const placed = apart(rows.filter(({ card }) => positions[card.code]).map((row) => ({ row, r: 7 + 2 * Math.min(row.projects ?? 0, 5), ...at(positions[row.card.code]!) })))
  return (
    <figure class="chart map">
      <svg viewBox={`0 0 ${WIDE} ${height.toFixed(0)}`} role="group" aria-label={t("map.title")}>
        <defs>
          <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="paper" width="6" height="6" /><rect class="stripe" width="2" height="6" /></pattern>
        </defs>
        {there.map(([code, position]) => <circle key={code} class="faint" r={province ? 4 : 2} {...at(position)} />)}
        {placed.map(({ row, ...circle }) => {
          const said = `${name(row.card.name)} · ${row.projects === null ? t("unknown") : row.progress === null ? t("counties.no-project") : `${t("projects.found", { n: row.projects })} · ${t("projects.progress")} ${percent(row.progress)}`}`
          return (
            <a key={row.card.code} href={href(`/county/${row.card.code}`)} aria-label={said}>
              <circle {...circle} class={row.progress === null ? "none" : `done-${shade(row.progress)}`} fill={row.progress === null ? "url(#hatch)" : undefined}>
                <title>{said}</title>
              </circle>
            </a>
          )
        })}
      </svg>
      <ul class="legend">
        {[0, 1, 2, 3, 4].map((step) => <li key={step}><svg viewBox="0 0 20 20" aria-hidden="true"><circle class={`done-${step}`} cx="10" cy="10" r="8" /></svg>{step ? `≤ ${percent(step * 25)}` : percent(0)}</li>)}
        <li><svg viewBox="0 0 20 20" aria-hidden="true"><circle class="none" fill="url(#hatch)" cx="10" cy="10" r="8" /></svg>{t("counties.no-project")}</li>
      </ul>
      <p class="quiet">{t("map.sketch")} {placed.length < rows.length && t("map.nowhere", { n: rows.length - placed.length })}</p>
    </figure>
  )
}
