#!lua flags=allow-oom
--[[ Drops the buckets of results that are past their time or above the cap.
  KEYS  count buckets results
  ARGV  result_ttl max_results
  Returns nothing. ]]
--- @include lib/clock
--- @include lib/buckets
read_bucket()
drop_buckets()
