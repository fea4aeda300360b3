#!lua flags=no-writes
--[[ Results of what ended lately, the last first.
  KEYS  ended results
  ARGV  before max
  `before`: the number of the result to go on behind, or "".
  Returns {whether the end was reached, number of its last task, how many tasks, field, results from there on, ...}; "" = they were
  dropped. ]]
local BYTES = 500000 -- more than this is not told at once
local max, size = tonumber(ARGV.max), 0
local before = ARGV.before ~= "" and tonumber(ARGV.before)
local reply = { 0 }
local from = "+"
if before then
  -- The entry that tells of the one before it.
  local found = redis.call("XRANGE", KEYS.ended, string.format("%.0f", before - 1), "+", "COUNT", 1)[1]
  if found then from = found[1] end
end
while true do
  local entry = redis.call("XREVRANGE", KEYS.ended, from, "-", "COUNT", 1)[1]
  if not entry then
    reply[1] = 1
    return reply
  end
  from = "(" .. entry[1]
  local last = tonumber(string.match(entry[1], "^%d+"))
  local records = {}
  for field, bucket, start, n in string.gmatch(entry[2][2], "([^ ,]+) (%d+) (%d+) (%d+)") do
    records[#records + 1] = { field, bucket, tonumber(start), tonumber(n) }
  end
  for i = #records, 1, -1 do
    local field, bucket, start, n = unpack(records[i])
    if not before or last - n + 1 < before then
      if max <= 0 or size > BYTES then return reply end
      local results = redis.call("HGET", KEYS.results .. bucket, field) or ""
      for _, part in ipairs({ last, n, field, string.sub(results, start + 1) }) do reply[#reply + 1] = part end
      size = size + #results
      max = max - n
    end
    last = last - n
  end
end
