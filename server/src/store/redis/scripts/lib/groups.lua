-- The groups of failures. Each dead task that is in one has "~" and the group at the end of its state, and a member in the zset
-- `grouped`: the group, the time of its death (15 digits), its key. See failure-groups.ts for the hash.
local MAX_GROUPS = 1000 -- LIMITS.failureGroups

local function member_of(group, died_at, key)
  return group .. string.format("%015.0f", died_at) .. key
end

local function read_group(group)
  local text = redis.call("HGET", KEYS.groups, group)
  if not text then return end
  return string.match(text, "^(%d+) (%d+) (%d+) (%S+) (.*)$")
end

-- Returns what the state of the task is to end with.
local function enter_group(key, died_at, group, what)
  local n, first, last = read_group(group)
  if not n and redis.call("HLEN", KEYS.groups) >= MAX_GROUPS then return "" end
  local at = string.format("%.0f", died_at)
  redis.call("HSET", KEYS.groups, group, (n or 0) + 1 .. " " .. (first or at) .. " " .. at .. " " .. key .. " " .. what)
  redis.call("ZADD", KEYS.grouped, 0, member_of(group, died_at, key))
  return "~" .. group
end

local function leave_group(key, died_at, state)
  local group = string.match(state, "~(.+)$")
  if not group then return end
  redis.call("ZREM", KEYS.grouped, member_of(group, died_at, key))
  local n, first, last, sample, what = read_group(group)
  if not n then return end
  if tonumber(n) <= 1 then
    redis.call("HDEL", KEYS.groups, group)
    return
  end
  if sample == key then
    local latest = redis.call("ZREVRANGEBYLEX", KEYS.grouped, "(" .. group .. "~", "[" .. group, "LIMIT", 0, 1)[1]
    sample = latest and string.sub(latest, #group + 16) or sample
  end
  redis.call("HSET", KEYS.groups, group, n - 1 .. " " .. first .. " " .. last .. " " .. sample .. " " .. what)
end
