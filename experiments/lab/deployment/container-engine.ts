/** The container engine: whether one answers, and the removal of everything that a lab started on it. */
import { type ContainerRuntimeClient, getContainerRuntimeClient } from 'testcontainers';

/** An engine that answers; `fact` has its version and that of its cgroups, for reports. */
export type Engine = { client: ContainerRuntimeClient; fact: string; cpus: number };

const deploymentLabel = 'chat-scaling-lab.target';
/** The process id of the lab that started it: once that process is gone, a later lab removes it. */
export const labPidLabel = 'chat-scaling-lab.pid';

/** Carried by all that one deployment starts. */
export function labelsOf(deploymentId: string): Record<string, string> {
  return { [deploymentLabel]: deploymentId, [labPidLabel]: String(process.pid) };
}

/** Finds the engine (DOCKER_HOST, a context, the usual sockets); where none answers, says why. */
export async function findEngine(): Promise<{ found: true; engine: Engine } | { found: false; why: string }> {
  // The clean-up container of testcontainers would be a download and would need the engine's socket. `sweep`
  // removes the containers and networks of a killed lab, by their labels.
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

/** The containers and networks that carry a label, with any value or as `label=value`. */
export async function listLabelled({ client }: Engine, label: string) {
  const { dockerode } = client.container;
  const filters = { label: [label] };
  const containers = await dockerode.listContainers({ all: true, filters });
  return { containers, networks: await dockerode.listNetworks({ filters }) };
}

/** The address of a container in a network of the engine; empty where it has none. */
export async function addressOf({ client }: Engine, container: string, network: string): Promise<string> {
  const { NetworkSettings } = await client.container.dockerode.getContainer(container).inspect();
  return NetworkSettings.Networks[network]?.IPAddress ?? '';
}

/** Removes the containers (with their volumes) and networks of a deployment. Safe to call twice. */
export async function removeDeployment(engine: Engine, deploymentId: string): Promise<void> {
  const { dockerode } = engine.client.container;
  const { containers, networks } = await listLabelled(engine, `${deploymentLabel}=${deploymentId}`);
  await Promise.all(
    containers.map(({ Id }) => dockerode.getContainer(Id).remove({ force: true, v: true }).catch(allowGone)),
  );
  await Promise.all(networks.map(({ Id }) => dockerode.getNetwork(Id).remove().catch(allowGone)));
}

/** Removes the containers and networks of labs whose process is gone. */
export async function sweep(engine: Engine): Promise<void> {
  const { containers, networks } = await listLabelled(engine, labPidLabel);
  const deployments = [...containers, ...networks]
    .map(({ Labels }) => Labels as Record<string, string>)
    .filter((labels) => !isAlive(Number(labels[labPidLabel])))
    .map((labels) => labels[deploymentLabel]!);
  for (const id of new Set(deployments)) await removeDeployment(engine, id);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A container that has ended, was removed, or is being removed elsewhere is no error. */
export function allowGone(error: { statusCode?: number }): void {
  if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
}
