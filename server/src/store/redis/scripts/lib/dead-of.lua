-- Of the keys in a call's list those that are dead, each once, with their states and times of death. The first return is the letter
-- of the state of each key of the list, or "?"; of a key that is given twice it is `after` the second time.
local function dead_of(list, after)
  local letters, keys, states, died_at, is_known = {}, {}, {}, {}, {}
  for first = list, #ARGV, 1000 do
    local last = math.min(first + 999, #ARGV)
    local found = redis.call("HMGET", KEYS.state, unpack(ARGV, first, last))
    local times = redis.call("ZMSCORE", KEYS.dead, unpack(ARGV, first, last))
    for i, state in ipairs(found) do
      local key = ARGV[first + i - 1]
      local letter = state and string.sub(state, 1, 1) or "?"
      if letter == "d" and is_known[key] then letter = after end
      letters[#letters + 1] = letter
      if letter == "d" then
        is_known[key] = true
        keys[#keys + 1], states[#states + 1], died_at[#died_at + 1] = key, state, times[i]
      end
    end
  end
  return letters, keys, states, died_at
end
