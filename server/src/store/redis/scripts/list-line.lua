#!lua flags=no-writes
--[[ Some tasks of the line, or of what came back to its front, the last first.
  KEYS  line back alone state gone count
  ARGV  which place upto max
  `which`: "line" or "back". `place`: the id of the entry, or the item of the list, counted from its end, to begin with; "" = the
  last. `upto`: the index before which to begin in it, or "".
  Returns {whether the end was reached, {place, id, entry, first index, index after the last, marks of what is gone} or
  {place, "", "", first index, key, state, record, key...}, ...}. ]]
--- @include lib/line-place
--- @include lib/list-line
local BYTES = 1000000 -- more than this is not told at once
local max, size = tonumber(ARGV.max), 0
local reply = { 0 }
local next_entry = ARGV.which == "line" and walk_line(ARGV.place) or walk_back(ARGV.place)
local bound = ARGV.upto ~= "" and tonumber(ARGV.upto)
while true do
  local place, id, entry, first, upto, keys = next_entry()
  if not place then
    reply[1] = 1
    return reply
  end
  if place == ARGV.place and bound then upto = math.min(upto, bound) end
  if upto > first then
    if max <= 0 or size >= BYTES then return reply end
    local one, is_cut
    if keys then
      -- From the last, as many as are wanted.
      is_cut = upto - first > max
      first = math.max(first, upto - max)
      one = { place, "", "", first }
      add_records(one, keys, first, upto)
      for i = 7, #one, 3 do size = size + #one[i] end
    else
      local _, marks = marks_of(id)
      one = { place, id, entry, first, upto, marks }
      size = size + #entry
    end
    reply[#reply + 1] = one
    if is_cut then return reply end
    max = max - (upto - first)
  end
end
