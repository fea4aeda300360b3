#!lua flags=allow-oom
--[[ Makes a queue known under its tag.
  KEYS  queues
  ARGV  tag name max
  Returns "ok"; "full" when there are as many as may be; "taken" when another queue has the tag. ]]
local known = redis.call("HGET", KEYS.queues, ARGV.tag)
if known then return known == ARGV.name and "ok" or "taken" end
if redis.call("HLEN", KEYS.queues) >= tonumber(ARGV.max) then return "full" end
redis.call("HSET", KEYS.queues, ARGV.tag, ARGV.name)
return "ok"
