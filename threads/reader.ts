/** Entry of a reader thread. */

import { catalog } from '../catalog.ts';
import { readerThread } from '../engine/runtime/thread-workers.ts';

export default readerThread(catalog);
