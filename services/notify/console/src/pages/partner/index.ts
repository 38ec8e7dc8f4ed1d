import type { Page } from "../page"

const READERS = ["partner", "coordinator", "monitor", "bookkeeper"] as const

export const partner: Page[] = [
  { path: "/commitments", title: "commitments.title", menu: "commitments.menu", roles: ["partner"], load: () => import("./all").then((all) => ({ default: all.commitments })) },
  { path: "/commitments/new", title: "submit.title", roles: ["partner"], load: () => import("./all").then((all) => ({ default: all.submit })) },
  { path: "/commitments/:id", title: "commitment", roles: READERS, load: () => import("./all").then((all) => ({ default: all.commitment })) },
  { path: "/funds/:what", title: "funds.title", roles: ["partner"], load: () => import("./all").then((all) => ({ default: all.funds })) },
  { path: "/upload", title: "upload.title", menu: "upload.menu", roles: ["partner"], load: () => import("./all").then((all) => ({ default: all.upload })) },
]
