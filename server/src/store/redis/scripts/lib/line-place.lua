--- @include lib/line-parts
-- Where a task of a block stands: behind the cursor, in what came back, or neither.

local function is_behind_cursor(cursor, id, index)
  local at, first = string.match(cursor, "^(%S+) (%d+)")
  local ms, sequence = parts_of(id)
  local cursor_ms, cursor_sequence = parts_of(at or cursor)
  if ms ~= cursor_ms then return ms > cursor_ms end
  if sequence ~= cursor_sequence then return sequence > cursor_sequence end
  return first ~= nil and index >= tonumber(first)
end

local function has_come_back(id, index)
  for _, item in ipairs(redis.call("LRANGE", KEYS.back, 0, -1)) do
    local found, first, n = range_of(item)
    if found == id and index >= first and index < first + n then return true end
  end
  return false
end

-- The indexes of a block that were cancelled while they waited.
local function marks_of(id)
  local marks, is_gone = redis.call("HGET", KEYS.gone, id) or "", {}
  for i = 1, #marks do is_gone[string.byte(marks, i)] = true end
  return is_gone, marks
end
