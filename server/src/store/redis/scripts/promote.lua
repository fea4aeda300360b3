#!lua flags=allow-oom
--[[ Moves up to `max` due tasks to the line.
  KEYS  line prio due state count
  ARGV  channel announce max
  Returns {how many, ms until the next is due or "" when none is scheduled, whether the line was empty}. ]]
--- @include lib/promote
promote(tonumber(ARGV.max))
local promoted = counts.promoted or 0
local woke = write_counts()
local next_due = redis.call("ZRANGE", KEYS.due, 0, 0, "WITHSCORES")[2]
return { promoted, next_due and math.max(0, math.ceil(next_due - now_ms())) or "", woke }
