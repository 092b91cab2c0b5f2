/**
 * A rolling restart into another build, under people who talk. A build whose batches the others can read
 * takes over node by node; one whose batches they cannot read does not come into service beside them.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../../../loadtest/model/schedule.ts';
import { Person } from '../../../../testing/person.ts';
import { findRedis, noRedis } from '../../../../testing/redis.ts';
import { ServerProcess } from '../../../../testing/server.ts';
import { until } from '../../../../testing/until.ts';
import { checkOut } from '../../commands/checkout.ts';
import { canResume, isScalable, listStages } from '../../deployment/list-stages.ts';
import { auditDeliveries } from './delivery-audit.ts';
import { Participant } from './participant.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const git = (...args: string[]) =>
  execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: 'pipe' }).trim();

/** The build before the last change of the backplane; null where there is no history to take it from. */
function olderBuild(): string | null {
  try {
    const changed = git('log', '-1', '--format=%H', '--', 'server/backplane', ':!*.test.ts');
    return git('rev-parse', '--verify', `${changed}^`);
  } catch {
    return null;
  }
}

/** Why a stage cannot be restarted from the older build. */
function cannotRoll(stage: string): string | false {
  if (older === null) return 'there is no git history with another build';
  const found = git('ls-tree', '--name-only', older, `server/stages/${stage}.ts`);
  return found === '' && `the older build has no ${stage}`;
}

/** Makes a node of a build whose batches have the next version: its layout is the same, nobody reads it. */
const nextVersion = `
  import { registerHooks } from 'node:module';
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.endsWith('/server/backplane/batch.ts')) return loaded;
      const source = String(loaded.source).replace('batchVersion = 1', 'batchVersion = 2');
      return { ...loaded, source };
    },
  });`;
const asNextVersion = ['--import', `data:text/javascript,${encodeURIComponent(nextVersion)}`];

const startRedis = await findRedis();
const redis = startRedis && (await startRedis());
after(() => redis?.[Symbol.asyncDispose]());
const stages = (await listStages()).filter(isScalable);
const older = olderBuild();
const argsOf = (namespace: string) => [
  '--redis-url',
  redis!.url,
  '--redis-namespace',
  namespace,
  '--reconnect-wait-ms-max', // As both builds read it.
  '300',
];

describe('a rolling restart', { concurrency: true, skip: redis === null && noRedis }, () => {
  for (const stage of stages) {
    const skip = cannotRoll(stage.name);
    test(`${stage.name}: from an older build, node by node: nobody misses anything without being told`, {
      skip,
    }, async ({ signal }) => {
      using checkout = await checkOut(older!, signal, () => {});
      await using nodes = new AsyncDisposableStack();
      const open: ServerProcess[] = [];
      const start = async (root?: string) => {
        const options = root === undefined ? {} : { root };
        const node = await ServerProcess.start(stage.name, argsOf(`roll-${stage.name}`), [], options);
        open.push(nodes.use(node));
      };
      const stopFirst = () => open.shift()!.stop();
      await start(checkout.root);
      await start(checkout.root);
      let turn = 0;
      const choose = () => {
        const node = open[turn++ % open.length]!;
        return { node: node.origin, chatUrl: node.url() };
      };
      const people = Array.from(
        { length: 20 },
        (_, at) => new Participant(`p${at}`, choose, seededRandom(at), canResume(stage)),
      );
      let said = 0;
      const traffic = setInterval(() => people[said++ % people.length]!.publish(), 20);
      try {
        for (const person of people) person.join();
        await sleep(500);
        const beganAtMs = performance.now();
        // Beside an old node, and then beside a new one, each new node serves people for a while.
        for (let node = 0; node < 2; node++) {
          await start();
          await stopFirst();
          await sleep(1000);
        }
        clearInterval(traffic);
        await sleep(500);
        const audit = auditDeliveries(people, beganAtMs, () => true);
        const { lostSilently, duplicated, reordered, disordered = 0, recoveredAfterMs, closes } = audit;
        const shown = JSON.stringify(audit);
        assert.deepEqual([lostSilently, duplicated, reordered, disordered], [0, 0, 0, 0], shown);
        assert.ok(recoveredAfterMs !== null && audit.published > 100, shown);
        if (canResume(stage)) assert.equal(audit.lostAndTold + audit.unrecovered!, 0, shown);
        const told = new Set(Object.keys(closes));
        assert.ok(told.isSubsetOf(new Set(['1012', '4012'])) && told.size > 0, shown);
        const homes = new Set(people.flatMap(({ connections }) => connections.map(({ node }) => node)));
        assert.equal(homes.size, 4, 'people sat on all four nodes');
      } finally {
        clearInterval(traffic);
        for (const person of people) person.leave();
      }
    });

    test(`${stage.name}: a node with batches of another version waits until the others have ended`, async () => {
      const args = argsOf(`versions-${stage.name}`);
      await using first = await ServerProcess.start(stage.name, args);
      const people = await Person.joinAll(first.url(), ['alice', 'bob']);
      const waiting = { until: 'waiting' };
      await using stranger = await ServerProcess.start(stage.name, args, asNextVersion, waiting);
      assert.match(String(stranger.log.at(-1)!.for), /batches of version 1 .* this version, 2, .* stop them/);
      for (let said = 1; said <= 50; said++) {
        people[0]!.say(`${said}`);
        for (const person of people) await person.hears(said);
      }
      await using second = await ServerProcess.start(stage.name, args);
      people.push(await Person.join(second.url(), 'carol'));
      people[2]!.say('from another node');
      for (const person of people.slice(0, 2)) await person.hears(51);
      for (const person of people) assert.equal(person.ws.readyState, 1);
      assert.equal((await first.metrics())('chat_backplane_suspected_losses_total'), 0);
      assert.equal(
        stranger.log.some(({ event }) => event === 'listening'),
        false,
      );
      await Promise.all([first.stop(), second.stop()]);
      const listening = () => stranger.log.find(({ event }) => event === 'listening');
      await until(() => listening() !== undefined || stranger.ended, 'an end to its wait', 20_000);
      // A start that waits for too long ends; whoever runs the node starts it again.
      await using again = listening() ? null : await ServerProcess.start(stage.name, args, asNextVersion);
      const newcomer = await Person.join(again?.url() ?? String(listening()!.chat), 'dave');
      newcomer.say('hello');
      await newcomer.hears(1);
    });
  }
});
