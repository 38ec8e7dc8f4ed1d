import type { Page } from ".."

export const monitor: Page[] = []
