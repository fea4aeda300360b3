#!lua flags=allow-oom
--[[ Says that a broker is alive. When others gave it up meanwhile, it goes on under its next id.
  KEYS  brokers fenced
  ARGV  broker next timeout
  `broker` is "" at the start. `next` is used at the start and after it was given up.
  Returns {"alive" or "fenced", time}. ]]
--- @include lib/clock
local now = now_ms()
if ARGV.broker ~= "" then
  if redis.call("ZSCORE", KEYS.brokers, ARGV.broker) then
    redis.call("ZADD", KEYS.brokers, now + ARGV.timeout, ARGV.broker)
    return { "alive", now }
  end
  -- Also when the store was rolled back: then no one else knows that there may be leases of it.
  redis.call("ZADD", KEYS.fenced, now, ARGV.broker)
end
redis.call("ZADD", KEYS.brokers, now + ARGV.timeout, ARGV.next)
return { "fenced", now }
