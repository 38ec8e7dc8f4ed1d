// One file for all pages of this part: packed together they are a good deal smaller than each by itself.

export { default as verify } from "./verify"
export { default as rounds } from "./rounds"
export { default as round } from "./round"
export { default as pairing } from "./pairing"
export { default as rules } from "./rules"
