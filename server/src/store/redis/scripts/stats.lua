#!lua flags=no-writes
--[[ The counts of one queue.
  KEYS  line back prio due dead alone state count
  Returns {scheduled, dead, since when the head of a line has waited or "", name, n, name, n...}. ]]
--- @include lib/alone
--- @include lib/line-parts
--- @include lib/line-keys
local LOOKS = 16 -- at so many entries of a line, and at so many lines
local counted = redis.call("HGETALL", KEYS.count)
local cursor, ready = "0-0", 0
for i = 1, #counted, 2 do
  if counted[i] == "cursor" then cursor = counted[i + 1] end
  if counted[i] == "ready" then ready = tonumber(counted[i + 1]) end
end

local oldest
local function note(time)
  if time and (not oldest or time < oldest) then oldest = time end
end

local function is_ready(key)
  local state = redis.call("HGET", KEYS.state, key)
  return state and string.byte(state) == 114
end

local function since(key)
  local record = redis.call("HGET", KEYS.alone, key)
  return record and ready_since(record)
end

-- What was cancelled or acknowledged late may still stand there.
local function head_of_line()
  local partial, first = string.match(cursor, "^(%S+) (%d+)")
  local from = partial or "(" .. cursor
  for _ = 1, LOOKS do
    local item = redis.call("XRANGE", KEYS.line, from, "+", "COUNT", 1)[1]
    if not item then return end
    local id, entry = item[1], item[2][2]
    from = "(" .. id
    local flags, total = string.byte(entry, 1, 2)
    local time = parts_of(id)
    if flags ~= 2 then return time end
    local keys = keys_of(entry, total)
    for i = id == partial and tonumber(first) or 0, total - 1 do
      if is_ready(keys[i]) then return time end
    end
  end
end

local function head_of_back()
  for _, item in ipairs(redis.call("LRANGE", KEYS.back, 0, LOOKS - 1)) do
    if string.byte(item) ~= 97 then return (parts_of(range_of(item))) end
    local key = string.sub(item, 3)
    if is_ready(key) then return since(key) end
  end
end

-- Of each priority; of the highest only when there are very many.
local function heads_of_ranked()
  local above = "-inf"
  for _ = 1, LOOKS do
    local found = redis.call("ZRANGEBYSCORE", KEYS.prio, above, "+inf", "WITHSCORES", "LIMIT", 0, LOOKS)
    if #found == 0 then return end
    local rank = found[2]
    for i = 1, #found, 2 do
      local key = string.sub(found[i], 14)
      if found[i + 1] == rank and is_ready(key) then
        note(since(key))
        break
      end
    end
    above = "(" .. rank
  end
end

if ready > 0 then
  note(head_of_line())
  note(head_of_back())
  heads_of_ranked()
end
table.insert(counted, 1, oldest and string.format("%.0f", oldest) or "")
table.insert(counted, 1, redis.call("ZCARD", KEYS.dead))
table.insert(counted, 1, redis.call("ZCARD", KEYS.due))
return counted
