// Getting a token: from the programs themselves where they issue them, else by the authorization code flow with PKCE
// (RFC 7636) from the issuer.

import { config } from "./config"
import { Problem } from "./http"
import { signedIn, type Role } from "./session"

export interface Person { id: string; role: Role; of: { zh?: string; en?: string } | null }

const FLOW = "jiedui.flow"
interface Flow { verifier: string; state: string; back: string }

export async function people(): Promise<Person[]> {
  return (await ask("/sign-in/people")).items
}

/** By the local issuer. */
export async function signInAs(id: string): Promise<void> {
  signedIn((await ask("/sign-in", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ id }) })).token)
}

/** Leaves for the issuer; `back` is the fragment to come back to. */
export async function leaveForIssuer(back: string): Promise<void> {
  const flow: Flow = { verifier: random(), state: random(), back }
  sessionStorage.setItem(FLOW, JSON.stringify(flow))
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(flow.verifier))))
  const to = new URL((await discover()).authorization_endpoint)
  for (const [name, value] of Object.entries({
    response_type: "code",
    client_id: config.oidc!.client_id,
    redirect_uri: `${location.origin}/`,
    scope: "openid profile",
    state: flow.state,
    code_challenge: challenge,
    code_challenge_method: "S256",
  })) to.searchParams.set(name, value)
  location.assign(to)
}

/** Back from the issuer, takes the token for the code. False: this is no way back. */
export async function returnFromIssuer(): Promise<boolean> {
  const came = new URLSearchParams(location.search)
  if (!config.oidc || !(came.has("code") || came.has("error"))) return false
  const kept = sessionStorage.getItem(FLOW)
  sessionStorage.removeItem(FLOW)
  const flow: Flow | null = kept ? JSON.parse(kept) : null
  history.replaceState(null, "", `/#${flow?.back ?? "/"}`)
  if (!flow || came.get("state") !== flow.state) throw new Problem(0, "sign-in-broken", "the answer belongs to no sign-in of this tab")
  if (came.has("error")) throw new Problem(0, "sign-in-refused", came.get("error_description") ?? came.get("error")!)
  const given = await ask((await discover()).token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: came.get("code")!,
      client_id: config.oidc.client_id,
      redirect_uri: `${location.origin}/`,
      code_verifier: flow.verifier,
    }),
  })
  signedIn(given.access_token)
  return true
}

const discover = (): Promise<{ authorization_endpoint: string; token_endpoint: string }> =>
  ask(`${config.oidc!.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`)

async function ask(url: string, init?: RequestInit): Promise<any> {
  let answer: Response
  try {
    answer = await fetch(url, init)
  } catch (fault) {
    throw new Problem(0, "unreachable", String(fault))
  }
  const body = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Problem(answer.status, "sign-in-refused", body.detail ?? body.error_description ?? answer.statusText)
  return body
}

const random = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)))
const base64url = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")
