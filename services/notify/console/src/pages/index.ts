// All pages of the console. A page is one module with a default export, loaded when it is opened; each part of the
// console lists its own in src/pages/<part>/index.ts.

import { EVERYONE } from "../lib/session"
import { coordinator } from "./coordinator"
import { county } from "./county"
import { monitor } from "./monitor"
import type { Page } from "./page"
import { partner } from "./partner"

export const pages: Page[] = [
  { path: "/", title: "home.title", roles: EVERYONE, load: () => import("./home") },
  ...partner,
  ...coordinator,
  ...county,
  ...monitor,
]
