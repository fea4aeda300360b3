-- Moves up to `max` (at most 1,000) due tasks to the line. Returns how many left the schedule.
local function promote(max)
  local due = redis.call("ZRANGEBYSCORE", KEYS.due, "-inf", now_ms(), "LIMIT", 0, max)
  if #due == 0 then return 0 end
  redis.call("ZREM", KEYS.due, unpack(due))
  local keys, ranks = {}, {}
  for i, member in ipairs(due) do
    local key, rank = string.match(member, "^([^|]+)|(.+)$")
    keys[i], ranks[i] = key or member, rank or ""
  end
  local states = redis.call("HMGET", KEYS.state, unpack(keys))
  local changed, references = {}, {}
  for i, key in ipairs(keys) do
    local state = states[i]
    if state and string.byte(state) == 115 then
      changed[#changed + 1] = key
      changed[#changed + 1] = "r" .. string.sub(state, 2)
      if ranks[i] == "" then references[#references + 1] = key else add_ranked(key, ranks[i], false) end
    end
  end
  if #changed > 0 then redis.call("HSET", KEYS.state, unpack(changed)) end
  add_references(references)
  count("ready", #changed / 2)
  count("promoted", #changed / 2)
  return #due
end
