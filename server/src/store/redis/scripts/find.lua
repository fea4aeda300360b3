#!lua flags=no-writes
--[[ All that is known of one task.
  KEYS  line back due alone state count gone buckets results leases_of
  ARGV  key block id list...
  `block` and `id` are the block's key and stream id; both are "" for a caller's key. The list: brokers whose leases are looked at.
  Returns {state, record, time when due, {results, newest first}, entry of the block, cursor, {what came back},
  indexes that are gone from the block, {leases of tasks of the block}}; "" = nothing. ]]
--- @include lib/results
local state = redis.call("HGET", KEYS.state, ARGV.key)
if state then
  local due = redis.call("ZSCORE", KEYS.due, ARGV.key) or ""
  return { state, redis.call("HGET", KEYS.alone, ARGV.key) or "", due, {}, "", "", {}, "", {} }
end
local results = find_results(ARGV.block == "" and ARGV.key or ARGV.block, ARGV.key)
if ARGV.id == "" then return { "", "", "", results, "", "", {}, "", {} } end
local entry = redis.call("XRANGE", KEYS.line, ARGV.id, ARGV.id)[1]
if not entry then return { "", "", "", results, "", "", {}, "", {} } end
local about, leases = "b " .. ARGV.id .. " ", {}
for i = ARGV.list, #ARGV do
  for _, lease in ipairs(redis.call("HVALS", KEYS.leases_of .. ARGV[i])) do
    if string.sub(lease, 1, #about) == about then leases[#leases + 1] = lease end
  end
end
return {
  "", "", "", results, entry[2][2], redis.call("HGET", KEYS.count, "cursor") or "0-0", redis.call("LRANGE", KEYS.back, 0, -1),
  redis.call("HGET", KEYS.gone, ARGV.id) or "", leases,
}
