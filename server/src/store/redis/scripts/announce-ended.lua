#!lua flags=allow-oom
--[[ Tells all brokers which of these tasks, that someone waits for, have ended.
  KEYS  waiters
  ARGV  channel announce list...
  The list: the keys of the tasks. ]]
for at = ARGV.list, #ARGV do
  if redis.call("SISMEMBER", KEYS.waiters, ARGV[at]) == 1 then
    redis.call("PUBLISH", ARGV.channel, ARGV.announce .. " " .. ARGV[at])
  end
end
return 1
