// Books COUNT entries of two transactions each, AT_ONCE of them at a time, each in a MongoDB transaction as
// Medici's documentation has it; prints {"entries", "seconds"} as JSON.
// Usage: node peer.js URI DATABASE COUNT AT_ONCE
const mongoose = require("mongoose");
const { Book, initModels, mongoTransaction } = require("medici");

const PROJECTS = 400;

async function main() {
  const [uri, database, count, atOnce] = process.argv.slice(2);
  await mongoose.connect(uri, { dbName: database });
  await initModels();
  const book = new Book("ledger", { precision: 2 });
  const release = (i) =>
    mongoTransaction((session) =>
      book
        .entry(`tranche ${i}`)
        .debit(`Projects:${i % PROJECTS}:Reserved`, 1000, { milestone_no: 1 })
        .credit(`Projects:${i % PROJECTS}:Released`, 1000, { milestone_no: 1 })
        .commit({ session }),
    );
  let next = 0;
  const worker = async () => {
    while (next < Number(count)) await release(next++);
  };
  const began = process.hrtime.bigint();
  await Promise.all(Array.from({ length: Number(atOnce) }, worker));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(JSON.stringify({ entries: Number(count), seconds }));
  await mongoose.connection.dropDatabase();
  await mongoose.disconnect();
}

main();
