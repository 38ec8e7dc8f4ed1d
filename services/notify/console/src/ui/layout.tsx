// The frame of each page: menu by role, language, who is signed in, and the way back in when a token is over.

import { Component, type ComponentChildren } from "preact"
import { useLayoutEffect, useState } from "preact/hooks"
import type { Problem } from "../lib/http"
import { href, useRoute } from "../lib/router"
import { isOver, onSession, session, signOut } from "../lib/session"
import { language, switchTo, t } from "../lib/words"
import { pages } from "../pages"
import { asProblem, Refusal } from "./load"
import { SignInAgain } from "./sign-in-again"

export function Layout({ children }: { children: ComponentChildren }) {
  const { path } = useRoute()
  const [, redraw] = useState(0)
  useLayoutEffect(() => onSession(() => redraw((n) => n + 1)), [])
  const me = session()
  const menu = pages.filter((page) => page.menu && me?.roles.some((role) => page.roles.includes(role)))
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus() }}>{t("skip")}</a>
      <header>
        <a class="brand" href={href("/")}>{t("brand")}</a>
        <nav aria-label={t("menu")}>
          {menu.map((page) => <a key={page.path} href={href(page.path)} aria-current={page.path === path ? "page" : undefined}>{t(page.menu!)}</a>)}
          {me?.roles.includes("officer") && <a href="/officer">{t("menu.officer")}</a>}
        </nav>
        <p class="who">
          {me && <span>{me.roles.map((role) => t(`role.${role}`)).join(" · ")}</span>}
          {me && <button type="button" class="plain" onClick={() => { signOut(); location.hash = "/" }}>{t("sign-out")}</button>}
          <button type="button" class="plain" lang={language === "zh" ? "en" : "zh-Hans"} onClick={() => switchTo(language === "zh" ? "en" : "zh")}>{language === "zh" ? "English" : "中文"}</button>
        </p>
      </header>
      {isOver() && <SignInAgain />}
      <main id="main" tabIndex={-1}><Held key={path}>{children}</Held></main>
    </>
  )
}

/** A page that fails while it is drawn says so; the menu above it goes on. */
class Held extends Component<{ children: ComponentChildren }, { problem: Problem | null }> {
  override state: { problem: Problem | null } = { problem: null }

  componentDidCatch(fault: unknown) {
    this.setState({ problem: asProblem(fault) })
  }

  render() {
    const { problem } = this.state
    return problem ? <Refusal problem={problem} again={() => this.setState({ problem: null })} /> : this.props.children
  }
}
