import type { Page } from "../page"

export const coordinator: Page[] = [
  { path: "/verify", title: "verify.title", menu: "verify.menu", roles: ["coordinator"], load: () => import("./all").then((all) => ({ default: all.verify })) },
  { path: "/rounds", title: "rounds.title", menu: "rounds.menu", roles: ["coordinator", "monitor"], load: () => import("./all").then((all) => ({ default: all.rounds })) },
  { path: "/rounds/:id", title: "round.title", roles: ["coordinator", "monitor"], load: () => import("./all").then((all) => ({ default: all.round })) },
  { path: "/pairings/:id", title: "pairing.title", roles: ["coordinator", "monitor"], load: () => import("./all").then((all) => ({ default: all.pairing })) },
  { path: "/rules", title: "rules.title", menu: "rules.menu", roles: ["coordinator", "monitor"], load: () => import("./all").then((all) => ({ default: all.rules })) },
]
