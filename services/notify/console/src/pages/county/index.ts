import type { Page } from "../page"
import { EVERYONE } from "../../lib/session"

const BOOK_READERS = ["partner", "coordinator", "monitor", "bookkeeper"] as const

export const county: Page[] = [
  { path: "/programme", title: "programme.title", menu: "programme.menu", roles: EVERYONE, load: () => import("./programme") },
  { path: "/counties", title: "counties.title", menu: "counties.menu", roles: EVERYONE, load: () => import("./counties") },
  { path: "/county/:code", title: "county.title", roles: EVERYONE, load: () => import("./county") },
  { path: "/projects", title: "projects.title", roles: EVERYONE, load: () => import("./projects") },
  { path: "/milestones", title: "milestones.title", roles: EVERYONE, load: () => import("./milestones") },
  { path: "/partners", title: "partners.title", roles: EVERYONE, load: () => import("./partners") },
  { path: "/promises", title: "promises.title", roles: BOOK_READERS, load: () => import("./promises") },
  { path: "/project/:id", title: "project.title", roles: EVERYONE, load: () => import("./project") },
  { path: "/project/:id/entries", title: "funds.rows", roles: BOOK_READERS, load: () => import("./entries") },
]
