// What the phone keeps, in IndexedDB: `kept` (what was read, by officer), `reports` (what was noted), `photos` (by id).
// Where it keeps nothing (it is full, or does not allow it), the page says so and works on while it is open.

import { changed, state } from "./state"

type Store = "kept" | "reports" | "photos"

let opened: Promise<IDBDatabase> | undefined

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open("jiedui-officer", 1)
    asked.onupgradeneeded = () => ["kept", "reports", "photos"].forEach((name) => asked.result.createObjectStore(name))
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })
  return opened
}

/** One transaction: `work` gets a function that gives its stores; what its request found once all is written, else undefined. */
async function within<T>(mode: IDBTransactionMode, stores: Store[], work: (of: (name: Store) => IDBObjectStore) => IDBRequest<T> | void): Promise<T | undefined> {
  try {
    // Strict: what was noted outlives a phone whose battery ends.
    const transaction = (await open()).transaction(stores, mode, { durability: "strict" })
    const asked = work((name) => transaction.objectStore(name))
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve
      transaction.onabort = reject
    })
    return asked?.result
  } catch {
    state.lost = true
    changed()
    return undefined
  }
}

export const read = <T>(store: Store, key: string): Promise<T | undefined> => within("readonly", [store], (of) => of(store).get(key))
export const readAll = <T>(store: Store): Promise<T[] | undefined> => within("readonly", [store], (of) => of(store).getAll())
/** Its key; undefined where it could not be kept. */
export const write = (store: Store, key: string, value: unknown): Promise<unknown> => within("readwrite", [store], (of) => of(store).put(value, key))

/** A report and its photos together. */
export const drop = (key: string, photos: string[]): Promise<unknown> =>
  within("readwrite", ["reports", "photos"], (of) => {
    of("reports").delete(key)
    photos.forEach((photo) => of("photos").delete(photo))
  })
