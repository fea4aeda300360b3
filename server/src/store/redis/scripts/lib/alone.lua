-- The record of a task alone is the length of its meta data (3 bytes), these, and the body.
local function alone_record(meta, body)
  local length = #meta
  return string.char(math.floor(length / 65536), math.floor(length / 256) % 256, length % 256) .. meta .. body
end

local function alone_body(record)
  local a, b, c = string.byte(record, 1, 3)
  return string.sub(record, 4 + a * 65536 + b * 256 + c)
end
