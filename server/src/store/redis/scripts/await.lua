#!lua flags=allow-oom
--[[ Notes that someone waits for the end of a task; to be repeated while they wait.
  KEYS  waiters
  ARGV  key ttl ]]
redis.call("SADD", KEYS.waiters, ARGV.key)
redis.call("PEXPIRE", KEYS.waiters, ARGV.ttl)
return 1
