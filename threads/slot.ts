/** Entry of a slot thread. */

import { catalog } from '../catalog.ts';
import { slotThread } from '../engine/runtime/thread-workers.ts';

export default slotThread(catalog);
