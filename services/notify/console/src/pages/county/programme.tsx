// The whole programme at a glance.

import { number } from "../../lib/format"
import { get } from "../../lib/http"
import { href } from "../../lib/router"
import { t } from "../../lib/words"
import { AsOf, Show, useLoad } from "../../ui/load"
import { Figures } from "./figures"
import { Indicators } from "./indicators"
import type { Overview } from "./shapes"

export default function Programme() {
  const overview = useLoad((signal) => get<Overview>("notify", "/overview", {}, signal), [])
  return (
    <>
      <h1>{t("programme.title")}</h1>
      <Show of={overview}>
        {(seen) => (
          <>
            <AsOf of={seen.as_of} />
            <ul class="figures">
              <li><b>{number(seen.projects)}</b> <a href={href("/projects", { status: "live" })}>{t("home.projects", { n: seen.projects })}</a></li>
              <li><b>{number(seen.counties)}</b> <a href={href("/counties")}>{t("home.counties", { n: seen.counties })}</a></li>
              <li><b>{number(seen.partners)}</b> {t("home.partners", { n: seen.partners })}</li>
              <li><b>{number(seen.events)}</b> <a href={href("/feed")}>{t("programme.events", { n: seen.events })}</a></li>
            </ul>
            <Figures of={seen} file="programme" />
          </>
        )}
      </Show>
      <Indicators of={{}} file="programme" />
    </>
  )
}
