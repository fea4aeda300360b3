#!lua flags=allow-oom
--[[ Makes dead tasks ready, at the end of the line of their priority, in the order given.
  KEYS  line prio dead alone state count groups grouped
  ARGV  channel announce list...
  The list: keys.
  Returns {whether the line was empty, for each key the letter of the state that it was in, or "?"...}: "d" = it was revived. ]]
--- @include lib/clock
--- @include lib/counts
--- @include lib/line
--- @include lib/alone
--- @include lib/groups
--- @include lib/dead-of
local BATCH = 32 -- records at once: each has a body
local letters, keys, states, died_at = dead_of(ARGV.list, "r")
local now = now_ms()
local references = {}
for first = 1, #keys, BATCH do
  local last = math.min(first + BATCH - 1, #keys)
  local records, changed = redis.call("HMGET", KEYS.alone, unpack(keys, first, last)), {}
  for i = first, last do
    changed[#changed + 1] = keys[i]
    changed[#changed + 1] = renewed(records[i - first + 1], now)
  end
  redis.call("HSET", KEYS.alone, unpack(changed))
end
for first = 1, #keys, 1000 do
  local last = math.min(first + 999, #keys)
  local changed = {}
  for i = first, last do
    leave_group(keys[i], died_at[i], states[i])
    changed[#changed + 1] = keys[i]
    changed[#changed + 1] = "r-"
    local rank = string.match(states[i], "|([^~]+)")
    if rank then add_ranked(keys[i], rank, false) else references[#references + 1] = keys[i] end
  end
  redis.call("ZREM", KEYS.dead, unpack(keys, first, last))
  redis.call("HSET", KEYS.state, unpack(changed))
end
write_groups()
add_references(references)
count("ready", #keys)
count("revived", #keys)
table.insert(letters, 1, write_counts())
return letters
