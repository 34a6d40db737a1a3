-- Tells a gate the stock of its product, if that is news: versions count the product's changes.
--   KEYS    the gate   ARGV  the stock, the version   →  1 taken, 0 old news or no gate
local gate = redis.pcall('HMGET', KEYS[1], 'version', 'changes')
local version, changes = tonumber(gate[1]), tonumber(gate[2])
if not (version and changes) or tonumber(ARGV[2]) <= version then return 0 end
redis.call('HSET', KEYS[1], 'stock', ARGV[1], 'version', ARGV[2],
    'changes', string.format('%.0f', changes + 1))
return 1
