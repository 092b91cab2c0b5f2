/** The manual of the simulator. */
import { limitMetrics } from './result/limits.ts';

/** What the options do together; follows their list in `--help`. */
export const manual = `
A message is due when the schedule says so, whether or not the server has answered (open model).
Delivery latency counts from the due time. Every delivery to every client is audited: lost, duplicated,
reordered, misrouted, corrupted. What is outstanding when the drain ends is lost, and infinitely late in every
percentile (2147483.647 ms in the result file).

The limits decide the exit code: 0 all limits held, 1 a limit broke, 2 bad input, 3 void (the simulator
itself failed) or undetermined (a latency limit broke, but would have held with twice the p99 of the
simulator's own turn taken off), 4 the result could not be written, 130 interrupted. A limit is
<metric><operator><value>, such as p99<250ms, lost=0 or achieved>99/s; metrics:
${limitMetrics.join(' ')}.
Lost, duplicated, reordered, misrouted, corrupted, refused, closed, silent and blocked must be 0 unless a
limit names another bound. The backlog of deliveries must not grow (growth<50ms): growth is how much further
behind the target is in the last third of the measure phase than in the first, in a phase of at least 3 s.

Steps: with --step, the connections stay, and each step has its own warm-up, schedule, audit, limits and
verdict. A drain ends when nothing is outstanding; only the last one takes its full time. The exit code is
that of the worst step.

With --resume, users join with ?after=, come back as our clients do, and the audit goes across reconnects:
each delivery once and in order per person, over the whole step. After a return that was told to have missed
nothing, whatever does not come is lost. After one that was told otherwise, it is "missed": counted apart,
with the people and the gaps. missed and misannounced must be 0 unless a limit names another bound; closed
counts only those who do not come back. caught-up-p99 is the time from leaving until all that was missed has
come. Handshakes of a storm: at most 256 at a time for each worker; the wait for them counts.

With --people, people with accounts write direct messages to each other, at --rate together, or with think
times; whoever is present writes to anybody. Before the run, POST /accounts creates their accounts and each
device logs in once; that takes the server a hash of a password each, and --people-prefix uses them again.
Devices come and go (--present, --visit) and log in with the token of their first login (--login-by). The
audit is of the whole run: what the server has acknowledged (server_ack) comes to every device of its
recipient once, in the order of the mailbox, intact; messages to somebody else count as misrouted. A message
without an answer, or answered "busy", is sent again under its id. At the end of the run everybody comes
back (--collect): then what was acknowledged and has not come is lost, also where a device did not get back
(away). A step before it counts what must be there by then. Delivery latency is that to devices that were
logged in when the message was due. ack is from the due time to server_ack; login from the request to
login_ack; collected from that request to the last message that waited; caughtup the same from the moment in
which the device wanted to come, with every refusal. With --storm, that share of all devices comes at once,
present or not. unknown, unanswered, expired, wentback, untold and failed-logins must be 0 unless a limit
names another bound; full, busy and busy-logins have none. A server limits what one address may do: for a
load test, raise that there (07-mailbox: --registrations-per-address-max, --logins-waiting-max,
--login-failures-per-address-max).

With --baseline, p50, p99, p99.9 and deliveries/s stand beside those of an earlier run of the same load on the
same machine. A latency is worse only beyond --margin and by more than twice the p99 of the simulators' own
turns. One run against one run: repeat what matters, or use experiments, which know the noise of the machine.

Examples:
  npm run loadtest -- --url ws://127.0.0.1:8080/ws --clients 2000 \\
    --rate 500/s --limit 'p99<250ms'
  npm run loadtest -- --clients 1000 --rooms 50 --rate 2000/s \\
    --arrival poisson --seed 7 --json result.json
  npm run loadtest -- --clients 1000 \\
    --step 1000/s:10s --step 2000/s:10s --step 4000/s:10s
  npm run loadtest -- --connect http://127.0.0.1:8080 --clients 5000 \\
    --rooms 500 --think-time 5s..30s --duration 30s --resume \\
    --storm 100% --at 5s --limit 'caught-up-p99<2s'
  npm run loadtest -- --people 1000 --rate 500/s --present 20% \\
    --visit 30s --duration 60s --limit 'p99<250ms' --limit 'caughtup.p99<500ms'
  LOADTEST_CLIENTS=70 LOADTEST_PAYLOAD_SIZE=256B npm run loadtest
`;
