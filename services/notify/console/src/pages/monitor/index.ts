import type { Page } from ".."
import { EVERYONE } from "../../lib/session"

export const monitor: Page[] = [
  { path: "/feed", title: "feed.title", menu: "feed.menu", roles: EVERYONE, load: () => import("./feed") },
  { path: "/monitor", title: "monitor.title", menu: "monitor.menu", roles: ["coordinator", "monitor"], load: () => import("./monitor") },
]
