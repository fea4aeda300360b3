#!lua flags=allow-oom
--[[ Notes that someone waits for the end of a task; to be repeated while they wait.
  KEYS  waiters count
  ARGV  key now ttl ]]
redis.call("SADD", KEYS.waiters, ARGV.key)
redis.call("PEXPIRE", KEYS.waiters, ARGV.ttl)
-- So that whoever settles need not look for a key.
redis.call("HSET", KEYS.count, "awaited", ARGV.now + ARGV.ttl)
return 1
