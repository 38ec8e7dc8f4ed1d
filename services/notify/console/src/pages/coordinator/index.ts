import type { Page } from ".."

export const coordinator: Page[] = []
