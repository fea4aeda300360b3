--- @include lib/counts
-- Leases ready tasks. Each grant is one field in the hash of the broker's leases. In the reply stand two elements for each
-- block: the lease as it was written, and the bodies; and two for a run of tasks alone: "a" and the keys, and the records.
local HEADER = 9 -- bytes before the first body of a block: flags, count, nonce, bytes of the longer lengths

local room, room_bytes, sequence, taken, leases, grants, states

-- Blocks that this very call enqueued, by id: their bodies need not go back over the wire.
local own = {}

local function add_lease(lease, tasks, bytes)
  leases[#leases + 1] = string.format("%.0f", sequence)
  leases[#leases + 1] = lease
  sequence = sequence + 1
  room, room_bytes, taken = room - tasks, room_bytes - bytes, taken + tasks
end

local function add_grant(lease, bodies)
  grants[#grants + 1] = lease
  grants[#grants + 1] = bodies
end

-- When a task did not fit, no smaller one of those behind it is taken instead.
local is_full
local function has_room()
  return room > 0 and room_bytes > 0 and not is_full
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

-- Most claims meet blocks only. The functions for the rest are made when they are needed: to make them takes longer than a
-- command does.
local take_slice, take_line, take_run
-- Whether tasks were cancelled while they waited in a block.
local has_holes
local others
local function with_others()
  if not others then
    --- @include lib/claim-others
    others = { take_references = take_references, take_around = take_around, take_all = take_all }
  end
  return others
end

-- As take_slice, of tasks that are all there.
function take_run(id, entry, first, upto, at)
  local flags, total = string.byte(entry, 1, 2)
  local index, stop, bytes
  local whole_bytes = #entry - HEADER - total - string.byte(entry, 9)
  if first == 0 and upto == total and total <= room and whole_bytes <= room_bytes then
    index, stop, bytes = total, #entry + 1, whole_bytes
  else
    index, stop, bytes = first, at, 0
    while index < upto and index - first < room do
      local start, after = body_at(entry, stop)
      if bytes + after - start > room_bytes and (taken > 0 or index > first) then
        is_full = true
        break
      end
      index, stop, bytes = index + 1, after, bytes + after - start
    end
    if index == first then return first, at end
  end
  local n = index - first
  local lease = "b " .. id .. " " .. string.sub(entry, 3, 8) .. " " .. first .. " " .. n .. " " .. total
    .. (flags == 1 and " o" or " -") .. (n == total and "w" or "-")
  add_lease(lease, n, bytes)
  add_grant(lease, own[id] or string.sub(entry, at, stop - 1))
  return index, stop
end

-- Takes what fits of the tasks from `first` to before `upto`, the first of which is at `at`. Returns where it stopped.
function take_slice(id, entry, first, upto, at)
  if string.byte(entry, 1) == 2 then return with_others().take_references(entry, first, upto, at) end
  if has_holes then return with_others().take_around(id, entry, first, upto, at) end
  return take_run(id, entry, first, upto, at)
end

-- Until when tasks were cancelled whose places may stand behind the cursor.
local stale

-- The first entries are those at the cursor, if the caller has them at hand.
function take_line(cursor, fresh)
  local partial, index, place = string.match(cursor, "^(%S+) (%d+) (%d+)$")
  local from = partial or "(" .. cursor
  local fetch, seen, before = 1, 0, taken
  local moved, stopped
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
        stopped = true
        break
      end
      moved, from = id, "(" .. id
      if flags == 2 then done_references[#done_references + 1] = id end
    end
    if fresh or stopped or #entries < fetch then break end
    seen = seen + #entries
    -- As many more as are likely to fill the room: an entry holds 1 to 128 tasks.
    fetch = math.max(1, math.min(128, math.ceil(room * seen / math.max(1, taken - before))))
  until not has_room()
  if moved then redis.call("HSET", KEYS.count, "cursor", moved) end
  if moved and stale and tonumber(string.match(moved, "^%d+")) > tonumber(stale) then
    redis.call("HDEL", KEYS.count, "stale")
  end
  if #done_references > 0 then redis.call("XDEL", KEYS.line, unpack(done_references)) end
end

-- `fresh` may be given only when nothing else stands in the line, be it ready or stale, and the queue is not paused.
local function claim(first_sequence, max_tasks, max_bytes, fresh)
  room, room_bytes, sequence, taken = max_tasks, max_bytes, first_sequence, 0
  leases, grants, states, is_full, has_holes, stale = {}, {}, {}, false, false, false
  local cursor = "0-0"
  if not fresh then
    local found = redis.call("HMGET", KEYS.count, "cursor", "paused", "stale")
    if found[2] then return grants end
    cursor, stale = found[1] or cursor, found[3]
  end
  if redis.call("EXISTS", KEYS.prio, KEYS.back, KEYS.due, KEYS.gone) == 0 then
    take_line(cursor, fresh)
  else
    with_others().take_all(cursor, fresh)
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
