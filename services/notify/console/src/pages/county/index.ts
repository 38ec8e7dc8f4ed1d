import type { Page } from ".."

export const county: Page[] = []
