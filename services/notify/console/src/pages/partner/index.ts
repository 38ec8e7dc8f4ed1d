import type { Page } from ".."

export const partner: Page[] = []
