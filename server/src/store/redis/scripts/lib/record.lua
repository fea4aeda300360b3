-- Writes results. The newest bucket is filled until it is old or has its share; then the oldest ones are dropped, so that
-- no more results are kept than the cap allows.
--- @include lib/buckets
local is_new

local function open_bucket()
  bucket, bucket_start, bucket_until = bucket + 1, recorded, now_ms() + ARGV.result_span
  redis.call("LPUSH", KEYS.buckets, string.format("%.0f:%.0f:%.0f", bucket, bucket_start, bucket_until))
  is_new = true
end

local function record(field, n, bytes)
  if not bucket then read_bucket() end
  if now_ms() >= bucket_until or recorded - bucket_start + n > tonumber(ARGV.result_share) then open_bucket() end
  local key = KEYS.results .. string.format("%.0f", bucket)
  if redis.call("HSETNX", key, field, bytes) == 0 then
    redis.call("HSET", key, field, redis.call("HGET", key, field) .. bytes)
  end
  recorded = recorded + n
  count("recorded", n)
  if is_new then
    is_new = false
    redis.call("PEXPIRE", key, ARGV.result_ttl + ARGV.result_span)
    drop_buckets()
  end
end
