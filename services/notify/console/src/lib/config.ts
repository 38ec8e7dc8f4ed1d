// Where the services are and who issues tokens; asked for once, and kept for when there is no line.

export type Service = "pairing" | "projects" | "funding" | "notify"
export interface Config {
  apis: Record<Service, string>
  oidc: { issuer: string; client_id: string } | null
  trace_url: string | null
}

const KEPT = "jiedui.config"
export let config: Config

export async function loadConfig(): Promise<void> {
  const kept = localStorage.getItem(KEPT)
  if (kept) config = JSON.parse(kept)
  if (kept && !navigator.onLine) return
  try {
    const answer = await fetch("/config.json")
    if (!answer.ok) throw new Error(answer.statusText)
    config = await answer.json()
    localStorage.setItem(KEPT, JSON.stringify(config))
  } catch (fault) {
    if (!kept) throw fault
  }
}
