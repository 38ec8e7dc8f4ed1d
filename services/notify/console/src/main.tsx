// The console: everybody's pages but the officer's, who has one that does without a line (officer.tsx).

import { render, type ComponentType } from "preact"
import { useEffect, useLayoutEffect, useState } from "preact/hooks"
import { config, loadConfig } from "./lib/config"
import { Problem } from "./lib/http"
import { match, useRoute } from "./lib/router"
import { onSession, session } from "./lib/session"
import { returnFromIssuer } from "./lib/sign-in"
import { learn, t, WORDLESS } from "./lib/words"
import { pages } from "./pages"
import type { Page, PageProps } from "./pages/page"
import SignIn from "./pages/sign-in"
import { asProblem, Refusal } from "./ui/load"
import { Layout } from "./ui/layout"

function App({ problem }: { problem: Problem | null }) {
  const { path, query } = useRoute()
  const [, redraw] = useState(0)
  useLayoutEffect(() => onSession(() => redraw((n) => n + 1)), [])
  if (!config) return <Layout><h1>{t("brand")}</h1><Refusal problem={new Problem(0, "unreachable", "config.json")} again={() => location.reload()} /></Layout>
  if (path === "/signed-in" && session()) {
    if (query.to === "officer") location.replace("/officer")
    return <Layout><p role="status">{t("sign-in.close-this")}</p></Layout>
  }
  if (!session() || path === "/sign-in") return <Layout><SignIn problem={problem} /></Layout>
  for (const page of pages) {
    const params = match(page.path, path)
    if (params) return <Layout><Opened key={path} page={page} params={params} query={query} /></Layout>
  }
  return <Layout><h1>{t("gone.title")}</h1><p>{t("gone.page")}</p></Layout>
}

let first = true

/** A page once its module is here. Whoever comes to it from another begins at its top, and so does a screen reader. */
function Opened({ page, params, query }: { page: Page } & PageProps) {
  const [Body, set] = useState<ComponentType<PageProps> | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  useEffect(() => {
    document.title = `${t(page.title)} · ${t("brand")}`
    if (!first) {
      document.getElementById("main")?.focus()
      scrollTo(0, 0)
    }
    first = false
    page.load().then((module) => set(() => module.default), (fault) => setProblem(new Problem(0, "page-missing", String(fault))))
  }, [])
  if (!session()!.roles.some((role) => page.roles.includes(role))) return <><h1>{t(page.title)}</h1><p>{t("not-for-role")}</p></>
  if (problem) return <Refusal problem={problem} again={() => location.reload()} />
  return Body ? <Body params={params} query={query} /> : <p class="quiet" role="status">{t("loading")}</p>
}

async function start(): Promise<void> {
  const words = learn()
  let problem: Problem | null = null
  try {
    await loadConfig()
    await returnFromIssuer()
  } catch (fault) {
    problem = asProblem(fault)
  }
  await words
  render(<App problem={problem} />, document.getElementById("app")!)
}

start().catch((fault) => {
  console.error(fault)
  document.getElementById("app")!.textContent = WORDLESS
})
