-- The record of a task alone: meta data, which begin with their length (3 bytes), and the body after its length.
local function alone_bodies_at(record)
  local a, b, c = string.byte(record, 1, 3)
  return 4 + a * 65536 + b * 256 + c
end
