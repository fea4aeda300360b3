#!lua
--[[ Records sessions of workers, and forgets those whose time is over.
  KEYS  workers workers_until
  ARGV  ttl list...
  The list: for each session: id, record. ]]
--- @include lib/clock
local now = now_ms()
for at = ARGV.list, #ARGV, 2 do
  redis.call("HSET", KEYS.workers, ARGV[at], ARGV[at + 1])
  redis.call("ZADD", KEYS.workers_until, now + ARGV.ttl, ARGV[at])
end
for _, session in ipairs(redis.call("ZRANGEBYSCORE", KEYS.workers_until, "-inf", now, "LIMIT", 0, 1000)) do
  redis.call("HDEL", KEYS.workers, session)
  redis.call("ZREM", KEYS.workers_until, session)
end
return 1
