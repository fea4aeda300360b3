-- The keys that a list of references holds, by index: see lib/line.lua. The first of them begins behind the header of a block.
local function keys_of(entry, total)
  local keys, at = {}, 10
  for i = 0, total - 1 do
    local length = string.byte(entry, at)
    at = at + 1
    if length >= 128 then
      length = length - 128 + 128 * string.byte(entry, at)
      at = at + 1
    end
    keys[i] = string.sub(entry, at, at + length - 1)
    at = at + length
  end
  return keys
end
