#!lua flags=allow-oom
--[[ Says that a broker is alive.
  KEYS  brokers
  ARGV  broker timeout is_new
  Returns {"alive" or "fenced", the time}. Only a new broker is taken up; one that is gone from the list was given up. ]]
--- @include lib/clock
if ARGV.is_new == "0" and not redis.call("ZSCORE", KEYS.brokers, ARGV.broker) then return { "fenced", now_ms() } end
redis.call("ZADD", KEYS.brokers, now_ms() + ARGV.timeout, ARGV.broker)
return { "alive", now_ms() }
