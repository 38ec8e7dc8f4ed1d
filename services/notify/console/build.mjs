// Builds dist/: two pages with an entry each, the officer's service worker, and all of it packed once more as .br and .gz.
import { build } from "esbuild"
import { createHash } from "node:crypto"
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises"
import { brotliCompressSync, gzipSync } from "node:zlib"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const fresh = join(here, "dist.fresh")
const shared = {
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
  absWorkingDir: here,
}

await rm(fresh, { recursive: true, force: true })
await mkdir(fresh)

// Words are read as data, in one language: half as much over a thin line as both within the script.
const parts = (await readdir(join(here, "src/words/zh"))).map((file) => file.replace(".json", ""))
const pages = {
  main: { html: "index.html", words: parts.filter((part) => part !== "officer") },
  officer: { html: "officer.html", words: ["common", "programme", "officer"] },
}
await mkdir(join(fresh, "assets"))
for (const [name, page] of Object.entries(pages)) {
  page.said = {}
  for (const language of ["zh", "en"]) {
    const said = await Promise.all(page.words.map((part) => readFile(join(here, "src/words", language, `${part}.json`), "utf8")))
    const content = JSON.stringify(Object.assign({}, ...said.map((part) => JSON.parse(part))))
    const file = `words-${name}-${language}-${createHash("sha256").update(content).digest("hex").slice(0, 8)}.json`
    await writeFile(join(fresh, "assets", file), content)
    page.said[language] = `/assets/${file}`
  }
  const { metafile } = await build({
    ...shared,
    entryPoints: [`src/${name}.tsx`],
    splitting: true,
    outdir: join(fresh, "assets"),
    entryNames: "[name]-[hash]",
    chunkNames: `${name}-[name]-[hash]`,
    // The map's data are read by the page that shows it, and are no part of its script.
    loader: { ".map.json": "file" },
    assetNames: "map-[hash]",
    publicPath: "/assets",
    metafile: true,
    define: { WORDS: JSON.stringify(page.said) },
  })
  const outputs = Object.entries(metafile.outputs).map(([path, output]) => ({ name: path.split("/").pop(), ...output }))
  page.script = `/assets/${outputs.find((output) => output.entryPoint === `src/${name}.tsx`).name}`
}
const css = await build({ ...shared, entryPoints: ["src/style.css"], outdir: join(fresh, "assets"), entryNames: "[name]-[hash]", metafile: true })
const style = Object.keys(css.metafile.outputs)[0].split("/").pop()

await cp(join(here, "public"), fresh, { recursive: true })
for (const { html, script } of Object.values(pages)) {
  const text = await readFile(join(here, "src", html), "utf8")
  await writeFile(join(fresh, html), text.replaceAll("{script}", script).replaceAll("{style}", `/assets/${style}`))
}

// What the officer's phone keeps: its page and all that it names. The version changes with any of them.
const shell = ["/officer", pages.officer.script, `/assets/${style}`, ...Object.values(pages.officer.said), "/officer.webmanifest", "/icon.svg"]
const version = createHash("sha256").update(shell.join()).update(await readFile(join(fresh, "officer.html"))).digest("hex").slice(0, 12)
await build({
  ...shared,
  entryPoints: ["src/officer-worker.ts"],
  outdir: fresh,
  define: { SHELL: JSON.stringify(shell), VERSION: JSON.stringify(version) },
})

for (const entry of await readdir(fresh, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(js|css|html|svg|json|webmanifest)$/.test(entry.name)) continue
  const path = join(entry.parentPath, entry.name)
  const content = await readFile(path)
  await writeFile(`${path}.br`, brotliCompressSync(content))
  await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }))
}
await rm(join(here, "dist"), { recursive: true, force: true })
await rename(fresh, join(here, "dist"))
