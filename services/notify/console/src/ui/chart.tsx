// Small charts of our own, as SVG, each with its table: bars for categories, a line over time. A gap is no 0.

import { number } from "../lib/format"
import { t } from "../lib/words"
import { Table } from "./table"

export interface Point { label: string; value: number | null; href?: string }
interface Props {
  title: string
  /** Heads of the table: what the labels are, what the values are. */
  heads: [string, string]
  points: Point[]
  file: string
  unit?: string
  show?: (value: number | null) => string
  target?: number | null
}

const W = 640
const H = 220
const LEFT = 8
const FLOOR = H - 26

export function Bars(props: Props) {
  const most = Math.max(1, ...props.points.map((point) => point.value ?? 0))
  const show = props.show ?? number
  return (
    <Figure {...props}>
      <ol class="bars">
        {props.points.map((point) => (
          <li key={point.label}>
            <span>{point.href ? <a href={point.href}>{point.label}</a> : point.label}</span>
            {point.value === null ? <span class="gap">{t("no-entry")}</span> : <meter min={0} max={most} value={point.value} aria-label={point.label} />}
            <b>{point.value === null ? "" : show(point.value)}</b>
          </li>
        ))}
      </ol>
    </Figure>
  )
}

export function Line(props: Props) {
  const { points, target } = props
  const values = points.flatMap((point) => point.value ?? []).concat(target ?? [])
  const low = Math.min(0, ...values)
  const high = Math.max(1, ...values)
  const x = (i: number) => LEFT + (points.length < 2 ? (W - 2 * LEFT) / 2 : (i * (W - 2 * LEFT)) / (points.length - 1))
  const y = (value: number) => FLOOR - ((value - low) / (high - low)) * (FLOOR - 24)
  let path = ""
  points.forEach((point, i) => {
    if (point.value !== null) path += `${path && points[i - 1]?.value != null ? "L" : "M"}${x(i).toFixed(1)} ${y(point.value).toFixed(1)}`
  })
  const show = props.show ?? number
  return (
    <Figure {...props}>
      <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-label={props.title}>
        <line class="axis" x1={LEFT} x2={W - LEFT} y1={y(Math.max(low, 0))} y2={y(Math.max(low, 0))} />
        {target != null && <line class="target" x1={LEFT} x2={W - LEFT} y1={y(target)} y2={y(target)} />}
        {target != null && <text class="target" x={W - LEFT} y={y(target) - 6} text-anchor="end">{t("target")} {show(target)}</text>}
        <path d={path} />
        {points.map((point, i) => point.value !== null && <circle cx={x(i)} cy={y(point.value)} r="4"><title>{point.label}: {show(point.value)}</title></circle>)}
        {points.length > 0 && <text x={LEFT} y={H - 6}>{points[0]!.label}</text>}
        {points.length > 1 && <text x={W - LEFT} y={H - 6} text-anchor="end">{points.at(-1)!.label}</text>}
      </svg>
    </Figure>
  )
}

function Figure({ title, heads, points, file, show = number, children }: Props & { children: any }) {
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      {points.length ? children : <p class="quiet">{t("nothing-here")}</p>}
      <details>
        <summary>{t("as-table")}</summary>
        <Table
          caption={title}
          rows={points}
          id={(point) => point.label}
          file={file}
          columns={[
            { head: heads[0], cell: (point) => (point.href ? <a href={point.href}>{point.label}</a> : point.label), plain: (point) => point.label },
            { head: heads[1], cell: (point) => show(point.value), plain: (point) => point.value, figure: true },
          ]}
        />
      </details>
    </figure>
  )
}
