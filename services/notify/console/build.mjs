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

// The officer's words are read as data, in one language: half as much over a thin line as both within the script.
const words = {}
for (const language of ["zh", "en"]) {
  const parts = await Promise.all(["common", "programme", "officer"].map((part) => readFile(join(here, "src/words", language, `${part}.json`), "utf8")))
  const content = JSON.stringify(Object.assign({}, ...parts.map((part) => JSON.parse(part))))
  const name = `words-${language}-${createHash("sha256").update(content).digest("hex").slice(0, 8)}.json`
  await mkdir(join(fresh, "assets"), { recursive: true })
  await writeFile(join(fresh, "assets", name), content)
  words[language] = `/assets/${name}`
}

const pages = { main: "index.html", officer: "officer.html" }
const built = {}
for (const name of Object.keys(pages)) {
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
    define: { WORDS: JSON.stringify(words) },
  })
  const outputs = Object.entries(metafile.outputs).map(([path, output]) => ({ name: path.split("/").pop(), ...output }))
  built[name] = outputs.find((output) => output.entryPoint === `src/${name}.tsx`)
}
const css = await build({ ...shared, entryPoints: ["src/style.css"], outdir: join(fresh, "assets"), entryNames: "[name]-[hash]", metafile: true })
const style = Object.keys(css.metafile.outputs)[0].split("/").pop()

await cp(join(here, "public"), fresh, { recursive: true })
for (const [name, page] of Object.entries(pages)) {
  const html = await readFile(join(here, "src", page), "utf8")
  await writeFile(join(fresh, page), html.replaceAll("{script}", `/assets/${built[name].name}`).replaceAll("{style}", `/assets/${style}`))
}

// What the officer's phone keeps: its page and all that it names. The version changes with any of them.
const shell = ["/officer", `/assets/${built.officer.name}`, `/assets/${style}`, ...Object.values(words), "/officer.webmanifest", "/icon.svg"]
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
