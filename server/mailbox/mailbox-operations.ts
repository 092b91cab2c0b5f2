/**
 * The operations that Redis runs on mailboxes, each in one atomic step: Lua functions behind the prelude. An
 * answer is an array of numbers and texts.
 */

/** A claim of a client moves a mailbox ahead by so much at the most; chosen, far above what is ever lost. */
const claimMax = 1_000_000;
/** Ids are remembered for a day after the last message at the least; chosen. */
const idsMs = 86_400_000;

/** An operation is its name, the number of its key, the number of its arguments, and these. */
export const operations = `
local operations = {}

-- sender, id, body
function operations.store(key, at)
  local sender, id, body = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local state = stateOf(key)
  local before = recall(key .. ':ids', sender .. ' ' .. id)
  if before then
    local seq, ms = string.match(before, '(%d+) (%d+)')
    return addNodes({ 'ok', tonumber(seq), tonumber(ms), 0, 0 }, devicesOf(state))
  end
  if not hasRoom(state, #body) then
    save(state)
    return { 'full', state.age, state.room }
  end
  state.last, state.bytes = state.last + 1, state.bytes + #body
  local seq = text(state.last)
  call('XADD', state.log, seq .. '-' .. text(now), sender, body)
  call('PEXPIRE', state.log, text(ageMs))
  call('HSET', key .. ':ids', sender .. ' ' .. id, seq .. ' ' .. text(now))
  remember(key .. ':ids', memoryMax, ${idsMs})
  call('HSET', key .. ':peers', 's ' .. sender, seq)
  remember(key .. ':peers', 2 * memoryMax, ageMs)
  save(state)
  return addNodes({ 'ok', state.last, now, state.age, state.room }, devicesOf(state))
end

-- after, count
function operations.page(key, at)
  local state = stateOf(key)
  expire(state)
  if state.age > 0 then save(state) end
  local reply = { state.last, state.age }
  local from = text(tonumber(ARGV[at]) + 1)
  for _, entry in ipairs(call('XRANGE', state.log, from, '+', 'COUNT', ARGV[at + 1])) do
    reply[#reply + 1] = entry[1]
    reply[#reply + 1] = entry[2][2]
  end
  return reply
end

-- device, up to, settled…
function operations.received(key, at, arguments)
  local state, reply = stateOf(key), {}
  settle(key, at + 2, at + arguments - 1)
  if not state.known then return reply end
  local upTo = math.min(tonumber(ARGV[at + 1]), state.last)
  local devices = devicesOf(state)
  local device = find(devices, ARGV[at])
  if device then
    device.cursor, device.seen = math.max(device.cursor, upTo), now
    put(state, device)
  end
  advance(state, upTo, reply)
  prune(state, devices)
  save(state)
  return reply
end

-- peer, up to
function operations.read(key, at)
  local peers, peer = key .. ':peers', ARGV[at]
  local newest = recall(peers, 's ' .. peer)
  if not newest then return {} end
  local upTo = math.min(tonumber(ARGV[at + 1]), tonumber(newest))
  local before = tonumber(recall(peers, 'r ' .. peer) or 0)
  if upTo <= before then return {} end
  call('HSET', peers, 'r ' .. peer, text(upTo))
  local reply = {}
  owe({ key = key }, reply, 'read ' .. peer, upTo)
  return reply
end

-- by, kind, up to
function operations.receipt(key, at)
  local state, receipts = stateOf(key), key .. ':receipts'
  if not state.known then return { 0 } end
  local upTo, version = tonumber(ARGV[at + 2]), state.version + 1
  local known = recall(receipts, ARGV[at]) or '0 0 0 0'
  local received, receivedBy, read, readBy = string.match(known, '(%d+) (%d+) (%d+) (%d+)')
  if ARGV[at + 1] == 'received' then
    if upTo <= tonumber(received) then return { 0 } end
    received, receivedBy = text(upTo), text(version)
  else
    if upTo <= tonumber(read) then return { 0 } end
    read, readBy = text(upTo), text(version)
  end
  call('HSET', receipts, ARGV[at], received .. ' ' .. receivedBy .. ' ' .. read .. ' ' .. readBy)
  remember(receipts, memoryMax, ageMs)
  call('HSET', key, 'version', text(version))
  return addNodes({ version }, devicesOf(state))
end

-- after
function operations.receipts(key, at)
  local state, after = stateOf(key), tonumber(ARGV[at])
  local reply, known = { state.version }, {}
  if after >= state.version then return reply end
  for _, receipts in ipairs({ key .. ':receipts', key .. ':receipts:older' }) do
    local flat = call('HGETALL', receipts)
    for index = 1, #flat, 2 do
      local by = flat[index]
      local received, receivedBy, read, readBy = string.match(flat[index + 1], '(%d+) (%d+) (%d+) (%d+)')
      for kind, pair in pairs({ received = { received, receivedBy }, read = { read, readBy } }) do
        if not known[by] and tonumber(pair[2]) > after then
          reply[#reply + 1] = kind .. ' ' .. by
          reply[#reply + 1] = tonumber(pair[1])
          reply[#reply + 1] = tonumber(pair[2])
        end
      end
      known[by] = true
    end
  end
  return reply
end

-- device, up to or '', sent, version of a receipt, node or '', token, ms, '1' to renew only, settled…
function operations.arrive(key, at, arguments)
  local state = stateOf(key)
  settle(key, at + 8, at + arguments - 1)
  local upTo, sent, version = tonumber(ARGV[at + 1]) or 0, tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  -- Redis may have come back with an older state: no number is given to two messages.
  local claimed = math.max(upTo, sent)
  local messages = length(state)
  if claimed > state.last and claimed <= state.last + ${claimMax} then
    if messages == 0 then state.gone = claimed end
    state.last = claimed
  end
  if version > state.version and version <= state.version + ${claimMax} then state.version = version end
  upTo = math.min(upTo, state.last)
  expire(state)
  local devices = devicesOf(state)
  local device, other, holds, ignored = find(devices, ARGV[at]), { node = '', token = '' }, 1, {}
  if not device then
    if #devices >= devicesMax then
      table.sort(devices, function(a, b)
        if (a.ends > now) ~= (b.ends > now) then return a.ends > now end
        return a.seen > b.seen
      end)
      while #devices >= devicesMax do call('HDEL', key .. ':devices', table.remove(devices).name) end
    end
    device = { name = ARGV[at], cursor = upTo > 0 and upTo or state.gone, seen = now, ends = 0, node = '-',
      token = '-' }
    devices[#devices + 1] = device
  end
  if device.ends > now and device.token ~= ARGV[at + 5] then other = device end
  if other.node ~= '' and ARGV[at + 7] == '1' then
    holds = 0
  else
    local node, token = other.node, other.token
    other = { node = node, token = token }
    device.cursor, device.seen = math.max(device.cursor, upTo), now
    if ARGV[at + 4] ~= '' then
      device.node, device.token, device.ends = ARGV[at + 4], ARGV[at + 5], now + tonumber(ARGV[at + 6])
    end
    put(state, device)
    advance(state, upTo, ignored)
    prune(state, devices)
  end
  save(state)
  local waiting = math.min(length(state), state.last - math.max(device.cursor, state.gone))
  local reply = { device.cursor, state.last, math.max(waiting, 0), state.version, holds, other.node,
    other.token, state.age }
  for _, value in ipairs(call('HGETALL', key .. ':owed')) do reply[#reply + 1] = value end
  return reply
end

-- device, token, settled…
function operations.leave(key, at, arguments)
  settle(key, at + 2, at + arguments - 1)
  local state = { key = key }
  local device = find(devicesOf(state), ARGV[at])
  if device and device.token == ARGV[at + 1] then
    device.seen, device.ends, device.node, device.token = now, 0, '-', '-'
    put(state, device)
  end
  return {}
end

function operations.online(key)
  for _, device in ipairs(devicesOf({ key = key })) do if device.ends > now then return { 1 } end end
  return { 0 }
end

local replies, at = {}, 8
while at <= #ARGV do
  local arguments = tonumber(ARGV[at + 2])
  replies[#replies + 1] = operations[ARGV[at]](KEYS[tonumber(ARGV[at + 1])], at + 3, arguments)
  at = at + 3 + arguments
end
return replies
`;
