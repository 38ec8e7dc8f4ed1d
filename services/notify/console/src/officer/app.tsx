// The frame, and which page the address means: #/project/<id>, #/report/<project>/<no>, #/observe/<project>/<indicator>,
// #/sending, #/conflict/<id>.

import { isOver, session } from "../lib/session"
import { ago, at } from "../lib/format"
import { decoded } from "../lib/decoded"
import { language, switchTo, t } from "../lib/words"
import { Desk } from "./conflict"
import { Observe } from "./observe"
import { OneProject, Projects } from "./projects"
import { ReportMilestone } from "./report"
import { Sending } from "./sending"
import { state } from "./state"
import { sync } from "./sync"

export function App() {
  const [page, ...ids] = location.hash.slice(2).split("/").map(decoded)
  const waiting = state.reports.filter((one) => one.sub === session()?.sub && one.state !== "sent").length
  return (
    <>
      <header>
        <a class="brand" href="#/">{t("officer.brand")}</a>
        <p class="who">
          <a class="button plain" href="#/sending">{t("officer.sending")}{waiting > 0 && <b class="count">{waiting}</b>}</a>
          <button type="button" class="plain" lang={language === "zh" ? "en" : "zh-Hans"} onClick={() => switchTo(language === "zh" ? "en" : "zh")}>{language === "zh" ? "English" : "中文"}</button>
        </p>
      </header>
      {isOver() && <Bar>{t("token-over")} <a href="/#/sign-in?to=officer">{t("sign-in-again")}</a></Bar>}
      {state.lost && <Bar>{t("officer.lost")}</Bar>}
      <main class="narrow">
        {session() ? <><Line brief={!!page && page !== "sending"} />{pageOf(page!, ids)}</> : <><h1>{t("officer.brand")}</h1><p>{t("officer.who")}</p><a class="button" href="/#/sign-in?to=officer">{t("officer.sign-in")}</a></>}
      </main>
    </>
  )
}

function pageOf(page: string, ids: string[]) {
  if (!state.kept) return page === "sending" ? <Sending /> : <p class="quiet" role="status">{t(state.busy || !state.problem ? "loading" : "officer.first-visit")}</p>
  const project = state.kept.projects.find((one) => one.id === ids[0])
  if (page === "sending") return <Sending />
  if (page === "conflict") return <Desk key={ids[0]} id={ids[0]!} />
  if (!page) return <Projects kept={state.kept} />
  if (!project) return <><h1>{t("officer.gone")}</h1><p>{t("problem.404")}</p><a href="#/">{t("officer.projects")}</a></>
  if (page === "report") return <ReportMilestone key={ids[1]} project={project} no={Number(ids[1])} step={ids[2] ?? "words"} />
  if (page === "observe") return <Observe key={ids[1]} project={project} code={ids[1]!} />
  return <OneProject project={project} />
}

const Bar = ({ children }: { children: any }) => <div class="refusal over" role="alert"><p>{children}</p></div>

/** Whether there is a line, how old what is shown is, and whether it may be lost. */
function Line({ brief }: { brief: boolean }) {
  const { kept, problem, busy, persistent } = state
  const away = !navigator.onLine || (problem && problem.status !== 401)
  return (
    <>
      <div class={away ? "line away" : "line"} role="status">
        <span>
          {busy ? t("officer.busy") : !navigator.onLine ? t("officer.no-line") : problem ? problem.sentence : t("officer.line")}
          {kept && <> <span class="quiet">{t("officer.as-of")} <time dateTime={kept.read_at} title={at(kept.read_at)}>{at(kept.read_at)} · {ago(kept.read_at)}</time></span></>}
        </span>
        <button type="button" class="plain" disabled={busy} onClick={() => void sync()}>{t("officer.sync")}</button>
      </div>
      {!persistent && !brief && <details class="notice"><summary>{t("officer.not-kept")}</summary><p>{t("officer.not-kept.more")}</p></details>}
    </>
  )
}
