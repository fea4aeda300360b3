#!lua flags=allow-oom
--[[ Gives up the brokers that were silent for too long.
  KEYS  brokers fenced
  ARGV  keep
  Returns {brokers given up now}, then {all that were within the last `keep` ms}: one of them may wake up and lease again. ]]
--- @include lib/clock
local silent = redis.call("ZRANGEBYSCORE", KEYS.brokers, "-inf", now_ms(), "LIMIT", 0, 100)
for _, broker in ipairs(silent) do
  redis.call("ZREM", KEYS.brokers, broker)
  redis.call("ZADD", KEYS.fenced, now_ms(), broker)
end
redis.call("ZREMRANGEBYSCORE", KEYS.fenced, "-inf", now_ms() - ARGV.keep)
return { silent, redis.call("ZRANGE", KEYS.fenced, 0, -1) }
