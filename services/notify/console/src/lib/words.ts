// What is said to people, by language. Catalogues are src/words/<language>/<part>.json, with the same keys in each language.

export type Language = "zh" | "en"
export type Words = Record<string, string>
export type Values = Record<string, string | number>

/** Where the words of this page are, in each language; see build.mjs. */
declare const WORDS: Record<Language, string>

/** What can be said where no words came. */
export const WORDLESS = "页面没有读全，请重新加载。The page did not come whole; please load it again."

const KEPT = "jiedui.language"
let words: Words = {}

/** The reader's choice, else the browser's language, else Chinese. */
export const language: Language = chosen()

function chosen(): Language {
  const kept = localStorage.getItem(KEPT)
  if (kept === "zh" || kept === "en") return kept
  return navigator.languages.find((one) => /^(zh|en)/.test(one))?.startsWith("en") ? "en" : "zh"
}

/** Switches and loads the page again: everything on it is said anew. */
export function switchTo(other: Language): void {
  localStorage.setItem(KEPT, other)
  location.reload()
}

/** Before anything is said. */
export async function learn(): Promise<void> {
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en"
  words = await (await fetch(WORDS[language])).json()
}

/** `{name}` is replaced by its value; `one|many` is chosen by `n`. A key nobody knows is shown as it is. */
export function t(key: string, values: Values = {}): string {
  const found = words[key] ?? key
  const [one, many] = found.split("|")
  const said = many !== undefined && Number(values.n) !== 1 ? many : one!
  return said.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

export const knows = (key: string): boolean => key in words

/** A name in the reader's language, or in the one that there is. */
export function name(of: { zh?: string | null; en?: string | null } | null | undefined): string {
  return of?.[language] || of?.zh || of?.en || "—"
}
