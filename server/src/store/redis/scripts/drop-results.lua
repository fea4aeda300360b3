#!lua flags=allow-oom
--[[ Drops the oldest buckets of results while they are past their time or above the cap.
  KEYS  count buckets results
  ARGV  now result_ttl max_results ]]
--- @include lib/buckets
read_bucket(redis.call("HMGET", KEYS.count, "bucket", "completed", "discarded", "cancelled"))
drop_buckets()
return 1
