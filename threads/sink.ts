/** Entry of a sink thread. */

import { sinks } from '../connectors/catalog.ts';
import { sinkThread } from '../engine/runtime/thread-workers.ts';

export default sinkThread({ operators: [], sources: [], sinks });
