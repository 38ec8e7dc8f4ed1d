// A question before something is done; and reasons, which many commands need.

import type { ComponentChildren } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { Problem } from "../lib/http"
import { isOver } from "../lib/session"
import { t } from "../lib/words"
import { asProblem, Refusal } from "./load"
import { SignInAgain } from "./sign-in-again"

export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const from = document.activeElement as HTMLElement | null
    box.current?.showModal()
    return () => from?.focus()
  }, [])
  return (
    <dialog ref={box} aria-label={title} onClose={close} onCancel={close}>
      <h1>{title}</h1>
      {children}
    </dialog>
  )
}

interface Asked {
  title: string
  /** What follows from it. */
  children?: ComponentChildren
  /** Whether a reason must be given; else `reason` is "". */
  reason?: boolean
  doIt: (reason: string) => Promise<unknown>
  close: () => void
  /** Reads anew what it is about: whoever was refused saw something that is otherwise by now. */
  again: () => void
}

/** Asks, does it, and stays open with the refusal if there is one. */
export function Ask({ title, children, reason, doIt, close, again }: Asked) {
  const [text, setText] = useState("")
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      await doIt(text.trim())
      close()
    } catch (fault) {
      setProblem(asProblem(fault))
      setBusy(false)
    }
  }
  const leave = () => {
    close()
    if (problem) again()
  }
  return (
    <Dialog title={title} close={leave}>
      <form onSubmit={submit}>
        {children}
        {reason && <label>{t("reason")}<textarea required maxLength={1000} rows={3} value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>}
        {isOver() ? <SignInAgain /> : problem && problem.status !== 401 && <Refusal problem={problem} />}
        <p class="actions">
          <button type="button" class="plain" onClick={leave}>{t("not-now")}</button>
          <button disabled={busy}>{busy ? t("sending") : title}</button>
        </p>
      </form>
    </Dialog>
  )
}
