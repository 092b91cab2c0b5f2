/** Every experiment, in order, and every shape of experiment. A new one of either is one line here. */
import { ladder } from './001-ladder/experiment.ts';
import { slowReader } from './002-slow-reader/experiment.ts';
import { crowd } from './003-crowd/experiment.ts';
import { smallBox } from './004-small-box/experiment.ts';
import { messageSize } from './005-message-size/experiment.ts';
import { cores } from './006-cores/experiment.ts';
import { nodes } from './007-nodes/experiment.ts';
import { kill } from './008-kill/experiment.ts';
import { partitions } from './009-partitions/experiment.ts';
import { failover } from './010-failover/experiment.ts';
import { resize } from './011-resize/experiment.ts';
import { storm } from './012-storm/experiment.ts';
import { hostile } from './013-hostile/experiment.ts';
import { peers } from './014-peers/experiment.ts';
import { mailbox } from './015-mailbox/experiment.ts';
import { posts } from './016-posts/experiment.ts';
import { scaleChatRoom } from './017-scale-chat-room/experiment.ts';
import { scaleChatRooms } from './018-scale-chat-rooms/experiment.ts';
import { scaleChatNodes } from './019-scale-chat-nodes/experiment.ts';
import { soakTest } from './020-soak/experiment.ts';
import { mailboxKill } from './021-mailbox-kill/experiment.ts';
import { mailboxReturn } from './022-mailbox-return/experiment.ts';
import { loginFlood } from './023-login-flood/experiment.ts';

import { capacity } from './lab/shapes/capacity/capacity.ts';
import { faults } from './lab/shapes/faults/faults.ts';
import { figures } from './lab/shapes/figures/figures.ts';
import { fixedLoad } from './lab/shapes/fixed-load/fixed-load.ts';
import { scenarios } from './lab/shapes/scenarios/scenarios.ts';
import type { Registry } from './lab/shapes/shape.ts';
import { soak } from './lab/shapes/soak/soak.ts';

export const registry: Registry = {
  experiments: [
    ...[ladder, slowReader, crowd, smallBox, messageSize, cores, nodes, kill],
    ...[partitions, failover, resize, storm, hostile, peers, mailbox, posts],
    ...[scaleChatRoom, scaleChatRooms, scaleChatNodes, soakTest],
    ...[mailboxKill, mailboxReturn, loginFlood],
  ],
  shapes: [capacity, fixedLoad, faults, scenarios, soak, figures],
};
