import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingOfNow, translateOldNames } from './old-names.ts';

const known = (name: string) => ['payload-size', 'duration', 'echo-wait', 'trials'].includes(name);

test('old names and their bare values become those of now, in one line', () => {
  const environment = { X_MEASURE_SECONDS: '3', X_ECHO_WAIT_MS: '50', X_OTHER: '1' };
  const given = ['run', '--payload-bytes', '128', '--repeat=2', '--other', '5'];
  const { argv, warning } = translateOldNames('X_', given, environment, known);
  assert.deepEqual(argv, ['run', '--payload-size', '128B', '--trials', '2', '--other', '5']);
  assert.deepEqual(environment, { X_DURATION: '3s', X_ECHO_WAIT: '50ms', X_OTHER: '1' });
  const told = [
    '--payload-bytes (now --payload-size 128B)',
    '--repeat (now --trials 2)',
    'X_ECHO_WAIT_MS (now X_ECHO_WAIT=50ms)',
    'X_MEASURE_SECONDS (now X_DURATION=3s)',
  ];
  assert.equal(warning, `Old names, still read: ${told.join(', ')}.`);
});

test('names of now, and names of other commands, are left alone without a word', () => {
  const given = ['--payload-size', '128B', '--log-age-ms', '5', '--payload-bytes'];
  assert.deepEqual(translateOldNames('X_', given, {}, known), { argv: given, warning: undefined });
});

test('a variable of the new name outranks one of the old', () => {
  const environment = { X_DURATION: '9s', X_MEASURE_SECONDS: '3' };
  translateOldNames('X_', [], environment, known);
  assert.deepEqual(environment, { X_DURATION: '9s' });
});

test('a setting for a server is written as now', () => {
  assert.deepEqual(settingOfNow('segment-bytes', '65536'), ['segment-size', '65536B']);
  assert.deepEqual(settingOfNow('segment-size', '64KiB'), ['segment-size', '64KiB']);
});
