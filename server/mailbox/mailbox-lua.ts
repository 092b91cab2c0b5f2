/**
 * What Redis keeps of a mailbox, and the Lua functions on it. All keys of a mailbox begin with the same
 * `<channel>:{m:<user>}`, so they are in one slot; scripts are given that key and make the others of it.
 *
 * | key            | what it holds |
 * |----------------|-------------------------------------------------------------------------------------|
 * | …              | hash: `last`, the newest seq · `gone`, all up to it were removed · `bytes` of the |
 * |                | messages · `seen`, the highest cursor · `version`, the newest of a receipt |
 * | …:log          | stream: an entry is a message, its id `<seq>-<ms when it came>`, its field the |
 * |                | sender, its value the body. It expires when its newest message does |
 * | …:devices      | hash: device → `<cursor> <ms last heard of> <ms lease ends> <node> <token>` |
 * | …:ids          | hash: `<sender> <id>` → `<seq> <ms>` |
 * | …:peers        | hash: `s <sender>` → its newest seq, `r <sender>` → read up to this one |
 * | …:owed         | hash: `<kind> <sender>` → seq that the sender is still to be told |
 * | …:receipts     | hash: peer → `<received> <its version> <read> <its version>` |
 *
 * Where a hash of memory is full, it becomes `…:older` in place of the one before, and a new one begins: that
 * forgets the oldest without looking for them.
 */

/** ARGV: the time in ms or '', the limits in the order of `limitsOf`; the operations follow. */
export const prelude = `
local call = redis.call
local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local messagesMax, bytesMax, ageMs = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local holdMs, devicesMax, memoryMax = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local function text(number) return string.format('%.0f', number) end
local function seqOf(id) return tonumber(string.match(id, '^%d+')) end

local function stateOf(key)
  local values = call('HMGET', key, 'last', 'gone', 'bytes', 'seen', 'version')
  return { key = key, log = key .. ':log', known = values[1] and true, last = tonumber(values[1] or 0),
    gone = tonumber(values[2] or 0), bytes = tonumber(values[3] or 0), seen = tonumber(values[4] or 0),
    version = tonumber(values[5] or 0), age = 0, room = 0 }
end
local function save(state)
  call('HSET', state.key, 'last', text(state.last), 'gone', text(state.gone), 'bytes', text(state.bytes),
    'seen', text(state.seen), 'version', text(state.version))
end

-- Messages that are there. A log that expired as a whole is counted here.
local function length(state)
  local messages = call('XLEN', state.log)
  if messages == 0 and state.gone < state.last then
    state.age = state.age + state.last - state.gone
    state.gone, state.bytes = state.last, 0
  end
  return messages
end
local function remove(state, upTo)
  if upTo <= state.gone then return 0 end
  local entries = call('XRANGE', state.log, '-', text(upTo))
  for _, entry in ipairs(entries) do state.bytes = state.bytes - #entry[2][2] end
  state.gone = upTo
  if upTo >= state.last then
    call('DEL', state.log)
    state.bytes = 0
  elseif #entries > 0 then
    call('XTRIM', state.log, 'MINID', text(upTo + 1))
  end
  return #entries
end
local function expire(state)
  if length(state) == 0 then return end
  local old, count = 0, 1
  while true do
    local entries = call('XRANGE', state.log, text(old + 1), '+', 'COUNT', count)
    for _, entry in ipairs(entries) do
      local seq, ms = string.match(entry[1], '(%d+)-(%d+)')
      if tonumber(ms) > now - ageMs then entries = {} break end
      old = tonumber(seq)
    end
    if #entries < count then break end
    count = 50
  end
  if old > 0 then state.age = state.age + remove(state, old) end
end

local function devicesOf(state)
  local flat, devices = call('HGETALL', state.key .. ':devices'), {}
  for index = 1, #flat, 2 do
    local cursor, seen, ends, node, token = string.match(flat[index + 1], '(%S+) (%S+) (%S+) (%S+) (%S+)')
    devices[#devices + 1] = { name = flat[index], cursor = tonumber(cursor), seen = tonumber(seen),
      ends = tonumber(ends), node = node, token = token }
  end
  return devices
end
local function find(devices, name)
  for _, device in ipairs(devices) do if device.name == name then return device end end
end
local function put(state, device)
  call('HSET', state.key .. ':devices', device.name, text(device.cursor) .. ' ' .. text(device.seen) .. ' '
    .. text(device.ends) .. ' ' .. device.node .. ' ' .. device.token)
end
local function addNodes(reply, devices)
  local known = {}
  for _, device in ipairs(devices) do
    if device.ends > now and not known[device.node] then
      known[device.node] = true
      reply[#reply + 1] = device.node
    end
  end
  return reply
end
-- Removes what every device has that was here within the retention.
local function prune(state, devices)
  local cursor
  for _, device in ipairs(devices) do
    if device.seen > now - ageMs and (not cursor or device.cursor < cursor) then cursor = device.cursor end
  end
  if cursor then remove(state, cursor) end
end

local function fits(state, messages, bytes)
  return messages < messagesMax and state.bytes + bytes <= bytesMax
end
-- Whether so many bytes find room, if need be in place of what silent devices still wait for.
local function hasRoom(state, bytes)
  if fits(state, length(state), bytes) then return true end
  expire(state)
  local messages, limit = length(state), state.seen
  for _, device in ipairs(devicesOf(state)) do
    if device.seen > now - holdMs and device.cursor < limit then limit = device.cursor end
  end
  while not fits(state, messages, bytes) do
    local entries = call('XRANGE', state.log, '-', text(limit), 'COUNT', 16)
    if #entries == 0 then return false end
    local removed = remove(state, seqOf(entries[#entries][1]))
    messages, state.room = messages - removed, state.room + removed
  end
  return true
end

local function remember(key, entriesMax, ms)
  call('PEXPIRE', key, text(ms))
  if call('HLEN', key) > entriesMax then call('RENAME', key, key .. ':older') end
end
local function recall(key, field)
  return call('HGET', key, field) or call('HGET', key .. ':older', field)
end

local function settle(key, from, to)
  for index = from, to, 2 do
    local seq = call('HGET', key .. ':owed', ARGV[index])
    if seq and tonumber(seq) <= tonumber(ARGV[index + 1]) then call('HDEL', key .. ':owed', ARGV[index]) end
  end
end
local function owe(state, reply, what, seq)
  call('HSET', state.key .. ':owed', what, text(seq))
  reply[#reply + 1] = what
  reply[#reply + 1] = seq
end
-- The person has all up to this one, on one device at the least: the senders are owed to know.
local function advance(state, upTo, reply)
  if upTo <= state.seen then return end
  local newest, senders = {}, {}
  for _, entry in ipairs(call('XRANGE', state.log, text(state.seen + 1), text(upTo))) do
    local sender = entry[2][1]
    if not newest[sender] then senders[#senders + 1] = sender end
    newest[sender] = seqOf(entry[1])
  end
  state.seen = upTo
  for _, sender in ipairs(senders) do owe(state, reply, 'received ' .. sender, newest[sender]) end
end
`;
