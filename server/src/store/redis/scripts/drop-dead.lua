#!lua flags=allow-oom
--[[ Drops dead tasks that are too old, or more than are kept: some of them, the oldest first.
  KEYS  dead alone state count groups grouped
  ARGV  before keep max
  `before`: those that died earlier are too old. `max`: drop no more at once.
  Returns how many. ]]
--- @include lib/drop-dead
local over = redis.call("ZCARD", KEYS.dead) - ARGV.keep
local old = redis.call("ZCOUNT", KEYS.dead, "-inf", "(" .. ARGV.before)
local n = math.min(math.max(over, old), tonumber(ARGV.max))
if n <= 0 then return 0 end
local dropped = drop_dead(redis.call("ZRANGE", KEYS.dead, 0, n - 1, "WITHSCORES"))
write_groups()
redis.call("HINCRBY", KEYS.count, "dropped", dropped)
return dropped
