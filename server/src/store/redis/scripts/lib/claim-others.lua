--- @include lib/promote
--- @include lib/alone
-- What a claim needs for all that does not stand in the line as a block: tasks alone, and what came back.
local claimed = {}

-- How many are read at once: more while they are small.
local batch = 16

local function is_ready(state)
  return state and string.byte(state) == 114
end

-- Takes tasks alone until there is no room. One that is no longer ready is passed over. Returns how many are dealt with.
local function take_keys(keys)
  local done = 0
  while done < #keys and has_room() do
    local first, last = done + 1, math.min(done + batch, #keys)
    local found = redis.call("HMGET", KEYS.state, unpack(keys, first, last))
    local records = redis.call("HMGET", KEYS.alone, unpack(keys, first, last))
    local run, run_records = { "a" }, {}
    while done < last and room > 0 and not is_full do
      local key, record = keys[done + 1], records[done + 2 - first]
      if is_ready(found[done + 2 - first]) and record and not claimed[key] then
        local start, after = body_at(record, alone_bodies_at(record))
        if taken > 0 and after - start > room_bytes then
          is_full = true
          break
        end
        claimed[key] = true
        states[#states + 1] = key
        states[#states + 1] = "a-"
        add_lease("a " .. key, 1, after - start)
        run[#run + 1] = key
        run_records[#run_records + 1] = record
      end
      done = done + 1
    end
    if #run_records > 0 then add_grant(table.concat(run, " "), table.concat(run_records)) end
    batch = #(grants[#grants] or "") < 32768 and math.min(2 * batch, 128) or 16
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

-- As take_slice, of a block in which tasks may have been cancelled while they waited: their marks go when they are passed.
local function take_around(id, entry, first, upto, at)
  local marks = redis.call("HGET", KEYS.gone, id)
  if not marks then return take_run(id, entry, first, upto, at) end
  local is_gone, index = {}, first
  for i = 1, #marks do is_gone[string.byte(marks, i)] = true end
  while index < upto do
    if is_gone[index] then
      local _, after = body_at(entry, at)
      index, at = index + 1, after
    else
      local last = index
      while last < upto and not is_gone[last] do last = last + 1 end
      local reached = index
      if has_room() then reached, at = take_run(id, entry, index, last, at) end
      index = reached
      if reached < last then break end
    end
  end
  local kept = {}
  for i = 1, #marks do
    local mark = string.byte(marks, i)
    if mark < first or mark >= index then kept[#kept + 1] = string.char(mark) end
  end
  if #kept == 0 then
    redis.call("HDEL", KEYS.gone, id)
  elseif #kept < #marks then
    redis.call("HSET", KEYS.gone, id, table.concat(kept))
  end
  return index, at
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

-- Everything that is ready, in its order.
local function take_all(cursor, fresh)
  has_holes = redis.call("EXISTS", KEYS.gone) == 1
  -- As many as there is room for, so that a claim fills it even when thousands are due at once.
  if promote(math.max(128, math.min(room, 1000))) > 0 and fresh then
    cursor = redis.call("HGET", KEYS.count, "cursor") or "0-0"
    fresh = nil
  end
  take_ranked("-inf", "(0")
  if has_room() then take_back() end
  if has_room() then take_line(cursor, fresh) end
  if has_room() then take_ranked("(0", "+inf") end
end
