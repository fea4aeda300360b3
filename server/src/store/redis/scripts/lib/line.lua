-- What becomes ready is put at the end of its line.

-- A list of up to 128 references to tasks alone has the form of a block: keys stand where bodies would.
local function add_references(keys)
  for first = 1, #keys, 128 do
    local last = math.min(first + 127, #keys)
    local parts = { "\2", string.char(last - first + 1), "-------" }
    for i = first, last do
      local length = #keys[i]
      if length < 128 then
        parts[#parts + 1] = string.char(length)
      else
        parts[#parts + 1] = string.char(length % 128 + 128, math.floor(length / 128))
      end
      parts[#parts + 1] = keys[i]
    end
    redis.call("XADD", KEYS.line, "*", "b", table.concat(parts))
  end
end

-- Ranks are minus the priority. Within a rank, members that begin with 0 came back; the latest of them goes first.
local function add_ranked(key, rank, came_back)
  local turn = redis.call("HINCRBY", KEYS.count, "turn", 1)
  local place = came_back and string.format("0%012.0f", 999999999999 - turn) or string.format("1%012.0f", turn)
  redis.call("ZADD", KEYS.prio, rank, place .. key)
end
