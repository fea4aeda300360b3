--- @include lib/line-keys
-- Walks of the line from its end. Each step gives: the place of an entry, its id, the entry, its first index that is ready and the one
-- after the last, and the keys when it refers to tasks alone, from index 0.

local function walk_line(place)
  local cursor = redis.call("HGET", KEYS.count, "cursor") or "0-0"
  local partial, index = string.match(cursor, "^(%S+) (%d+)")
  local from, to = place == "" and "+" or place, partial or "(" .. cursor
  local entries, next_of, fetch = {}, 1, 1
  return function()
    if next_of > #entries then
      entries, next_of = redis.call("XREVRANGE", KEYS.line, from, to, "COUNT", fetch), 1
      if #entries == 0 then return end
      fetch = math.min(2 * fetch, 16)
    end
    local id, entry = entries[next_of][1], entries[next_of][2][2]
    next_of, from = next_of + 1, "(" .. id
    local flags, total = string.byte(entry, 1, 2)
    local first = id == partial and tonumber(index) or 0
    return id, id, entry, first, total, flags == 2 and keys_of(entry, total) or nil
  end
end

-- Items are put to, and taken from, the front of the list only: counted from its end, each keeps its number.
local function walk_back(place)
  local number = place == "" and 0 or tonumber(place)
  local items, next_of = {}, 0
  return function()
    while true do
      if next_of == 0 then
        items = redis.call("LRANGE", KEYS.back, -(number + 64), -(number + 1))
        next_of = #items
        if next_of == 0 then return end
      end
      local item, at = items[next_of], number
      next_of, number = next_of - 1, number + 1
      if string.byte(item) == 97 then return tostring(at), "", "", 0, 1, { [0] = string.sub(item, 3) } end
      local id, first, n = range_of(item)
      local found = redis.call("XRANGE", KEYS.line, id, id)[1]
      if found then return tostring(at), id, found[2][2], first, first + n end
    end
  end
end

local function add_records(one, keys, first, upto)
  local wanted = {}
  for i = first, upto - 1 do wanted[#wanted + 1] = keys[i] end
  local states = redis.call("HMGET", KEYS.state, unpack(wanted))
  local records = redis.call("HMGET", KEYS.alone, unpack(wanted))
  for i, key in ipairs(wanted) do
    one[#one + 1] = key
    one[#one + 1] = states[i] or ""
    one[#one + 1] = records[i] or ""
  end
end
