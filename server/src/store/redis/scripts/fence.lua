#!lua flags=allow-oom
--[[ Gives up the brokers that were silent for too long. They stay on the list of the fenced for `keep`: one that was frozen may
claim once more before it notices.
  KEYS  brokers fenced
  ARGV  broker keep
  Returns all fenced brokers; none when this broker was itself silent: then the store may have stood still, not the others. ]]
--- @include lib/clock
local now = now_ms()
local own = redis.call("ZSCORE", KEYS.brokers, ARGV.broker)
if not own or tonumber(own) <= now then return {} end
for _, broker in ipairs(redis.call("ZRANGEBYSCORE", KEYS.brokers, "-inf", now)) do
  redis.call("ZREM", KEYS.brokers, broker)
  redis.call("ZADD", KEYS.fenced, now, broker)
end
redis.call("ZREMRANGEBYSCORE", KEYS.fenced, "-inf", now - ARGV.keep)
return redis.call("ZRANGE", KEYS.fenced, 0, -1)
