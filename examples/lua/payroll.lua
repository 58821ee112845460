-- SPDX-License-Identifier: Apache-2.0
-- payroll.lua [FILE]: greets with $GREETING and adds up a payroll, whose lines
-- are a name and an amount, from a file or the standard input.
print((os.getenv("GREETING") or "hello") .. " from Lua inside a Keep")
local people, total = {}, 0
local count = 0
for line in io.lines(arg[1]) do
  local name, amount = line:match("^(%S+) (%d+)$")
  if not name then error("not NAME AMOUNT: " .. line) end
  if not people[name] then count = count + 1 end
  people[name] = (people[name] or 0) + math.tointeger(amount)
  total = total + math.tointeger(amount)
end
print(("%d people earn %d"):format(count, total))
