#!lua
--[[ Puts a queue on the list of queues, unless there are too many.
  KEYS  queues
  ARGV  tag name max
  Returns the name that the tag stands for; "" when there are too many. ]]
local name = redis.call("HGET", KEYS.queues, ARGV.tag)
if name then return name end
if redis.call("HLEN", KEYS.queues) >= tonumber(ARGV.max) then return "" end
redis.call("HSET", KEYS.queues, ARGV.tag, ARGV.name)
return ARGV.name
