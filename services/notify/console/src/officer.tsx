import { learn } from "./lib/words"
import zhCommon from "./words/zh/common.json"
import enCommon from "./words/en/common.json"

learn({ zh: zhCommon, en: enCommon })
