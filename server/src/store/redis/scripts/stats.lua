#!lua flags=no-writes
--[[ The counts of one queue.
  KEYS  count due dead
  Returns {scheduled, dead, name, n, name, n...}. ]]
local reply = redis.call("HGETALL", KEYS.count)
table.insert(reply, 1, redis.call("ZCARD", KEYS.dead))
table.insert(reply, 1, redis.call("ZCARD", KEYS.due))
return reply
