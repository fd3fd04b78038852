/** Everything that ships with Tidemark: what a pipeline file can name. */

import { sinks, sources } from './connectors/catalog.ts';
import type { Catalog } from './engine/contract/connector.ts';
import { operators } from './operators/catalog.ts';

export const catalog: Catalog = { operators, sources, sinks };
