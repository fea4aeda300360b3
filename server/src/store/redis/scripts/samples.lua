#!lua flags=no-writes
--[[ The samples of all brokers of the slots that are kept.
  KEYS  samples
  ARGV  slot_ms kept
  Returns {slot, {broker, bytes, ...}, ...}, by slot. ]]
--- @include lib/clock
local reply = {}
local now = math.floor(now_ms() / ARGV.slot_ms)
-- The clock of a broker may be somewhat ahead.
for slot = now - ARGV.kept + 1, now + 1 do
  local found = redis.call("HGETALL", KEYS.samples .. string.format("%.0f", slot))
  if #found > 0 then
    reply[#reply + 1] = slot
    reply[#reply + 1] = found
  end
end
return reply
