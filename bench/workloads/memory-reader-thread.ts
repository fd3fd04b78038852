/** Entry of a reader thread that knows the trades in memory. */

import { readerThread } from '../../engine/runtime/thread-workers.ts';
import { memorySource } from './memory-source.ts';

export default readerThread({ operators: [], sources: [memorySource], sinks: [] });
