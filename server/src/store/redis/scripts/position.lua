#!lua flags=no-writes
--[[ How many tasks are ahead of a ready one.
  KEYS  line back prio alone state gone count
  ARGV  key id index
  `id` and `index` are those of a key made by a store, else "".
  Returns the number; "" when the task is not ready, or stands behind more than is looked at. ]]
--- @include lib/line-place
--- @include lib/line-keys
local ENTRIES, BYTES = 2000, 4000000 -- more than this is not looked at
local index = tonumber(ARGV.index)
local seen, size, ahead = 0, 0, 0

local function is_ready(key)
  local state = redis.call("HGET", KEYS.state, key)
  return state and string.byte(state) == 114
end

-- Ranks are minus the priority, which stands in the record as four bytes.
local function rank_of(record)
  local a, b, c, d = string.byte(record, 5, 8)
  local priority = ((a * 256 + b) * 256 + c) * 256 + d
  return priority < 2147483648 and -priority or 4294967296 - priority
end

-- How many ready tasks have these ranks; when `key` is among them, how many of them are before it, and true. nil when there are more
-- than are looked at. A cancelled task leaves its place to be passed over by a claim.
local function ranked(from, to, key)
  local members = redis.call("ZRANGEBYSCORE", KEYS.prio, from, to, "LIMIT", 0, ENTRIES + 1)
  local before = 0
  for _, member in ipairs(members) do
    local other = string.sub(member, 14)
    if other == key then return before, true end
    if is_ready(other) then before = before + 1 end
  end
  if #members <= ENTRIES then return before, false end
end

-- Counts the tasks of a part of a block that are there. Returns whether the task is among them, and stops at it.
local function pass(id, entry, first, upto)
  if string.byte(entry, 1) == 2 then
    local keys = keys_of(entry, upto)
    for i = first, upto - 1 do
      if keys[i] == ARGV.key then return true end
      if is_ready(keys[i]) then ahead = ahead + 1 end
    end
    return false
  end
  local is_gone = marks_of(id)
  for i = first, upto - 1 do
    if id == ARGV.id and i == index then return not is_gone[i] end
    if not is_gone[i] then ahead = ahead + 1 end
  end
  return false
end

local function in_back()
  for _, item in ipairs(redis.call("LRANGE", KEYS.back, 0, ENTRIES - 1)) do
    if string.byte(item) == 97 then
      local key = string.sub(item, 3)
      if key == ARGV.key then return true end
      if is_ready(key) then ahead = ahead + 1 end
    else
      local id, first, n = range_of(item)
      if pass(id, "", first, first + n) then return true end
    end
    seen = seen + 1
  end
  return false
end

local function in_line(cursor)
  local partial, first = string.match(cursor, "^(%S+) (%d+)")
  local from = partial or "(" .. cursor
  while seen < ENTRIES and size < BYTES do
    local entries = redis.call("XRANGE", KEYS.line, from, "+", "COUNT", 16)
    for _, item in ipairs(entries) do
      local id, entry = item[1], item[2][2]
      if pass(id, entry, id == partial and tonumber(first) or 0, string.byte(entry, 2)) then return true end
      from, size = "(" .. id, size + #entry
    end
    if #entries == 0 then return false end
    seen = seen + #entries
  end
  return false
end

local state = redis.call("HGET", KEYS.state, ARGV.key)
local counted = redis.call("HMGET", KEYS.count, "cursor", "ready")
local cursor = counted[1] or "0-0"
if state then
  if string.byte(state) ~= 114 then return "" end
  local rank = rank_of(redis.call("HGET", KEYS.alone, ARGV.key))
  if rank ~= 0 then
    local place, is_there = ranked(rank > 0 and "(0" or "-inf", rank, ARGV.key)
    if not is_there then return "" end
    if rank < 0 then return place end
    -- Of those that are ready, all but the ones of this side of 0 are ahead, too.
    local below = ranked("(0", "+inf")
    return below and math.max(0, (counted[2] or 0) - below) + place or ""
  end
elseif ARGV.id == "" or not (is_behind_cursor(cursor, ARGV.id, index) or has_come_back(ARGV.id, index)) then
  return ""
elseif redis.call("XRANGE", KEYS.line, ARGV.id, ARGV.id)[1] == nil then
  return ""
end
ahead = ranked("-inf", "(0")
if not ahead then return "" end
if in_back() or in_line(cursor) then return ahead end
return ""
