--- @include lib/promote
-- Leases ready tasks. Each grant is one field in the hash of the broker's leases, and two elements of the reply: the
-- lease as it was written, and the bodies (or the record of a task alone).
local HEADER = 9 -- bytes before the first body of a block: flags, count, nonce, bytes of the longer lengths

local room, room_bytes, sequence, taken, leases, grants, states
local claimed = {}

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

local function has_room()
  return room > 0 and room_bytes > 0
end

-- The place of a body and of the one after it.
local function body_at(entry, at)
  local byte = string.byte(entry, at)
  if byte < 128 then return at + 1, at + 1 + byte end
  local length, scale = byte - 128, 128
  repeat
    at = at + 1
    byte = string.byte(entry, at)
    length = length + byte % 128 * scale
    scale = scale * 128
  until byte < 128
  return at + 1, at + 1 + length
end

-- Takes tasks alone until there is no room. One that is no longer ready is passed over. Returns how many are dealt with.
local function take_keys(keys)
  local done = 0
  while done < #keys and has_room() do
    -- Not more at once: bodies may be large.
    local last = math.min(done + 16, #keys)
    local found = redis.call("HMGET", KEYS.state, unpack(keys, done + 1, last))
    local records = redis.call("HMGET", KEYS.alone, unpack(keys, done + 1, last))
    for i = 1, last - done do
      local key, state, record = keys[done + i], found[i], records[i]
      if state and record and string.byte(state) == 114 and not claimed[key] then
        local a, b, c = string.byte(record, 1, 3)
        local bytes = #record - 3 - (a * 65536 + b * 256 + c)
        if room < 1 or (taken > 0 and bytes > room_bytes) then return done + i - 1 end
        claimed[key] = true
        states[#states + 1] = key
        states[#states + 1] = "a-" .. ARGV.broker .. ":" .. sequence
        grant("a " .. key, record, 1, bytes)
      end
    end
    done = last
  end
  return done
end

local function take_references(entry, first, upto, at)
  local keys, places = {}, {}
  for i = 1, upto - first do
    local start, after = body_at(entry, at)
    keys[i], places[i] = string.sub(entry, start, after - 1), at
    at = after
  end
  local done = take_keys(keys)
  return first + done, places[done + 1] or at
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

-- A range of a block that came back. Returns what is left of it.
local function take_range(item)
  local id, nonce, first, n, tail = string.match(item, "^b (%S+) (%S+) (%d+) (%d+) (.*)$")
  local found = redis.call("XRANGE", KEYS.line, id, id)[1]
  if not found then return nil end
  local entry, at = found[2][2], HEADER + 1
  local upto = first + n
  for _ = 1, first do
    local _, after = body_at(entry, at)
    at = after
  end
  local index = take_slice(id, entry, tonumber(first), upto, at)
  if index < upto then return "b " .. id .. " " .. nonce .. " " .. index .. " " .. (upto - index) .. " " .. tail end
end

local function take_back()
  repeat
    local items = redis.call("LRANGE", KEYS.back, 0, math.min(room, 64) - 1)
    local done, rest = 0, nil
    while done < #items and not rest and has_room() do
      local keys = {}
      while items[done + #keys + 1] and string.byte(items[done + #keys + 1]) == 97 do
        keys[#keys + 1] = string.sub(items[done + #keys + 1], 3)
      end
      if #keys > 0 then
        local dealt = take_keys(keys)
        done = done + dealt
        if dealt < #keys then break end
      else
        rest = take_range(items[done + 1])
        done = done + 1
      end
    end
    redis.call("LTRIM", KEYS.back, done, -1)
    if rest then redis.call("LPUSH", KEYS.back, rest) end
  until #items == 0 or done < #items or rest or not has_room()
end

local function take_ranked(from, to)
  repeat
    local members = redis.call("ZRANGEBYSCORE", KEYS.prio, from, to, "LIMIT", 0, math.min(room, 1000))
    if #members == 0 then return end
    local keys = {}
    for i, member in ipairs(members) do keys[i] = string.sub(member, 14) end
    local done = take_keys(keys)
    if done > 0 then redis.call("ZREM", KEYS.prio, unpack(members, 1, done)) end
  until done < #members or not has_room()
end

-- The first entries are those at the cursor, if the caller has them at hand.
local function take_line(cursor, fresh)
  local partial, index, place = string.match(cursor, "^(%S+) (%d+) (%d+)$")
  local from = partial or "(" .. cursor
  local fetch, seen, before = 1, 0, taken
  local moved, full
  local done_references = {}
  repeat
    local entries = fresh or redis.call("XRANGE", KEYS.line, from, "+", "COUNT", fetch)
    for _, item in ipairs(entries) do
      local id, entry = item[1], item[2][2]
      local flags, total = string.byte(entry, 1, 2)
      local first, at = 0, HEADER + 1
      if id == partial then first, at = tonumber(index), tonumber(place) end
      local reached, stop = first, at
      if has_room() then reached, stop = take_slice(id, entry, first, total, at) end
      if reached < total then
        if reached > first then moved = id .. " " .. reached .. " " .. stop end
        full = true
        break
      end
      moved, from = id, "(" .. id
      if flags == 2 then done_references[#done_references + 1] = id end
    end
    if fresh or full or #entries < fetch then break end
    seen = seen + #entries
    -- As many more as are likely to fill the room: an entry holds 1 to 128 tasks.
    fetch = math.max(1, math.min(128, math.ceil(room * seen / math.max(1, taken - before))))
  until not has_room()
  if moved then redis.call("HSET", KEYS.count, "cursor", moved) end
  if #done_references > 0 then redis.call("XDEL", KEYS.line, unpack(done_references)) end
end

-- `fresh` may be given only when nothing else is ready in the line.
local function claim(first_sequence, max_tasks, max_bytes, fresh)
  room, room_bytes, sequence, taken = max_tasks, max_bytes, first_sequence, 0
  leases, grants, states = {}, {}, {}
  local cursor = fresh and "0-0" or redis.call("HGET", KEYS.count, "cursor") or "0-0"
  if redis.call("EXISTS", KEYS.prio, KEYS.back, KEYS.due) == 0 then
    take_line(cursor, fresh)
  else
    if promote(128) > 0 and fresh then
      cursor = redis.call("HGET", KEYS.count, "cursor") or "0-0"
      fresh = nil
    end
    take_ranked("-inf", "(0")
    if has_room() then take_back() end
    if has_room() then take_line(cursor, fresh) end
    if has_room() then take_ranked("(0", "+inf") end
  end
  for i = 1, #leases, 2000 do
    redis.call("HSET", KEYS.leases, unpack(leases, i, math.min(i + 1999, #leases)))
  end
  for i = 1, #states, 2000 do
    redis.call("HSET", KEYS.state, unpack(states, i, math.min(i + 1999, #states)))
  end
  count("dequeued", taken)
  count("ready", -taken)
  return grants
end
