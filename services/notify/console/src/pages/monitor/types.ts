// All types of events, as filters name them.

const OF: Record<string, string> = {
  partner: "registered amended",
  commitment: "submitted amended withdrawn expired",
  county: "listed card_updated delisted relapse_risk_detected relisted",
  round: "completed failed",
  rule: "added removed",
  pairing: "proposed approved rejected superseded revoked",
  project: "opened suspended resumed cancelled completed at_risk recovered decision_needed decided",
  milestone: "reported verified returned rescheduled",
  indicator: "observed",
  fund: "reserved refused tranche_released spent returned reversed transferred",
  ledger: "sealed",
}

export const TYPES = Object.entries(OF).flatMap(([of, ends]) => ends.split(" ").map((end) => `jiedui.${of}.${end}`))
