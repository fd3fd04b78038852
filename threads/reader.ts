/** Entry of a reader thread. */

import { sources } from '../connectors/catalog.ts';
import { readerThread } from '../engine/runtime/thread-workers.ts';

export default readerThread({ operators: [], sources, sinks: [] });
