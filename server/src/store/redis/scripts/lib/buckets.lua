-- The newest bucket, and dropping the oldest ones while they are past their time or more is kept than the cap allows.
-- What `counted` holds of KEYS.count: bucket, completed, discarded, cancelled. The sum of these three is how many results were
-- ever recorded.
local bucket, recorded, bucket_start, bucket_until

local function read_bucket(counted)
  local number, start, until_ms = string.match(counted[1] or "0:0:0", "^(%d+):(%d+):(%d+)$")
  bucket, bucket_start, bucket_until = tonumber(number), tonumber(start), tonumber(until_ms)
  recorded = (counted[2] or 0) + (counted[3] or 0) + (counted[4] or 0)
end

local function drop_buckets()
  while true do
    local oldest = redis.call("LINDEX", KEYS.buckets, -1)
    if not oldest then return end
    local number, start, until_ms = string.match(oldest, "^(%d+):(%d+):(%d+)$")
    local is_old = until_ms + ARGV.result_ttl <= tonumber(ARGV.now)
    local is_over = recorded - start > tonumber(ARGV.max_results) and tonumber(number) ~= bucket
    if not is_old and not is_over then return end
    redis.call("UNLINK", KEYS.results .. number)
    redis.call("RPOP", KEYS.buckets)
  end
end
