import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageDocument } from './document.ts';
import { limitMsOf, newState } from './result-page.ts';

test('the limit of the p99 is found among the limits, in milliseconds', () => {
  const cases: [string[], number | null][] = [
    [['lost=0', 'p99<250ms'], 250],
    [['p99<=1.5s'], 1500],
    [['p99 < 500us'], 0.5],
    [['p999<250ms', 'stayed-p99<1s'], null],
  ];
  for (const [limits, expected] of cases) assert.equal(limitMsOf(limits), expected, `${limits}`);
});

test('the document holds a text of a result as text, wherever it stands', () => {
  const hostile = '</script><script>alert(1)</script><!--"onload="';
  const state = newState([hostile], []);
  const html = pageDocument({ title: state.title, state, before: '', after: '', style: '' });
  assert.equal(html.split('<script').length, 3, 'the state and the script');
  assert.ok(!html.includes('<!--"'));
  const json = /id="state">(.*)<\/script>\n/.exec(html)![1]!;
  assert.deepEqual(JSON.parse(json), state);
});

test('the policy of a report allows no connection, and no script and style but its own', () => {
  const state = newState(['ws://x'], []);
  const policy = (eventsUrl?: string) => {
    const around = { title: '', state, before: '', after: '', style: '' };
    const html = pageDocument(eventsUrl === undefined ? around : { ...around, eventsUrl });
    return /Content-Security-Policy" content="([^"]+)"/.exec(html)![1]!;
  };
  assert.match(
    policy(),
    /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; base-uri/,
  );
  assert.match(policy('/events'), /; connect-src 'self'; /);
  assert.doesNotMatch(policy('/events'), /unsafe|\*|http/);
});
