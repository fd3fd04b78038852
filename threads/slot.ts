/** Entry of a slot thread. It loads the operators only: start-up time is paid once a thread. */

import { slotThread } from '../engine/runtime/thread-workers.ts';
import { operators } from '../operators/catalog.ts';

export default slotThread({ operators, sources: [], sinks: [] });
