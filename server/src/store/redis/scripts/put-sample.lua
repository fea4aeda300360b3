#!lua
--[[ Keeps what a broker measured in one slot of time, until the slot is too old.
  KEYS  samples
  ARGV  slot slot_ms kept broker bytes ]]
--- @include lib/clock
local until_ms = (ARGV.slot + ARGV.kept) * ARGV.slot_ms
if until_ms <= now_ms() then return 0 end
local key = KEYS.samples .. ARGV.slot
redis.call("HSET", key, ARGV.broker, ARGV.bytes)
redis.call("PEXPIREAT", key, string.format("%.0f", until_ms))
return 1
