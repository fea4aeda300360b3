--- @include lib/counts
--- @include lib/buckets
-- Writes results. The newest bucket is filled until it is old or has its share.
local is_new

local function open_bucket()
  bucket, bucket_start, bucket_until = bucket + 1, recorded, ARGV.now + ARGV.result_span
  local text = string.format("%.0f:%.0f:%.0f", bucket, bucket_start, bucket_until)
  redis.call("LPUSH", KEYS.buckets, text)
  redis.call("HSET", KEYS.count, "bucket", text)
  is_new = true
end

local function record(field, n, bytes)
  if tonumber(ARGV.now) >= bucket_until or recorded - bucket_start + n > tonumber(ARGV.result_share) then open_bucket() end
  local key = KEYS.results .. string.format("%.0f", bucket)
  if redis.call("HSETNX", key, field, bytes) == 0 then
    redis.call("HSET", key, field, redis.call("HGET", key, field) .. bytes)
  end
  recorded = recorded + n
  if is_new then
    is_new = false
    redis.call("PEXPIRE", key, ARGV.result_ttl + ARGV.result_span)
    drop_buckets()
  end
end
