// Keeps the officer's page on the phone, so that it opens without a line. Data is not its business (see officer/store.ts).

export {}
declare const SHELL: string[]
declare const VERSION: string
declare const self: ServiceWorkerGlobalScope

const KEPT = `officer-${VERSION}`

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()))
})

self.addEventListener("activate", (event) => {
  const drop = async () => {
    for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name)
    await self.clients.claim()
  }
  event.waitUntil(drop())
})

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== "GET" || url.origin !== location.origin || !SHELL.includes(url.pathname)) return
  // From the phone at once; a new version comes by a new worker, whole.
  event.respondWith(caches.match(url.pathname, { cacheName: KEPT }).then((found) => found ?? fetch(event.request)))
})
