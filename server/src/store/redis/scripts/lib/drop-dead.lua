--- @include lib/groups
-- Takes dead tasks away, with their groups, given their times of death as ZRANGE tells them. Returns how many.
local function drop_dead(found)
  local keys, times = {}, {}
  for i = 1, #found, 2 do
    keys[#keys + 1], times[#times + 1] = found[i], found[i + 1]
  end
  for first = 1, #keys, 1000 do
    local last = math.min(first + 999, #keys)
    for i, state in ipairs(redis.call("HMGET", KEYS.state, unpack(keys, first, last))) do
      if state then leave_group(keys[first + i - 1], times[first + i - 1], state) end
    end
    redis.call("ZREM", KEYS.dead, unpack(keys, first, last))
    redis.call("HDEL", KEYS.alone, unpack(keys, first, last))
    redis.call("HDEL", KEYS.state, unpack(keys, first, last))
  end
  return #keys
end
