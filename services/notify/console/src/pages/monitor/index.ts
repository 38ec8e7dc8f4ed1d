import type { Page } from "../page"
import { EVERYONE } from "../../lib/session"

export const monitor: Page[] = [
  { path: "/feed", title: "feed.title", menu: "feed.menu", roles: EVERYONE, load: () => import("./feed") },
  { path: "/monitor", title: "monitor.title", menu: "monitor.menu", roles: ["coordinator", "monitor"], load: () => import("./monitor") },
  { path: "/dead-letters", title: "dead.title", menu: "dead.menu", roles: ["coordinator", "monitor"], load: () => import("./dead-letters") },
  { path: "/story", title: "story.title", menu: "story.menu", roles: EVERYONE, load: () => import("./story") },
  { path: "/story/:id", title: "story.title", roles: EVERYONE, load: () => import("./story") },
]
