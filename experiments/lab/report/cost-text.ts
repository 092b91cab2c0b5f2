/** What a goal costs on each stage, as text for the terminal: a table, then the formula of each stage. */
import { hoursPerMonth, type Prices, type StageCost, secondsPerMonth } from '../analysis/cost.ts';
import { costNotes, isLowerBound, unmetText } from './cost-notes.ts';
import { formatBytes, formatGibibytes, formatNumber, formatShare } from './format.ts';
import { left, right, type Table, tableOf, terminalTable } from './table.ts';

/** The stages with a cost, and a sentence for each of the others. */
export function costReport(
  goal: string,
  costs: readonly StageCost[],
  others: readonly string[],
  prices: Prices,
): string {
  const blocks = [
    [`goal: ${goal}`],
    ...(costs.length === 0 ? [] : [[terminalTable(costTable(costs, prices))]]),
    ...costs.map((cost) => stageLines(cost, prices)),
    ...(others.length === 0 ? [] : [others]),
    [
      `Prices (experiments/lab/prices.json, ${prices.asOf}): ${prices.note}`,
      'Cores are those of the machine that was measured. Not contained: a load balancer, TLS, TCP and IP headers, heartbeats and reconnects of idle sessions, spare nodes.',
    ],
  ];
  return blocks.map((lines) => lines.join('\n')).join('\n\n');
}

function costTable(costs: readonly StageCost[], { currency }: Prices): Table {
  const bound = (cost: StageCost) => (isLowerBound(cost) ? '≥ ' : '');
  return tableOf(costs, [
    left('stage', ({ stage }) => stage),
    right('processes', (cost) => (cost.unmet ? 'cannot be met' : bound(cost) + formatNumber(cost.processes))),
    right('cores', (cost) => bound(cost) + formatNumber(cost.cores)),
    right('of services', ({ serviceCores }) => formatNumber(serviceCores)),
    right('memory', ({ memoryBytes }) => formatGibibytes(memoryBytes)),
    right('egress', ({ egressBytesPerSecond }) => `${formatBytes(egressBytesPerSecond)}/s`),
    right('TB/month', (cost) => formatNumber(terabytesPerMonth(cost))),
    right(`${currency}/month`, (cost) => cost.money && bound(cost) + formatNumber(cost.money.total)),
  ]);
}

function stageLines(cost: StageCost, prices: Prices): string[] {
  const { stage, unmet } = cost;
  return [
    unmet === null ? stage : `${stage}: ${unmetText(unmet)}`,
    ...basisLines(cost),
    ...demandLines(cost),
    ...coreLines(cost),
    ...memoryLines(cost),
    ...(cost.money === null ? [] : moneyLines(cost, prices)),
    ...costNotes(cost).map((note) => `  · ${note}`),
  ];
}

function basisLines({ model: { safeLoad, samples, safeShare } }: StageCost): string[] {
  const sizes = [...new Set(samples.map(({ roomSize }) => roomSize))].toSorted((a, b) => a - b);
  const runs = [...new Set(samples.map(({ run }) => run))].join(', ');
  const trials = samples.length === 1 ? '1 trial' : `${samples.length} trials`;
  const load = `${formatNumber(safeLoad.load)} ${safeLoad.unit} (${safeLoad.variant})`;
  const at = safeLoad.isBound ? 'the load that it holds at the least' : 'its safe load';
  return [
    `  from ${trials} in rooms of ${sizes.map(formatNumber).join(', ')} clients (${runs})`,
    `  at ${at}, ${load}, it uses ${formatShare(safeShare)} of its cores`,
  ];
}

function demandLines({ demand, model }: StageCost): string[] {
  const { sessions, roomSize, rooms, messagesPerRoom, messages, deliveries, writes } = demand;
  const frames = model.writesKnown ? formatNumber(demand.framesPerWrite) : 'at least 1';
  return [
    `  messages/s = sessions ÷ room size × messages/s in each room = ${formatNumber(sessions)} ÷ ${formatNumber(roomSize)} × ${formatNumber(messagesPerRoom)} = ${formatNumber(messages)}, in ${formatNumber(rooms)} rooms`,
    `  writes/s = messages/s × room size ÷ frames in a write = ${formatNumber(deliveries)} deliveries/s ÷ ${frames} = ${formatNumber(writes)}`,
  ];
}

function coreLines({ model, demand, processes, cores, serviceCores }: StageCost): string[] {
  const { upCores, entrySeconds, writeSeconds, byteSeconds, safeShare, serviceSeconds } = model;
  const messages = `${formatNumber(processes)} × ${formatNumber(demand.messages)}`;
  const bytes = formatBytes(demand.deliveries * demand.frameBytes);
  const terms = [
    [upCores, `${formatNumber(processes)} × ${formatNumber(upCores)}`],
    [entrySeconds, `${messages} × ${micros(entrySeconds)}`],
    [writeSeconds, `${formatNumber(demand.writes)} × ${micros(writeSeconds)}`],
    [byteSeconds, `${bytes} × ${formatNumber(byteSeconds * 1e9)} ns`],
  ] as const;
  const put = terms.flatMap(([seconds, text]) => (seconds === 0 ? [] : text)).join(' + ');
  const services = `  cores of services = processes × messages/s × cost = ${messages} × ${micros(serviceSeconds)} = ${formatNumber(serviceCores)}`;
  return [
    '  cores = (processes × up + processes × messages/s × entry + writes/s × write + bytes/s × byte) ÷ share of a core at the safe load',
    `        = (${put}) ÷ ${formatNumber(safeShare)} = ${formatNumber(cores)}`,
    ...(serviceSeconds === 0 ? [] : [services]),
  ];
}

function memoryLines(cost: StageCost): string[] {
  const { model, demand, processes, memoryBytes, egressBytesPerSecond, sessionsMax } = cost;
  const full = `${formatNumber(demand.sessions)} ÷ ${formatNumber(sessionsMax)} (--sessions-max)`;
  return [
    ...(processes > 1 && Number.isFinite(sessionsMax)
      ? [
          `  processes = the more of ${full}, and of what the cores take at the safe load = ${formatNumber(processes)}`,
        ]
      : []),
    `  memory = processes × idle + sessions × session = ${formatNumber(processes)} × ${formatBytes(model.idleBytes)} + ${formatNumber(demand.sessions)} × ${formatBytes(model.sessionBytes)} = ${formatGibibytes(memoryBytes)}`,
    `  egress = deliveries/s × frame = ${formatNumber(demand.deliveries)} × ${formatNumber(demand.frameBytes)} B = ${formatBytes(egressBytesPerSecond)}/s = ${formatNumber(terabytesPerMonth(cost))} TB a month`,
  ];
}

function moneyLines(cost: StageCost, { coreHour, gibibyteHour, egressGigabyte, currency }: Prices): string[] {
  const { cores, memory, egress, total } = cost.money!;
  const counts = [
    formatNumber(cost.cores + cost.serviceCores),
    formatNumber(cost.memoryBytes / 2 ** 30),
    formatNumber(terabytesPerMonth(cost) * 1000),
  ];
  return [
    '  money = cores × hours × price + GiB × hours × price + GB × price',
    `        = ${counts[0]} × ${hoursPerMonth} × ${coreHour} + ${counts[1]} × ${hoursPerMonth} × ${gibibyteHour} + ${counts[2]} × ${egressGigabyte}`,
    `        = ${[cores, memory, egress].map(formatNumber).join(' + ')} = ${formatNumber(total)} ${currency} a month`,
  ];
}

function terabytesPerMonth({ egressBytesPerSecond }: StageCost): number {
  return (egressBytesPerSecond * secondsPerMonth) / 1e12;
}

function micros(seconds: number): string {
  return `${formatNumber(seconds * 1e6)} µs`;
}
