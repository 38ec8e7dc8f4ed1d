// Where everybody begins: what the programme comes to now, and the ways on.

import { get } from "../lib/http"
import { href } from "../lib/router"
import { session } from "../lib/session"
import { t } from "../lib/words"
import { money } from "../lib/format"
import { AsOf, Show, useLoad } from "../ui/load"
import { pages } from "."
import { Counts } from "./county/counts"
import type { Overview } from "./county/shapes"

export default function Home() {
  const overview = useLoad((signal) => get<Overview>("notify", "/overview", {}, signal), [])
  const ways = pages.filter((page) => page.menu && session()?.roles.some((role) => page.roles.includes(role)))
  return (
    <>
      <h1>{t("home.title")}</h1>
      <Show of={overview}>
        {(seen) => (
          <>
            <ul class="figures">
              <Counts of={seen} />
              {Object.entries(seen.funds).map(([currency, funds]) => <li key={currency}><b>{money({ amount: funds.promised!, currency })}</b> <a href={href("/programme")}>{t("home.promised")}</a></li>)}
            </ul>
            <AsOf of={seen.as_of} />
          </>
        )}
      </Show>
      <ul class="ways">
        {ways.map((page) => <li key={page.path}><a href={href(page.path)}>{t(page.menu!)}</a></li>)}
        {session()?.roles.includes("officer") && <li><a href="/officer">{t("menu.officer")}</a></li>}
      </ul>
    </>
  )
}
