// What a page is: what the router knows of it, and what it is given.

import type { ComponentType } from "preact"
import type { Role } from "../lib/session"

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
