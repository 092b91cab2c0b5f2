/** `doctor`: what this machine can and cannot run, and why. */
import { createServer } from 'node:net';
import type { Command } from 'commander';
import { readEnvironment, readEphemeralPorts, readFilesMax } from '../../../loadtest/result/environment.ts';
import { serviceProviders } from '../deployment/services/services.ts';
import { listStages } from '../deployment/stage-table.ts';
import { engineFault } from '../deployment/start.ts';
import { formatNumber } from '../report/format.ts';

/**
 * `ok`: no restriction. `limits`: it runs, with a restriction. `missing`: something cannot run. The text
 * explains it.
 */
export type Diagnosis = { subject: string; state: 'ok' | 'limits' | 'missing'; text: string };

const nodeMajor = 24;
/** One core each for server, simulator and lab, so that they do not disturb one another. */
const coresWanted = 3;
/** Files that a process opens beside its sockets. Chosen, not measured. */
const filesBeside = 100;

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what this machine can and cannot run, and why')
    .action(async () => {
      const diagnoses = await diagnose();
      for (const { subject, state, text } of diagnoses)
        console.log(`${state.padEnd(8)}${subject.padEnd(14)}${text}`);
      process.exitCode = exitCodeOf(diagnoses);
    });
}

/**
 * Everything that can be found out in a few seconds. It starts nothing except the server's list of its
 * stages.
 */
async function diagnose(): Promise<Diagnosis[]> {
  const environment = readEnvironment();
  return [
    nodeDiagnosis(environment.node),
    coresDiagnosis(environment.cpus, environment.cgroupCpuCores),
    filesDiagnosis(readFilesMax()),
    await portsDiagnosis(readEphemeralPorts()),
    {
      subject: 'memory',
      state: 'ok',
      text: `${formatNumber(environment.memoryBytes / 2 ** 30)} GiB, ${environment.cgroupMemoryBytes === null ? 'no cgroup limit' : `of which this cgroup may use ${formatNumber(environment.cgroupMemoryBytes / 2 ** 30)} GiB`}`,
    },
    await engineDiagnosis(),
    ...(await serviceDiagnoses()),
    gitDiagnosis(environment.gitCommit, environment.gitDirty),
    ...(await stageDiagnoses()),
  ];
}

/** 0 when experiments can run here, even if some are skipped; 1 when none can. */
function exitCodeOf(diagnoses: readonly Diagnosis[]): 0 | 1 {
  const vital = ['node', 'ports'];
  return diagnoses.some(({ subject, state }) => state === 'missing' && vital.includes(subject)) ? 1 : 0;
}

function nodeDiagnosis(version: string): Diagnosis {
  const major = Number(/^v(\d+)/.exec(version)?.[1]);
  if (major >= nodeMajor) return { subject: 'node', state: 'ok', text: version };
  return {
    subject: 'node',
    state: 'missing',
    text: `${version} does not run TypeScript directly: start with npm run experiment, which uses Node ${nodeMajor} of node_modules`,
  };
}

function coresDiagnosis(cpus: number, quota: number | null): Diagnosis {
  if (quota !== null)
    return {
      subject: 'cores',
      state: 'limits',
      text: `${cpus}, under a quota of ${quota} for the lab and its children: throttling will raise latencies`,
    };
  if (cpus >= coresWanted) return { subject: 'cores', state: 'ok', text: `${cpus}` };
  return {
    subject: 'cores',
    state: 'limits',
    text: `${cpus}: server and simulator share them, so that the machine bounds the capacity of stages that use more than one core`,
  };
}

function filesDiagnosis(filesMax: number | null): Diagnosis {
  if (filesMax === null)
    return { subject: 'files', state: 'limits', text: 'the limit on open files cannot be read here' };
  return {
    subject: 'files',
    state: 'limits',
    text: `${formatNumber(filesMax)} per process: up to ${formatNumber(filesMax - filesBeside)} sessions in one server process; raise it with ulimit -n`,
  };
}

async function portsDiagnosis(ephemeral: number | null): Promise<Diagnosis> {
  try {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    server.close();
  } catch (error) {
    return {
      subject: 'ports',
      state: 'missing',
      text: `no port on 127.0.0.1 can be opened: ${(error as Error).message}`,
    };
  }
  const range = ephemeral === null ? 'of unknown number' : `${formatNumber(ephemeral)}`;
  return {
    subject: 'ports',
    state: 'ok',
    text: `${range} local ports for each source address and destination`,
  };
}

async function engineDiagnosis(): Promise<Diagnosis> {
  const fault = await engineFault();
  if (fault === null)
    return {
      subject: 'containers',
      state: 'ok',
      text: 'a container engine answers: --target container works',
    };
  return {
    subject: 'containers',
    state: 'missing',
    text: `--target container and CPU or memory limits need a container engine: ${fault}`,
  };
}

async function serviceDiagnoses(): Promise<Diagnosis[]> {
  return Promise.all(
    serviceProviders.map(async ({ name, find }): Promise<Diagnosis> => {
      const service = await find();
      if (service.found) return { subject: name, state: 'ok', text: service.source };
      return { subject: name, state: 'missing', text: service.ways.join(' ') };
    }),
  );
}

function gitDiagnosis(commit: string | null, dirty: boolean | null): Diagnosis {
  if (commit === null)
    return {
      subject: 'git',
      state: 'limits',
      text: 'no commit can be read: results cannot name the measured code',
    };
  if (dirty)
    return {
      subject: 'git',
      state: 'limits',
      text: `${commit.slice(0, 12)} with uncommitted changes: results will note it`,
    };
  return { subject: 'git', state: 'ok', text: commit.slice(0, 12) };
}

async function stageDiagnoses(): Promise<Diagnosis[]> {
  const stages = await listStages();
  return Promise.all(
    stages.map(async ({ name, services, summary }): Promise<Diagnosis> => {
      const lacking: string[] = [];
      for (const need of services) {
        const provider = serviceProviders.find((candidate) => candidate.name === need);
        if (provider === undefined || !(await provider.find()).found) lacking.push(need);
      }
      if (lacking.length === 0) return { subject: name, state: 'ok', text: summary };
      return { subject: name, state: 'missing', text: `is skipped: it needs ${lacking.join(' and ')}` };
    }),
  );
}
