--- @include lib/clock
--- @include lib/counts
--- @include lib/line
-- Moves up to `max` (at most 1,000) due tasks to the line. Returns how many left the schedule.
local function promote(max)
  local due = redis.call("ZRANGEBYSCORE", KEYS.due, "-inf", now_ms(), "LIMIT", 0, max)
  if #due == 0 then return 0 end
  redis.call("ZREM", KEYS.due, unpack(due))
  local states = redis.call("HMGET", KEYS.state, unpack(due))
  local changed, references = {}, {}
  for i, key in ipairs(due) do
    local state = states[i]
    if state and string.byte(state) == 115 then
      changed[#changed + 1] = key
      changed[#changed + 1] = "r" .. string.sub(state, 2)
      local rank = string.match(state, "|(.+)$")
      if rank then add_ranked(key, rank, false) else references[#references + 1] = key end
    end
  end
  if #changed > 0 then redis.call("HSET", KEYS.state, unpack(changed)) end
  add_references(references)
  count("ready", #changed / 2)
  count("promoted", #changed / 2)
  return #due
end
