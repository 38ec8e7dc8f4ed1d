// The catalogues of the console; the officer's page reads its own, with `common` and `programme`, as data.

import zhCommon from "./zh/common.json"
import enCommon from "./en/common.json"
import zhConsole from "./zh/console.json"
import enConsole from "./en/console.json"
import zhCoordinator from "./zh/coordinator.json"
import enCoordinator from "./en/coordinator.json"
import zhCounty from "./zh/county.json"
import enCounty from "./en/county.json"
import zhMonitor from "./zh/monitor.json"
import enMonitor from "./en/monitor.json"
import zhPartner from "./zh/partner.json"
import enPartner from "./en/partner.json"
import zhProgramme from "./zh/programme.json"
import enProgramme from "./en/programme.json"
import zhProblems from "./zh/problems.json"
import enProblems from "./en/problems.json"

export const catalogues = [
  { zh: zhCommon, en: enCommon },
  { zh: zhConsole, en: enConsole },
  { zh: zhCoordinator, en: enCoordinator },
  { zh: zhCounty, en: enCounty },
  { zh: zhMonitor, en: enMonitor },
  { zh: zhPartner, en: enPartner },
  { zh: zhProgramme, en: enProgramme },
  { zh: zhProblems, en: enProblems },
]
