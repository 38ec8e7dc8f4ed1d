// Who is signed in. One token for all tabs of this browser; whoever signs in again in another tab signs in here too.

export const EVERYONE = ["partner", "officer", "coordinator", "monitor", "bookkeeper"] as const
export type Role = (typeof EVERYONE)[number]
export interface Session {
  token: string
  sub: string
  name: string
  roles: Role[]
  partner_id: string | null
  county_codes: string[]
  /** Unix time in seconds. */
  exp: number
}

const KEPT = "jiedui.session"
const listeners = new Set<() => void>()
let current: Session | null = read()
let over = false

function read(): Session | null {
  const token = localStorage.getItem(KEPT)
  return token ? of(token) : null
}

function of(token: string): Session | null {
  try {
    const bytes = Uint8Array.from(atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0))
    const claims = JSON.parse(new TextDecoder().decode(bytes))
    return { token, sub: claims.sub, name: claims.name ?? claims.sub, roles: claims.roles ?? [], partner_id: claims.partner_id ?? null, county_codes: claims.county_codes ?? [], exp: claims.exp }
  } catch {
    return null
  }
}

export const session = (): Session | null => current
/** Whether the services no longer believe the token: the page stays as it is, and asks to sign in again. */
export const isOver = (): boolean => over
export const has = (...roles: Role[]): boolean => !!current && roles.some((role) => current!.roles.includes(role))

export function signedIn(token: string): void {
  localStorage.setItem(KEPT, token)
  become(of(token))
}

export function signOut(): void {
  localStorage.removeItem(KEPT)
  become(null)
}

/** Called when a service answers 401 to `token`; not if another one came meanwhile. */
export function wasRefused(token: string): void {
  if (current?.token !== token || over) return
  over = true
  tell()
}

export function onSession(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function become(next: Session | null): void {
  current = next
  over = false
  tell()
}

const tell = () => listeners.forEach((listener) => listener())

window.addEventListener("storage", (event) => {
  if (event.key === KEPT) become(read())
})
