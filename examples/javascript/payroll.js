// SPDX-License-Identifier: Apache-2.0
// payroll.js FILE: greets with $GREETING and adds up a payroll, whose lines
// are a name and an amount.
print((env("GREETING") || "hello") + " from JavaScript inside a Keep");
var people = {};
read(args[0]).trim().split("\n").forEach(function (line) {
  var words = line.split(" ");
  people[words[0]] = (people[words[0]] || 0) + Number(words[1]);
});
var names = Object.keys(people);
var total = names.reduce(function (sum, name) { return sum + people[name]; }, 0);
print(names.length + " people earn " + total);
