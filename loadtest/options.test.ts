import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOptions, newCommand } from './options.ts';

/** The options of a command line whose arguments are separated by blanks. */
function check(args = '') {
  return checkOptions(newCommand().exitOverride().parse(args.split(' ').filter(Boolean), { from: 'user' }));
}

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
  assert.deepEqual(
    options.limits.slice(0, 2).map((limit) => limit.expression),
    ['p99<1s', 'lost<=5'],
  );
});

test('every option can be given by the environment, and the command line wins', () => {
  const given = {
    LOADTEST_CLIENTS: '7',
    LOADTEST_LIMIT: 'p99<1s lost<=5',
    LOADTEST_WARM_UP: '250ms',
    LOADTEST_RATE: '3',
  };
  const before = { ...process.env };
  Object.assign(process.env, given);
  try {
    const { options, problems } = check('--rate 4');
    assert.deepEqual(problems, []);
    assert.equal(options.workload.clients, 7);
    assert.equal(options.workload.warmUpSeconds, 0.25);
    assert.equal(options.workload.ratePerSecond, 4);
    assert.deepEqual(
      options.limits.slice(0, 2).map((limit) => limit.expression),
      ['p99<1s', 'lost<=5'],
    );
  } finally {
    process.env = before;
  }
  for (const option of newCommand().options)
    assert.match(option.envVar ?? '', /^LOADTEST_[A-Z_]+$/, option.flags);
});

test('all mistakes are reported at once, each with the required and the given value', () => {
  const { problems } = check(
    '--clients 0 --rate fast --duration 20 --arrival random --payload-bytes 10 --url http://x --url wss://x/ws --limit p99',
  );
  const text = problems.join('\n');
  assert.equal(problems.length, 8);
  assert.match(text, /--clients must be a whole number from 1 to 1000000; given: 0/);
  assert.match(text, /--rate must be a number above 0.*given: fast/);
  assert.match(text, /--duration must be a time .* with a unit .*given: 20$/m);
  assert.match(text, /--arrival must be one of constant, poisson; given: random/);
  assert.match(text, /--payload-bytes must be a whole number from 62/);
  assert.match(text, /--url must look like ws:.*given: http:\/\/x/);
  assert.match(text, /put a TLS proxy before the simulator for wss/);
  assert.match(text, /a limit is <metric>/);
});

test('combinations that cannot be run are refused', () => {
  assert.match(
    check('--clients 5 --rooms 6').problems.join(),
    /--rooms must be at most --clients \(5\); given: 6/,
  );
  assert.match(check('--rate 1e9 --duration 10s').problems.join(), /a run holds at most 1073741823 messages/);
});

test('steps replace the rate and the duration, and are refused beside them', () => {
  const { options, problems } = check('--step 100:10s --step 0.5:500ms');
  assert.deepEqual(problems, []);
  assert.deepEqual(options.steps, [
    { ratePerSecond: 100, durationSeconds: 10 },
    { ratePerSecond: 0.5, durationSeconds: 0.5 },
  ]);
  assert.deepEqual(check().options.steps, [{}]);
  assert.deepEqual(check('--step 100:10s --rate 100').problems, [
    '--step and --rate cannot be given together: the rate of each step is in --step',
  ]);
  assert.match(check('--step 1e9:10s').problems.join(), /a run holds at most/);
  assert.match(check('--step 10s').problems.join(), /--step must be <rate>:<time>, .*; given: 10s/);
  assert.match(check('--step 5:5').problems.join(), /--step must be a time .*given: 5$/);
  assert.match(
    check('--control --step 5:5s --json -').problems.join(),
    /steps come as commands.*\n?.*--json/,
  );
});
