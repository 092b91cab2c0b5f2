/**
 * A small process beside this one that kills the process groups which this one leaves behind. A process that
 * is killed by SIGKILL, or by a full memory, cannot do that itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** Reads which groups begin and end; the end of its input is the end of the process that it watches. */
const script = `
trap '' INT TERM HUP
groups=' '
while read -r change group; do
  case $change in
    begin) groups="$groups$group " ;;
    end) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done`;

let watch: ChildProcess | undefined;

/** From now on, the group is killed when this process has gone. Does nothing where there is no shell. */
export function watchGroup(group: number): void {
  if (watch === undefined) {
    // Detached: a signal to the group of this process does not reach it.
    watch = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    watch.on('error', () => {});
    watch.stdin!.on('error', () => {});
    watch.unref();
    (watch.stdin as unknown as { unref(): void }).unref();
  }
  watch.stdin!.write(`begin ${group}\n`);
}

/** The group has ended: its number may be given to another one. */
export function unwatchGroup(group: number): void {
  watch?.stdin?.write(`end ${group}\n`);
}
