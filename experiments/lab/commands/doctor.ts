/** `doctor`: what this machine can and cannot run, and why. */
import type { Command } from 'commander';
import { freePorts } from '#host/free-ports.ts';
import { paintFor } from '#host/paint.ts';
import { besideName, columnsOf } from '#host/wrapped.ts';
import { readEnvironment, readEphemeralPorts, readFilesMax } from '../../../loadtest/result/environment.ts';
import { listStages } from '../deployment/list-stages.ts';
import { findServices } from '../deployment/services/services.ts';
import { engineFault } from '../deployment/start.ts';
import { formatCount, formatGibibytes } from '../report/format.ts';

/** `limits`: it runs, with a restriction. `missing`: something cannot run. The text explains it. */
type Diagnosis = readonly [subject: string, state: 'ok' | 'limits' | 'missing', text: string];

const stateWidth = 9;
/** `06-partitioned`, and a blank. */
const subjectWidth = 16;

const nodeMajor = 24;
/** One core each for server, simulator and lab, so that they do not disturb one another. */
const coresWanted = 3;
/** Files that a process opens in addition to its sockets. Chosen, not measured. */
const otherFiles = 100;

/** Exit code 0 when experiments can run here, even if some are skipped; 1 when none can. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what this machine can and cannot run, and why')
    .action(async () => {
      const diagnoses = await diagnose();
      const paint = paintFor(process.stdout);
      const columns = columnsOf(process.stdout) - stateWidth;
      for (const [subject, state, text] of diagnoses) {
        const lines = besideName(subject.padEnd(subjectWidth), text, columns);
        const indented = lines.replaceAll('\n', `\n${' '.repeat(stateWidth)}`);
        console.log(paint(state, state.padEnd(stateWidth)) + indented);
      }
      const vital = ['node', 'ports'];
      const isUnable = diagnoses.some(([subject, state]) => state === 'missing' && vital.includes(subject));
      process.exitCode = isUnable ? 1 : 0;
    });
}

/** Takes a few seconds. It starts nothing except the server's list of its stages. */
async function diagnose(): Promise<Diagnosis[]> {
  const { node, cpus, cgroupCpuCores, memoryBytes, cgroupMemoryBytes, ...git } = readEnvironment();
  const cgroupMemory =
    cgroupMemoryBytes === null ? 'no cgroup limit' : `cgroup limit ${formatGibibytes(cgroupMemoryBytes)}`;
  const services = await findServices();
  return [
    diagnoseNode(node),
    diagnoseCores(cpus, cgroupCpuCores),
    diagnoseFiles(readFilesMax()),
    await diagnosePorts(readEphemeralPorts()),
    ['memory', 'ok', `${formatGibibytes(memoryBytes)}, ${cgroupMemory}`],
    diagnoseEngine(await engineFault()),
    ...[...services].map(
      ([name, found]): Diagnosis =>
        found.found ? [name, 'ok', found.source] : [name, 'missing', found.ways.join(' ')],
    ),
    diagnoseGit(git.gitCommit, git.gitDirty),
    ...(await listStages()).map(({ name, services: needs, summary }): Diagnosis => {
      const missing = needs.filter((need) => services.get(need)?.found !== true);
      if (missing.length === 0) return [name, 'ok', summary];
      return [name, 'missing', `is skipped: it needs ${missing.join(' and ')}`];
    }),
  ];
}

function diagnoseNode(version: string): Diagnosis {
  if (Number(/^v(\d+)/.exec(version)?.[1]) >= nodeMajor) return ['node', 'ok', version];
  const way = `start with npm run experiment, which uses Node ${nodeMajor} of node_modules`;
  return ['node', 'missing', `${version} does not run TypeScript directly: ${way}`];
}

function diagnoseCores(cpus: number, quota: number | null): Diagnosis {
  const throttled = `${cpus}, with a quota of ${quota} for the lab and its children: it throttles them`;
  if (quota !== null) return ['cores', 'limits', throttled];
  if (cpus >= coresWanted) return ['cores', 'ok', `${cpus}`];
  const effect = 'the machine bounds the capacity of stages that use more than one core';
  return ['cores', 'limits', `${cpus}: server and simulator share them, so that ${effect}`];
}

function diagnoseFiles(filesMax: number | null): Diagnosis {
  if (filesMax === null) return ['files', 'limits', 'the limit on open files cannot be read here'];
  const sessions = `up to ${formatCount(filesMax - otherFiles)} sessions in one server process`;
  return ['files', 'limits', `${formatCount(filesMax)} per process: ${sessions}; raise it with ulimit -n`];
}

async function diagnosePorts(ephemeral: number | null): Promise<Diagnosis> {
  try {
    await freePorts(1);
  } catch (error) {
    return ['ports', 'missing', `no port on 127.0.0.1 can be opened: ${(error as Error).message}`];
  }
  const count = ephemeral === null ? 'an unknown number of' : formatCount(ephemeral);
  return ['ports', 'ok', `${count} local ports for each source address and destination`];
}

function diagnoseEngine(fault: string | null): Diagnosis {
  if (fault === null) return ['containers', 'ok', 'a container engine answers: --target container works'];
  const need = '--target container and CPU or memory limits need a container engine';
  return ['containers', 'missing', `${need}: ${fault}`];
}

function diagnoseGit(commit: string | null, dirty: boolean | null): Diagnosis {
  const short = commit?.slice(0, 12);
  if (!short) return ['git', 'limits', 'no commit can be read: results cannot name the measured code'];
  return dirty
    ? ['git', 'limits', `${short} with uncommitted changes: results will note it`]
    : ['git', 'ok', short];
}
