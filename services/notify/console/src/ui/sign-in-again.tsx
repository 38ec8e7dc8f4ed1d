// The token is over: the page stays, with all that was typed, and somebody signs in again beside it.

import { useState } from "preact/hooks"
import { config } from "../lib/config"
import type { Problem } from "../lib/http"
import { session } from "../lib/session"
import { signInAs } from "../lib/sign-in"
import { t } from "../lib/words"
import { asProblem } from "./load"

export function SignInAgain() {
  const [problem, set] = useState<Problem | null>(null)
  const again = () => (config.oidc ? window.open("/#/sign-in?again=1") : signInAs(session()!.sub).catch((fault) => set(asProblem(fault))))
  return (
    <div class="refusal over" role="alert">
      <p>{t("token-over")} {problem?.sentence}</p>
      <button type="button" onClick={again}>{t("sign-in-again")}</button>
    </div>
  )
}
