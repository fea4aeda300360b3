-- An id as two numbers.
local function parts_of(id)
  local ms, sequence = string.match(id, "^(%d+)%-(%d+)$")
  return tonumber(ms), tonumber(sequence)
end

-- A range of a block: its id, first index, and how many.
local function range_of(item)
  local id, first, n = string.match(item, "^b (%S+) %S+ (%d+) (%d+) ")
  return id, tonumber(first), tonumber(n)
end
