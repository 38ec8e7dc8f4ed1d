// The whole programme at a glance.

import { number } from "../../lib/format"
import { get } from "../../lib/http"
import { href } from "../../lib/router"
import { t } from "../../lib/words"
import { AsOf, Show, useLoad } from "../../ui/load"
import { Counts } from "./counts"
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
              <Counts of={seen} />
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
