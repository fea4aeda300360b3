-- The buckets of results: "number:results recorded before it:time until which it is filled", newest first.
local bucket, recorded, bucket_start, bucket_until

local function read_bucket()
  local number, start, until_ms = string.match(redis.call("LINDEX", KEYS.buckets, 0) or "0:0:0", "^(%d+):(%d+):(%d+)$")
  bucket, bucket_start, bucket_until = tonumber(number), tonumber(start), tonumber(until_ms)
  recorded = tonumber(redis.call("HGET", KEYS.count, "recorded") or 0)
end

local function drop_buckets()
  while true do
    local oldest = redis.call("LINDEX", KEYS.buckets, -1)
    if not oldest then return end
    local number, start, until_ms = string.match(oldest, "^(%d+):(%d+):(%d+)$")
    local is_old = tonumber(until_ms) + ARGV.result_ttl <= now_ms()
    local is_over = recorded - start > tonumber(ARGV.max_results) and tonumber(number) ~= bucket
    if not is_old and not is_over then return end
    redis.call("UNLINK", KEYS.results .. number)
    redis.call("RPOP", KEYS.buckets)
  end
end
