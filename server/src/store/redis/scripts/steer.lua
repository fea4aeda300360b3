#!lua flags=allow-oom
--[[ Changes how a queue is steered.
  KEYS  count
  ARGV  channel announce paused rate
  `paused`: "1", "0", or "" = as it is. `rate`: "<tasks a second>:<burst>", "-" = no limit, or "" = as it is.
  Returns {whether it is paused, its rate or "", whether a pause has ended}. ]]
local before = redis.call("HMGET", KEYS.count, "paused", "rate")
local has_ended = 0
if ARGV.paused == "1" then
  redis.call("HSET", KEYS.count, "paused", "1")
elseif ARGV.paused == "0" and before[1] then
  redis.call("HDEL", KEYS.count, "paused")
  redis.call("PUBLISH", ARGV.channel, ARGV.announce)
  has_ended = 1
end
-- A rate that is as it was keeps what is used of it.
if ARGV.rate == "-" then
  redis.call("HDEL", KEYS.count, "rate", "used")
elseif ARGV.rate ~= "" and ARGV.rate ~= before[2] then
  redis.call("HSET", KEYS.count, "rate", ARGV.rate)
  redis.call("HDEL", KEYS.count, "used")
end
local after = redis.call("HMGET", KEYS.count, "paused", "rate")
return { after[1] and 1 or 0, after[2] or "", has_ended }
