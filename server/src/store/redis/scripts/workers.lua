#!lua flags=no-writes
--[[ The records of all sessions whose time is not over.
  KEYS  workers workers_until ]]
--- @include lib/clock
local reply = {}
for _, session in ipairs(redis.call("ZRANGEBYSCORE", KEYS.workers_until, "(" .. now_ms(), "+inf")) do
  reply[#reply + 1] = redis.call("HGET", KEYS.workers, session)
end
return reply
