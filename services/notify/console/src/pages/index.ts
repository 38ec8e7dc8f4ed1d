// All pages of the console. A page is one module with a default export, loaded when it is opened; each part of the
// console lists its own in src/pages/<part>/index.ts.

import type { ComponentType } from "preact"
import { EVERYONE, type Role } from "../lib/session"
import { coordinator } from "./coordinator"
import { county } from "./county"
import { monitor } from "./monitor"
import { partner } from "./partner"

export interface Page {
  /** `/county/:code` gives the component `params.code`. */
  path: string
  /** Key of the page's title. */
  title: string
  /** Key of its name in the menu; pages that need an id have none. */
  menu?: string
  roles: readonly Role[]
  load: () => Promise<{ default: ComponentType<PageProps> }>
}

export interface PageProps {
  params: Record<string, string>
  query: Record<string, string>
}


export const pages: Page[] = [
  { path: "/", title: "home.title", roles: EVERYONE, load: () => import("./home") },
  ...partner,
  ...coordinator,
  ...county,
  ...monitor,
]
