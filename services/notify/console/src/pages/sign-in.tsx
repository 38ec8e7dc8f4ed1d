// Signing in. Where the programs issue their own tokens: as one of the programme's people; else at the issuer.

import { useState } from "preact/hooks"
import { config } from "../lib/config"
import type { Problem } from "../lib/http"
import { go, route } from "../lib/router"
import { EVERYONE } from "../lib/session"
import { type Person, leaveForIssuer, people, signInAs } from "../lib/sign-in"
import { name, t } from "../lib/words"
import { asProblem, Refusal, Show, useLoad } from "../ui/load"

export default function SignIn({ problem }: { problem: Problem | null }) {
  return (
    <>
      <h1>{t("sign-in.title")}</h1>
      <p class="lead">{t("sign-in.lead")}</p>
      {problem && <Refusal problem={problem} />}
      {config.oidc ? <AtIssuer /> : <AmongPeople />}
    </>
  )
}

function AtIssuer() {
  const [problem, set] = useState<Problem | null>(null)
  const { path, query } = route()
  const leave = () => leaveForIssuer(path === "/sign-in" ? `/signed-in?to=${query.to ?? ""}` : location.hash.slice(1) || "/").catch((fault) => set(asProblem(fault)))
  return (
    <>
      {problem && <Refusal problem={problem} />}
      <button type="button" onClick={leave}>{t("sign-in.at", { host: new URL(config.oidc!.issuer).host })}</button>
    </>
  )
}

function AmongPeople() {
  const found = useLoad(people, [])
  const [problem, set] = useState<Problem | null>(null)
  const enter = async (person: Person) => {
    try {
      await signInAs(person.id)
      // Officers work on their own page, which also does without a line.
      const { path, query } = route()
      if (query.to === "officer" || (person.role === "officer" && path === "/")) location.assign("/officer")
      else if (path === "/sign-in") go("/")
    } catch (fault) {
      set(asProblem(fault))
    }
  }
  return (
    <>
      <p class="quiet">{t("sign-in.local")}</p>
      {problem && <Refusal problem={problem} />}
      <Show of={found}>
        {(all) => (
          <div class="people">
            {EVERYONE.map((role) => (
              <section key={role} aria-labelledby={`role-${role}`}>
                <h2 id={`role-${role}`}>{t(`role.${role}`)}</h2>
                <p class="quiet">{t(`role.${role}.does`)}</p>
                <ul>
                  {all.filter((person) => person.role === role).map((person) => (
                    <li key={person.id}><button type="button" class="person" data-person={person.id} onClick={() => enter(person)}>{person.of ? name(person.of) : t(`desk.${person.id}`)}</button></li>
                  ))}
                </ul>
              </section>
            ))}
          </div>
        )}
      </Show>
    </>
  )
}
