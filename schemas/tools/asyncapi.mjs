// Prints what is wrong with an AsyncAPI document, one finding a line; exit 1 if there is anything.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const [path] = process.argv.slice(2);
const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf8"), { source: path });
const SEVERITY = ["error", "warning", "info", "hint"];
for (const { severity, path: at, code, message } of diagnostics) {
  console.log(`${SEVERITY[severity]} ${code} at ${at.join(".") || "the top"}: ${message}`);
}
process.exit(document && diagnostics.length === 0 ? 0 : 1);
