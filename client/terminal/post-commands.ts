/** Commands for posts: what to hear of, what to say, and what to take back. */
import type { Code, Menu, MenuTree, PostContent } from '#protocol';
import {
  type Choice,
  channelChoices,
  channelsUnder,
  channelWords,
  choiceName,
  leafChoices,
} from '../core/menu-choices.ts';
import { newId } from '../core/new-id.ts';
import { refusalWords } from '../core/post-words.ts';
import { isLoggedIn } from './account-commands.ts';
import { noBreak } from './line-format.ts';
import { choiceRows, readChoices } from './menu-choice.ts';
import type { Command, Place } from './place.ts';
import { shownMax } from './post-lines.ts';

/** More choices than these are not listed: a name, or its beginning, is typed. */
const listedMax = 40;

export const postCommands: Readonly<Record<string, Command>> = {
  posts: { usage: '/posts', about: 'the posts that came, and what you are subscribed to', run: posts },
  subscribe: { usage: '/subscribe [menu]', about: 'choose what you want to hear of', run: subscribe },
  unsubscribe: { usage: '/unsubscribe <menu>', about: 'hear no more of a menu', run: unsubscribe },
  post: { usage: '/post [menu]', about: 'publish a post', run: publish },
  delete: { usage: '/delete <menu> <number>', about: 'take a post of yours back', run: remove },
};

function posts(place: Place): void {
  if (!isLoggedIn(place)) return;
  const { subscriptions } = place.person.posts;
  for (const post of place.posts.kept.slice(-shownMax)) place.notice(place.posts.lineOf(post));
  const menus = subscriptions.map(({ menu, channels }) => `${menu} (${channelWords(channels)})`).join(', ');
  place.notice(menus === '' ? 'subscribed to nothing; /subscribe chooses' : `subscribed to ${menus}`);
}

async function subscribe(place: Place, given: string): Promise<void> {
  const menu = await chooseMenu(place, given);
  if (!menu) return;
  const channels: (readonly Code[])[] = [];
  for (const tree of menu.trees) {
    const chosen = await choose(place, channelChoices(tree), tree, `${tree.name}: which ones?`, true);
    if (!chosen) return place.notice('nothing was changed');
    channels.push(chosen);
  }
  const ack = await place.person.posts.subscribe({ menu: menu.name, channels, filters: [] });
  if (ack.result !== 'ok') return place.warning(`not subscribed: ${refusalWords(ack)}`);
  place.notice(`subscribed to ${menu.name}: ${channelWords(channels)}. New posts come by themselves`);
}

async function unsubscribe(place: Place, menu: string): Promise<void> {
  if (!isLoggedIn(place)) return;
  const now = place.person.posts.subscriptions.find((each) => each.menu === menu);
  if (!now) return place.warning(`you are not subscribed to ${menu || 'nothing'}; /posts lists it`);
  const ack = await place.person.posts.subscribe({ menu, channels: now.channels.map(() => []), filters: [] });
  if (ack.result !== 'ok') return place.warning(`still subscribed: ${refusalWords(ack)}`);
  place.notice(`no more posts of ${menu}`);
}

async function publish(place: Place, given: string): Promise<void> {
  const menu = await chooseMenu(place, given);
  const content = menu && (await askContent(place, menu));
  if (!menu || !content) return place.notice('nothing was published');
  const ack = await place.person.posts.publish({ menu: menu.name, id: newId(), items: [content] });
  if (ack.result !== 'ok') return place.warning(`not published: ${refusalWords(ack)}`);
  const id = 'items' in ack ? ack.items?.[0]?.id : undefined;
  place.notice(`published as ${menu.name} ${id}; /delete ${menu.name} ${id} takes it back`);
}

async function askContent(place: Place, menu: Menu): Promise<PostContent | undefined> {
  const to: Code[] = [];
  for (const tree of menu.trees) {
    const chosen = await choose(place, leafChoices(tree), tree, `${tree.name}: which one?`, false);
    if (!chosen) return undefined;
    to.push(chosen[0]!);
  }
  const body = (await place.ask('text of the post (empty: give up): '))?.trim();
  if (!body) return undefined;
  const features = await askFeatures(place, menu);
  const ranges: Record<string, number> = {};
  for (const { name, unit } of menu.quantities) {
    const answer = await place.ask(`${name} in ${unit} (empty: none): `);
    if (answer === undefined) return undefined;
    const value = Number(answer.replace(',', '.'));
    if (answer.trim() !== '' && Number.isFinite(value)) ranges[name] = value;
    else if (answer.trim() !== '') place.warning(`${name} is left out: ${answer} is not a number`);
  }
  const hasRanges = Object.keys(ranges).length > 0;
  return { to, body, ...(features.length > 0 && { features }), ...(hasRanges && { ranges }) };
}

async function askFeatures(place: Place, { features }: Menu): Promise<readonly number[]> {
  if (features.length === 0) return [];
  place.notice(features.map((name, index) => `${index + 1}${noBreak}${name}`).join(' · '));
  const answer = (await place.ask('features, as 1, 3 (empty: none): ')) ?? '';
  const read = readChoices(answer, features);
  if ('chosen' in read) return read.chosen;
  place.warning(`the features are left out: ${read.unclear} is none of them, or several`);
  return [];
}

async function remove(place: Place, argument: string): Promise<void> {
  if (!isLoggedIn(place)) return;
  const [, menu, id] = /^(\S+)\s+(\d{1,15})$/.exec(argument) ?? [];
  if (menu === undefined) return place.warning('write /delete <menu> <number>, as /delete cars 17');
  const ack = await place.person.posts.delete({ menu, id: Number(id) });
  if (ack.result === 'ok') return place.notice(`${menu} ${id} is deleted`);
  place.warning(`${menu} ${id} is not deleted: ${refusalWords(ack)}`);
}

async function chooseMenu(place: Place, given: string): Promise<Menu | undefined> {
  if (!isLoggedIn(place)) return undefined;
  if (given !== '') return place.posts.menu(given);
  const titles = await place.posts.titles();
  for (const [index, { name, title }] of titles.entries()) place.notice(`${index + 1} ${name} – ${title}`);
  const answer = await place.ask('which menu? (a number or a name; empty: give up) ');
  const read = readChoices(
    answer ?? '',
    titles.map(({ name }) => name),
  );
  if (!('chosen' in read)) throw new Error(`there is no menu ${read.unclear}`);
  return read.chosen.length === 0 ? undefined : place.posts.menu(titles[read.chosen[0]!]!.name);
}

/** Asks until the answer is clear; undefined if the person gives up. */
async function choose(
  place: Place,
  choices: readonly Choice[],
  tree: MenuTree,
  question: string,
  several: boolean,
): Promise<readonly Code[] | undefined> {
  const labels = choices.map((choice) => choiceName(choice, tree));
  if (labels.length <= listedMax) choiceRows(choices, tree).forEach(place.notice);
  else place.notice(`${labels.length} to choose from, as ${labels.slice(0, 3).join(', ')}, …: type a name`);
  for (;;) {
    const example = several ? 'as 1, 4 or a name; all' : 'a number or a name';
    const answer = (await place.ask(`${question} (${example}; empty: give up) `))?.trim();
    if (!answer) return undefined;
    if (several && answer.toLowerCase() === 'all') return channelsUnder(tree, []);
    const read = readChoices(answer, labels);
    if ('chosen' in read) {
      if (several || read.chosen.length === 1) return read.chosen.map((index) => choices[index]!.code);
      place.warning('choose one');
    } else if (read.fitting.length === 0) place.warning(`${read.unclear} is none of them`);
    else {
      place.warning(`${read.unclear} may be several of them:`);
      place.notice(read.fitting.map((index) => `${index + 1}${noBreak}${labels[index]}`).join(' · '));
    }
  }
}
