// The officer's page: works where there is no line. Its shell comes from the phone (officer-worker.ts), what it shows
// from IndexedDB; what is noted waits there until it can be sent.

import { render } from "preact"
import { loadConfig } from "./lib/config"
import { onSession } from "./lib/session"
import { learn } from "./lib/words"
import { App } from "./officer/app"
import { readReports } from "./officer/reports"
import { changed, onChange, state } from "./officer/state"
import { readKept, sync } from "./officer/sync"

const flush = () => void sync()

async function start(): Promise<void> {
  void navigator.serviceWorker?.register("/officer-worker.js", { scope: "/officer" })
  await Promise.all([readKept(), readReports(), learn()])
  const root = document.getElementById("app")!
  root.replaceChildren()
  onChange(() => render(<App />, root))
  addEventListener("offline", changed)
  addEventListener("hashchange", () => { changed(); scrollTo(0, 0) })
  changed()
  await loadConfig()
  for (const name of ["online", "focus"]) addEventListener(name, flush)
  onSession(() => void readKept().then(flush))
  setInterval(changed, 30_000)
  flush()
  // Some browsers ask the reader, who may take their time.
  state.persistent = !!(await navigator.storage?.persist?.())
  changed()
}

void start()
