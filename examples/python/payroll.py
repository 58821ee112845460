# SPDX-License-Identifier: Apache-2.0
"""payroll.py [FILE]: greets with $GREETING and adds up a payroll, whose lines
are a name and an amount, from a file or the standard input."""
import collections
import os
import sys

print(os.environ.get("GREETING", "hello"), "from Python inside a Keep")
people = collections.Counter()
with open(sys.argv[1]) if len(sys.argv) > 1 else sys.stdin as lines:
    for line in lines:
        name, amount = line.split()
        people[name] += int(amount)
print(len(people), "people earn", sum(people.values()))
