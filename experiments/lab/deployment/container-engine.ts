/**
 * The container engine: whether one answers, its version, and the removal of everything that a lab started on
 * it.
 */
import { type ContainerRuntimeClient, getContainerRuntimeClient } from 'testcontainers';

/** An engine that answers. */
export type Engine = {
  client: ContainerRuntimeClient;
  /** Version and cgroup version, for reports. */
  fact: string;
  cpus: number;
};

/** All that one deployment starts carries this label, with a value of its own. */
export const deploymentLabel = 'chat-scaling-lab.target';
/** The process id of the lab that started it: once that process is gone, a later lab removes it. */
export const labPidLabel = 'chat-scaling-lab.pid';

/** Finds the engine (DOCKER_HOST, a context, the usual sockets); where none answers, says why. */
export async function findEngine(): Promise<{ found: true; engine: Engine } | { found: false; why: string }> {
  // The clean-up container of testcontainers would be a download and would need the engine's socket. `sweep`
  // removes what a killed lab has left, by its labels.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true';
  try {
    const client = await getContainerRuntimeClient();
    const info = (await client.container.dockerode.info()) as {
      ServerVersion: string;
      CgroupVersion?: string;
      NCPU: number;
    };
    const fact = `engine ${info.ServerVersion}, cgroup v${info.CgroupVersion ?? '1'}`;
    return { found: true, engine: { client, fact, cpus: info.NCPU } };
  } catch (error) {
    return { found: false, why: (error as Error).message };
  }
}

/** Removes the containers (with their volumes) and networks that carry a label. Safe to call twice. */
export async function removeLabelled(engine: Engine, label: string): Promise<void> {
  const { dockerode } = engine.client.container;
  const filters = { label: [label] };
  const containers = await dockerode.listContainers({ all: true, filters });
  await Promise.all(
    containers.map(({ Id }) => dockerode.getContainer(Id).remove({ force: true, v: true }).catch(allowGone)),
  );
  const networks = await dockerode.listNetworks({ filters });
  await Promise.all(networks.map(({ Id }) => dockerode.getNetwork(Id).remove().catch(allowGone)));
}

/** Removes the containers and networks of labs whose process is gone. */
export async function sweep(engine: Engine): Promise<void> {
  const { dockerode } = engine.client.container;
  const filters = { label: [labPidLabel] };
  const containers = await dockerode.listContainers({ all: true, filters });
  const networks = await dockerode.listNetworks({ filters });
  const deployments = [...containers, ...networks]
    .map(({ Labels }) => Labels as Record<string, string>)
    .filter((labels) => !isAlive(Number(labels[labPidLabel])))
    .map((labels) => `${deploymentLabel}=${labels[deploymentLabel]}`);
  for (const label of new Set(deployments)) await removeLabelled(engine, label);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Already removed, or being removed by another lab, is no error. */
function allowGone(error: { statusCode?: number }): void {
  if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
}
