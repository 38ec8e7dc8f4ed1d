// The token is over: the page stays, with all that was typed, and somebody signs in again beside it.

import { config } from "../lib/config"
import { session } from "../lib/session"
import { signInAs } from "../lib/sign-in"
import { t } from "../lib/words"

export function SignInAgain() {
  const again = () => (config.oidc ? window.open("/#/sign-in?again=1") : signInAs(session()!.sub))
  return (
    <div class="refusal over" role="alert">
      <p>{t("token-over")}</p>
      <button type="button" onClick={() => void again()}>{t("sign-in-again")}</button>
    </div>
  )
}
