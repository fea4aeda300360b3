-- Results are kept in buckets, each a hash with an expiry. `buckets` lists them, newest first, as
-- "number:results recorded before it:time until which it is filled".

-- What is recorded of a block and of one task of it, newest first.
local function find_results(block, key)
  local found = {}
  for _, bucket in ipairs(redis.call("LRANGE", KEYS.buckets, 0, -1)) do
    local number = string.match(bucket, "^(%d+)")
    for _, record in ipairs(redis.call("HMGET", KEYS.results .. number, block, key)) do
      if record then found[#found + 1] = record end
    end
  end
  return found
end
