// Parts of an address, which anybody may have typed.

/** What was written there; a broken escape is what it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
