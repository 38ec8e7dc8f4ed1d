// One file for all pages of this part: packed together they are a good deal smaller than each by itself.

export { default as commitments } from "./commitments"
export { default as submit } from "./submit"
export { default as commitment } from "./commitment"
export { default as funds } from "./funds"
export { default as upload } from "./upload"
