/** Entry of a sink thread. */

import { catalog } from '../catalog.ts';
import { sinkThread } from '../engine/runtime/thread-workers.ts';

export default sinkThread(catalog);
