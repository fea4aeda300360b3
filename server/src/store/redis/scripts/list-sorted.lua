#!lua flags=no-writes
--[[ Some tasks of a sorted set, from its end.
  KEYS  prio due dead grouped alone state
  ARGV  which group score member max
  `which`: "due", "dead", "group" (of failures), "low" or "high" (ready, with a priority below or above 0). `score` and `member` are
  those of the task to go on behind, or "".
  Returns {whether the end was reached, member, score, key, state, record, ...}; "" = there is none. ]]
--- @include lib/sorted
local max = tonumber(ARGV.max)
local reply, size = { 0 }, 0
local KEY_AT = { due = 1, dead = 1, low = 14, high = 14, group = 24 }
local BYTES = 1000000 -- more than this is not told at once

local next_portion = portions(ARGV.which, ARGV.group, ARGV.score, ARGV.member)
while max > 0 and size < BYTES do
  local found = next_portion(math.min(max, 32))
  local keys = {}
  for i = 1, #found, 2 do keys[#keys + 1] = string.sub(found[i], KEY_AT[ARGV.which]) end
  if #keys > 0 then
    local states = redis.call("HMGET", KEYS.state, unpack(keys))
    local records = redis.call("HMGET", KEYS.alone, unpack(keys))
    for i, key in ipairs(keys) do
      for _, part in ipairs({ found[2 * i - 1], found[2 * i], key, states[i] or "", records[i] or "" }) do
        reply[#reply + 1] = part
      end
      size = size + #(records[i] or "")
    end
  end
  if #keys < math.min(max, 32) then
    reply[1] = 1
    break
  end
  max = max - #keys
end
return reply
