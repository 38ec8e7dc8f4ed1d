// Forms of one thing a page: kept while they are filled in, checked before they are sent, faults beside their fields and in a summary.

import type { ComponentChildren } from "preact"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import { t } from "../lib/words"
import { session } from "../lib/session"

/** Fields of a form by name, kept in this tab until `forget()`: nothing typed is lost by a reload or a new sign-in. */
export function useDraft<T extends Record<string, string>>(name: string, empty: T) {
  const key = `jiedui.draft.${name}.${session()?.sub}`
  const [fields, setFields] = useState<T>(() => ({ ...empty, ...JSON.parse(sessionStorage.getItem(key) ?? "{}") }))
  // At once, not after the next frame: the reader may leave in between.
  useLayoutEffect(() => sessionStorage.setItem(key, JSON.stringify(fields)), [fields])
  return {
    fields,
    set: (changes: Partial<T>) => setFields((old) => ({ ...old, ...changes })),
    forget: () => { sessionStorage.removeItem(key); setFields(empty) },
  }
}

interface FieldProps { name: string; label: string; hint?: string; fault?: string | undefined; children: (attributes: { id: string; name: string; "aria-invalid": boolean; "aria-describedby": string }) => ComponentChildren }

/** A label, its control, a hint, and what is wrong with it. */
export function Field({ name, label, hint, fault, children }: FieldProps) {
  const id = `field-${name}`
  return (
    <div class={fault ? "field wrong" : "field"}>
      <label for={id}>{label}</label>
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {fault && <p class="fault" id={`${id}-fault`}>{fault}</p>}
      {children({ id, name, "aria-invalid": !!fault, "aria-describedby": `${hint ? `${id}-hint` : ""} ${fault ? `${id}-fault` : ""}`.trim() })}
    </div>
  )
}

/** What is wrong, each with a way to its field, by `open` where it is on another page; takes the focus when it appears. */
export function Faults({ of, labels, open }: { of: Record<string, string>; labels: Record<string, string>; open?: (name: string) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const names = Object.keys(of)
  useEffect(() => {
    if (names.length) box.current?.focus()
  }, [names.join()])
  if (!names.length) return null
  const lead = (name: string) => (event: Event) => {
    event.preventDefault()
    const field = document.getElementById(`field-${name}`)
    field ? field.focus() : open?.(name)
  }
  return (
    <div class="refusal" role="alert" tabIndex={-1} ref={box}>
      <p>{t("faults", { n: names.length })}</p>
      <ul>
        {names.map((name) => <li key={name}><a href={`#field-${name}`} onClick={lead(name)}>{labels[name] ?? name}: {of[name]}</a></li>)}
      </ul>
    </div>
  )
}
