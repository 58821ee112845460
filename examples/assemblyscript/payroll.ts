// SPDX-License-Identifier: Apache-2.0
// payroll: greets with $GREETING and adds up a payroll from the standard
// input, whose lines are a name and an amount.
const buffer = new ArrayBuffer(4096);
let text = "";
for (;;) {
  const n = process.stdin.read(buffer);
  if (n <= 0) break;
  text += String.UTF8.decodeUnsafe(changetype<usize>(buffer), <usize>n);
}

const greeting = process.env.has("GREETING") ? process.env.get("GREETING") : "hello";
process.stdout.write(greeting + " from AssemblyScript inside a Keep\n");

const people = new Map<string, i64>();
const lines = text.split("\n");
for (let i = 0; i < lines.length; i++) {
  const words = lines[i].split(" ");
  if (words.length < 2) continue;
  const before: i64 = people.has(words[0]) ? people.get(words[0]) : 0;
  people.set(words[0], before + I64.parseInt(words[1]));
}
let total: i64 = 0;
const amounts = people.values();
for (let i = 0; i < amounts.length; i++) total += amounts[i];
process.stdout.write(people.size.toString() + " people earn " + total.toString() + "\n");
