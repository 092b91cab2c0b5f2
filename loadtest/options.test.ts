import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOptions, newCommand } from './options.ts';
import type { Limit } from './result/limits.ts';

/** The options of a command line whose arguments are separated by blanks. */
function check(args = '') {
  const command = newCommand().exitOverride();
  return checkOptions(command.parse(args.split(' ').filter(Boolean), { from: 'user' }));
}

const firstTwo = (limits: Limit[]) => limits.slice(0, 2).map(({ expression }) => expression);

test('every default is valid and in the unit of its name', () => {
  const { options, problems } = check();
  assert.deepEqual(problems, []);
  assert.equal(options.workload.warmUpSeconds, 2);
  assert.equal(options.health.scheduleLagMsP99Max, 25);
  assert.deepEqual(options.workload.urls, ['ws://127.0.0.1:8080/ws']);
});

test('options that may be repeated replace their default and keep their order', () => {
  const { options, problems } = check('--url ws://a/ws --url ws://b:1/ws --limit p99<1s --limit lost<=5');
  assert.deepEqual(problems, []);
  assert.deepEqual(options.workload.urls, ['ws://a/ws', 'ws://b:1/ws']);
  assert.deepEqual(firstTwo(options.limits), ['p99<1s', 'lost<=5']);
});

test('every option can be given by the environment, and the command line wins', (t) => {
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  const given = { CLIENTS: '7', LIMIT: 'p99<1s lost<=5', WARM_UP: '250ms', RATE: '3/s' };
  for (const [name, value] of Object.entries(given)) process.env[`LOADTEST_${name}`] = value;
  const { options, problems } = check('--rate 4/s');
  assert.deepEqual(problems, []);
  assert.equal(options.workload.clients, 7);
  assert.equal(options.workload.warmUpSeconds, 0.25);
  assert.equal(options.workload.ratePerSecond, 4);
  assert.deepEqual(firstTwo(options.limits), ['p99<1s', 'lost<=5']);
  for (const option of newCommand().options)
    assert.match(option.envVar ?? '', /^LOADTEST_[A-Z_]+$/, option.flags);
});

test('all mistakes are reported at once, each with the required and the given value', () => {
  const { problems } = check(
    '--clients 0 --rate fast --duration 20 --arrival random --payload-size 10B --url http://x --url wss://x/ws --limit p99',
  );
  assert.equal(problems.length, 8);
  for (const problem of [
    /--clients must be a whole number from 1 to 1000000; given: 0/,
    /--rate must be a rate above 0\/s to .* such as 500\/s; given: fast/,
    /--duration must be a time from 1ms to 24h with its unit .*given: 20$/m,
    /--arrival must be one of constant, poisson; given: random/,
    /--payload-size must be a size from 62B to 16MiB .*given: 10B/,
    /--url must look like ws:.*given: http:\/\/x/,
    /put a TLS proxy before the simulator for wss/,
    /a limit is <metric>/,
  ])
    assert.match(problems.join('\n'), problem);
});

test('a header that would begin another one is refused, and a secret is never shown', () => {
  const problems = (...args: string[]) => {
    const command = newCommand();
    command.parse(args, { from: 'user' });
    return checkOptions(command).problems.join();
  };
  assert.match(problems('--token', 'secret\r\nX-Evil: 1'), /^--token must hold visible ASCII .*not shown/);
  assert.match(
    problems('--origin', 'http://x\nX-Evil: 1'),
    /^--origin must be .*given: "http:\/\/x\\nX-Evil: 1"$/,
  );
  assert.match(problems('--token', ''), /--token must hold/);
  assert.match(problems('--token-file', '/no/such/file'), /--token-file must name a file/);
  assert.equal(problems('--token', 'secret', '--origin', 'https://chat.example'), '');
  assert.match(problems('--url', 'http://x/ws?token=secret'), /given: http:\/\/x\/ws\?token=\*\*\*$/);
});

test('combinations that cannot be run are refused', () => {
  const problems = (args: string) => check(args).problems.join();
  assert.match(problems('--clients 5 --rooms 6'), /--rooms must be at most --clients \(5\); given: 6/);
  assert.match(problems('--rate 1e9/s --duration 10s'), /a run holds at most 1073741823 messages/);
});

test('steps replace the rate and the duration, and are refused beside them', () => {
  const { options, problems } = check('--step 100/s:10s --step 0.5/s:500ms');
  assert.deepEqual(problems, []);
  assert.deepEqual(options.steps, [
    { ratePerSecond: 100, durationSeconds: 10 },
    { ratePerSecond: 0.5, durationSeconds: 0.5 },
  ]);
  assert.deepEqual(check().options.steps, [{}]);
  assert.deepEqual(check('--step 100/s:10s --rate 100/s').problems, [
    '--step and --rate cannot be given together: the rate of each step is in --step',
  ]);
  assert.match(check('--step 1e9/s:10s').problems.join(), /a run holds at most/);
  assert.match(check('--step 10s').problems.join(), /--step must be <rate>:<time>, .*; given: 10s/);
  assert.match(check('--step 5/s:5').problems.join(), /--step must be a time .*given: 5$/);
  assert.match(
    check('--control --step 5/s:5s --json -').problems.join(),
    /steps come as commands.*\n?.*--json/,
  );
});

test('people: their quantities, their names, their limits, and what they exclude', () => {
  const { options, problems } = check(
    '--people 100 --devices 2 --present 20% --visit 30s --think-time 10s..30s --login-rate 5/s --limit login.p99<500ms',
  );
  assert.deepEqual(problems, []);
  const { people, clients, devices, presentShare, visitSeconds, peoplePrefix, ratePerSecond } =
    options.workload;
  assert.deepEqual([people, clients, devices, presentShare, visitSeconds], [100, 200, 2, 0.2, 30]);
  // Those who are present say one message in 20 s.
  assert.equal(ratePerSecond, 1);
  assert.match(peoplePrefix, /^p[a-z0-9]{5}-$/);
  const expressions = options.limits.map(({ expression }) => expression);
  for (const own of ['login.p99<500ms', 'wentback=0', 'unanswered=0', 'untold=0'])
    assert.ok(expressions.includes(own), own);
  assert.ok(!check().options.limits.some(({ metric }) => metric === 'wentback'));
  const names = check('--people 5 --people-prefix again-').options.workload.peoplePrefix;
  assert.equal(names, 'again-');
  const wrong = check(
    '--people 1 --people-prefix BOB --rooms 3 --resume --present 0% --payload-size 100B',
  ).problems.join('\n');
  for (const problem of [
    /--people must be at least 2: nobody writes to themselves; given: 1/,
    /--people-prefix must be at most 15 of a-z 0-9 _ -; given: "BOB"/,
    /--people and --rooms cannot be given together/,
    /--people and --resume cannot be given together/,
    /--present must be above 0%/,
    /--payload-size must be at least 128B with --people; given: 100B/,
  ])
    assert.match(wrong, problem);
  assert.match(check('--visit 3s --people 5').problems.join(), /--visit needs --present below 100%/);
  assert.deepEqual(check('--devices 2 --limit ack.p99<1s').problems, [
    '--devices needs --people',
    '--limit ack.p99<1s needs --people: nobody has an account without it',
  ]);
});

test('users that come back: their switch, their limits, and what they exclude', (t) => {
  const { options, problems } = check(
    '--resume --storm 12.5% --at 2s --think-time 5s..30s --connect http://a:1',
  );
  assert.deepEqual(problems, []);
  const { resume, stormShare, stormAtSeconds, thinkSeconds, connectUrls } = options.workload;
  assert.deepEqual([resume, stormShare, stormAtSeconds], [true, 0.125, 2]);
  assert.deepEqual([thinkSeconds, connectUrls], [[5, 30], ['http://a:1']]);
  const expressions = options.limits.map(({ expression }) => expression);
  for (const own of ['missed=0', 'misannounced=0']) {
    assert.ok(expressions.includes(own), own);
    assert.ok(!check().options.limits.some(({ expression }) => expression === own), own);
  }
  const wrong = check(
    '--think-time 30s..5s --rate 5/s --storm 101% --connect ws://a --limit caught-up-p99<2s',
  );
  for (const problem of [
    /--think-time must begin with the shorter time; given: 30s\.\.5s/,
    /--think-time and --rate cannot be given together/,
    /--storm must be from 0% to 100%; given: 101%/,
    /--connect must look like http:\/\/127/,
    /--limit caught-up-p99<2s needs --resume/,
  ])
    assert.match(wrong.problems.join('\n'), problem);
  t.after(() => delete process.env.LOADTEST_RESUME);
  for (const [value, isOn] of [
    ['1', true],
    ['0', false],
    ['', false],
  ] as const) {
    process.env.LOADTEST_RESUME = value;
    assert.equal(check().options.workload.resume, isOn, value);
  }
});
