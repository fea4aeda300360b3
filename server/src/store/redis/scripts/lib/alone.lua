-- The record of a task alone: meta data, which begin with their length (3 bytes), and the body after its length.
local function alone_bodies_at(record)
  local a, b, c = string.byte(record, 1, 3)
  return 4 + a * 65536 + b * 256 + c
end

-- Attempt and lost count are four bytes each, the time when it was due six; then come the attempts that ended.
local function alone_counts(record)
  return string.sub(record, 9, 12), string.sub(record, 13, 16)
end

local function alone_attempts(record)
  return string.sub(record, 29, alone_bodies_at(record) - 1)
end

local function bytes_of(number, size)
  local bytes = {}
  for i = size, 1, -1 do
    bytes[i] = string.char(number % 256)
    number = math.floor(number / 256)
  end
  return table.concat(bytes)
end

-- A record as at the first attempt, ready since now; the attempts that ended stay.
local function renewed(record, now)
  return string.sub(record, 1, 8) .. "\0\0\0\1\0\0\0\0" .. string.sub(record, 17, 22) .. bytes_of(now, 6)
    .. string.sub(record, 29)
end

-- Since when it has been ready: when it was enqueued, or due.
local function ready_since(record)
  local function time_at(at)
    local time = 0
    for i = at, at + 5 do time = time * 256 + string.byte(record, i) end
    return time
  end
  return math.max(time_at(17), time_at(23))
end
