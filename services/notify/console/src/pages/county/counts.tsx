// How many there are of whom, each with a way to its rows.

import { number } from "../../lib/format"
import { href } from "../../lib/router"
import { t } from "../../lib/words"
import type { Overview } from "./shapes"

export const Counts = ({ of }: { of: Overview }) => (
  <>
    <li><b>{number(of.projects)}</b> <a href={href("/projects", { status: "live" })}>{t("home.projects", { n: of.projects })}</a></li>
    <li><b>{number(of.counties)}</b> <a href={href("/counties", { with: "projects" })}>{t("home.counties", { n: of.counties })}</a></li>
    <li><b>{number(of.partners)}</b> <a href={href("/partners", { with: "projects" })}>{t("home.partners", { n: of.partners })}</a></li>
  </>
)
