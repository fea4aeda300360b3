--- @include lib/counts
--- @include lib/buckets
-- Writes results. The newest bucket is filled until it is old or has its share.
local is_new

-- What this call recorded, each "<field> <bucket> <where it begins in the field> <n>": for the stream `ended`, by which lists find
-- what ended lately. The id of its entry is the number of the last result that it tells of, counted from the queue's first.
local listed = {}
local opened = false
local LISTED = 1000 -- LIMITS.listedEnded

local function open_bucket()
  bucket, bucket_start, bucket_until = bucket + 1, recorded, ARGV.now + ARGV.result_span
  local text = string.format("%.0f:%.0f:%.0f", bucket, bucket_start, bucket_until)
  redis.call("LPUSH", KEYS.buckets, text)
  redis.call("HSET", KEYS.count, "bucket", text)
  is_new, opened = true, true
end

local function limit_if_new(key)
  if not is_new then return end
  is_new = false
  redis.call("PEXPIRE", key, ARGV.result_ttl + ARGV.result_span)
  drop_buckets()
end

-- Those of tasks alone, which have one each, are gathered and written together.
local gathered = {}

local function write_gathered()
  if #gathered == 0 then return end
  local key = KEYS.results .. string.format("%.0f", bucket)
  for i = 1, #gathered, 2000 do redis.call("HSET", key, unpack(gathered, i, math.min(i + 1999, #gathered))) end
  gathered = {}
  limit_if_new(key)
end

local function write_records()
  if #listed == 0 then return end
  write_gathered()
  redis.call("XADD", KEYS.ended, "MINID", "~", string.format("%.0f", math.max(0, recorded - LISTED + 1)),
    string.format("%.0f-0", recorded), "t", table.concat(listed, ","))
  -- With the newest bucket all that it tells of is gone.
  if opened then redis.call("PEXPIRE", KEYS.ended, 2 * (ARGV.result_ttl + ARGV.result_span)) end
  listed = {}
end

local function make_room(n)
  if tonumber(ARGV.now) < bucket_until and recorded - bucket_start + n <= tonumber(ARGV.result_share) then return end
  write_gathered()
  open_bucket()
end

local function record(field, n, bytes)
  make_room(n)
  local key = KEYS.results .. string.format("%.0f", bucket)
  local start = 0
  if redis.call("HSETNX", key, field, bytes) == 0 then
    local before = redis.call("HGET", key, field)
    start = #before
    redis.call("HSET", key, field, before .. bytes)
  end
  listed[#listed + 1] = field .. " " .. bucket .. " " .. start .. " " .. n
  recorded = recorded + n
  limit_if_new(key)
end

local function record_alone(key, bytes)
  make_room(1)
  gathered[#gathered + 1] = key
  gathered[#gathered + 1] = bytes
  listed[#listed + 1] = key .. " " .. bucket .. " 0 1"
  recorded = recorded + 1
end
