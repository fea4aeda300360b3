-- The groups of failures. Each dead task that is in one has "~" and the group at the end of its state, and a member in the zset
-- `grouped`: the group, the time of its death (15 digits), its key. See failure-groups.ts for the hash. Changes are gathered, and
-- written once.
local MAX_GROUPS = 1000 -- LIMITS.failureGroups
local groups, entered, left_group = {}, {}, {}
local group_count

-- By its id: how many, first and last death, key of the sample, what it is. A group that is not there has 0.
local function load_group(group)
  local known = groups[group]
  if known then return known end
  local text = redis.call("HGET", KEYS.groups, group)
  local n, first, last, sample, what
  if text then n, first, last, sample, what = string.match(text, "^(%d+) (%d+) (%d+) (%S+) (.*)$") end
  known = { n = tonumber(n or 0), first = first, last = last, sample = sample, what = what }
  groups[group] = known
  return known
end

local function member_of(group, died_at, key)
  return group .. string.format("%015.0f", died_at) .. key
end

-- Returns what the state of the task is to end with.
local function enter_group(key, died_at, group, what)
  local known = load_group(group)
  group_count = group_count or redis.call("HLEN", KEYS.groups)
  if known.n == 0 then
    if group_count >= MAX_GROUPS then return "" end
    group_count = group_count + 1
    known.first, known.what = died_at, what
  end
  known.n, known.last, known.sample = known.n + 1, died_at, key
  entered[#entered + 1] = 0
  entered[#entered + 1] = member_of(group, died_at, key)
  return "~" .. group
end

local function leave_group(key, died_at, state)
  local group = string.match(state, "~(.+)$")
  if not group then return end
  local known = load_group(group)
  left_group[#left_group + 1] = member_of(group, died_at, key)
  known.n = math.max(0, known.n - 1)
  if known.sample == key then known.has_lost_sample = true end
end

local function write_groups()
  for i = 1, #entered, 1000 do redis.call("ZADD", KEYS.grouped, unpack(entered, i, math.min(i + 999, #entered))) end
  for i = 1, #left_group, 1000 do redis.call("ZREM", KEYS.grouped, unpack(left_group, i, math.min(i + 999, #left_group))) end
  for group, known in pairs(groups) do
    if known.n == 0 then
      redis.call("HDEL", KEYS.groups, group)
    else
      if known.has_lost_sample then
        local latest = redis.call("ZREVRANGEBYLEX", KEYS.grouped, "(" .. group .. "~", "[" .. group, "LIMIT", 0, 1)[1]
        known.sample = latest and string.sub(latest, #group + 16) or known.sample
      end
      redis.call("HSET", KEYS.groups, group,
        known.n .. " " .. known.first .. " " .. known.last .. " " .. known.sample .. " " .. known.what)
    end
  end
end
