-- Leases ready tasks. Each grant is one field in the hash of the broker's leases, and two elements of the reply: the
-- lease as it was written, and the bodies (or the record of a task alone).
local HEADER = 9 -- bytes before the first body of a block: flags, count, nonce, bytes of the longer lengths

local room, room_bytes, sequence, taken, leases, grants

-- Blocks that this very call enqueued, by id: their bodies need not go back over the wire.
local own = {}

local function grant(lease, bodies, tasks, bytes)
  leases[#leases + 1] = sequence
  leases[#leases + 1] = lease
  grants[#grants + 1] = lease
  grants[#grants + 1] = bodies
  sequence = sequence + 1
  room, room_bytes, taken = room - tasks, room_bytes - bytes, taken + tasks
end

-- The place of a body and of the one after it.
local function body_at(entry, at)
  local length, scale = 0, 1
  while true do
    local byte = string.byte(entry, at)
    at = at + 1
    if byte < 128 then
      length = length + byte * scale
      return at, at + length
    end
    length = length + (byte - 128) * scale
    scale = scale * 128
  end
end

-- False when there is no room for it. A task that is no longer ready is passed over.
local function take_alone(key)
  local state = redis.call("HGET", KEYS.state, key)
  if not state or string.byte(state) ~= 114 then return true end
  local record = redis.call("HGET", KEYS.alone, key)
  if not record then return true end
  local a, b, c = string.byte(record, 1, 3)
  local bytes = #record - 3 - (a * 65536 + b * 256 + c)
  if room < 1 or (taken > 0 and bytes > room_bytes) then return false end
  redis.call("HSET", KEYS.state, key, "a-" .. ARGV.broker .. ":" .. sequence)
  grant("a " .. key, record, 1, bytes)
  return true
end

local function take_references(entry, first, upto, at)
  for index = first, upto - 1 do
    local start, after = body_at(entry, at)
    if not take_alone(string.sub(entry, start, after - 1)) then return index, at end
    at = after
  end
  return upto, at
end

-- Takes what fits of the tasks from `first` to before `upto`, the first of which is at `at`. Returns where it stopped.
local function take_slice(id, entry, first, upto, at)
  local flags, total = string.byte(entry, 1, 2)
  if flags == 2 then return take_references(entry, first, upto, at) end
  local index, stop, bytes
  local whole_bytes = #entry - HEADER - total - string.byte(entry, 9)
  if first == 0 and upto == total and total <= room and whole_bytes <= room_bytes then
    index, stop, bytes = total, #entry + 1, whole_bytes
  else
    index, stop, bytes = first, at, 0
    while index < upto and index - first < room do
      local start, after = body_at(entry, stop)
      if bytes + after - start > room_bytes and (taken > 0 or index > first) then break end
      index, stop, bytes = index + 1, after, bytes + after - start
    end
    if index == first then return first, at end
  end
  local n = index - first
  local lease = "b " .. id .. " " .. string.sub(entry, 3, 8) .. " " .. first .. " " .. n .. " " .. total
    .. (flags == 1 and " o" or " -") .. (n == total and "w" or "-")
  grant(lease, own[id] or string.sub(entry, at, stop - 1), n, bytes)
  return index, stop
end

local function take_back()
  while room > 0 and room_bytes > 0 do
    local item = redis.call("LPOP", KEYS.back)
    if not item then return end
    local rest
    if string.byte(item) == 97 then
      if not take_alone(string.sub(item, 3)) then rest = item end
    else
      local id, nonce, first, n, tail = string.match(item, "^b (%S+) (%S+) (%d+) (%d+) (.*)$")
      local found = redis.call("XRANGE", KEYS.line, id, id)[1]
      if found then
        local entry, at = found[2][2], HEADER + 1
        local upto = first + n
        for _ = 1, first do _, at = body_at(entry, at) end
        local index = take_slice(id, entry, tonumber(first), upto, at)
        if index < upto then rest = "b " .. id .. " " .. nonce .. " " .. index .. " " .. (upto - index) .. " " .. tail end
      end
    end
    if rest then
      redis.call("LPUSH", KEYS.back, rest)
      return
    end
  end
end

local function take_ranked(from, to)
  local members = redis.call("ZRANGEBYSCORE", KEYS.prio, from, to, "LIMIT", 0, room)
  local done = {}
  for i, member in ipairs(members) do
    if not take_alone(string.sub(member, 14)) then break end
    done[i] = member
    if #done == 1000 or i == #members then
      redis.call("ZREM", KEYS.prio, unpack(done))
      done = {}
    end
  end
  if #done > 0 then redis.call("ZREM", KEYS.prio, unpack(done)) end
end

-- `fresh` are the entries at the cursor, if the caller has them at hand.
local function take_line(fresh)
  local cursor = redis.call("GET", KEYS.cursor) or "0-0"
  local partial, index, place = string.match(cursor, "^(%S+) (%d+) (%d+)$")
  local from = partial or "(" .. cursor
  local fetch, seen, before = 1, 0, taken
  local moved, full
  local claimed_references = {}
  repeat
    local entries = fresh or redis.call("XRANGE", KEYS.line, from, "+", "COUNT", fetch)
    for _, item in ipairs(entries) do
      local id, entry = item[1], item[2][2]
      local flags, total = string.byte(entry, 1, 2)
      local first, at = 0, HEADER + 1
      if id == partial then first, at = tonumber(index), tonumber(place) end
      local reached, stop = take_slice(id, entry, first, total, at)
      if reached < total then
        if reached > first then moved = id .. " " .. reached .. " " .. stop end
        full = true
        break
      end
      moved, from = id, "(" .. id
      if flags == 2 then claimed_references[#claimed_references + 1] = id end
    end
    if fresh or full or #entries < fetch then break end
    seen = seen + #entries
    -- As many more as are likely to fill the room: an entry holds 1 to 128 tasks.
    fetch = math.max(1, math.min(128, math.ceil(room * seen / math.max(1, taken - before))))
  until room < 1 or room_bytes < 1
  if moved then redis.call("SET", KEYS.cursor, moved) end
  if #claimed_references > 0 then redis.call("XDEL", KEYS.line, unpack(claimed_references)) end
end

-- `fresh` may be given only when nothing else is ready in the line.
local function claim(first_sequence, max_tasks, max_bytes, fresh)
  room, room_bytes, sequence, taken, leases, grants = max_tasks, max_bytes, first_sequence, 0, {}, {}
  if redis.call("EXISTS", KEYS.prio, KEYS.back, KEYS.due) == 0 then
    take_line(fresh)
  else
    if promote(128) > 0 then fresh = nil end
    take_ranked("-inf", "(0")
    if room > 0 and room_bytes > 0 then take_back() end
    if room > 0 and room_bytes > 0 then take_line(fresh) end
    if room > 0 and room_bytes > 0 then take_ranked("(0", "+inf") end
  end
  for i = 1, #leases, 2000 do
    redis.call("HSET", KEYS.leases, unpack(leases, i, math.min(i + 1999, #leases)))
  end
  count("dequeued", taken)
  count("ready", -taken)
  return grants
end
