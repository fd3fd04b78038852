/**
 * Loaded before the tests where `CI` is set: properties run over the same cases each time, so that
 * a build fails for what it changed. Elsewhere every run tries others, and prints the seed of a
 * failure.
 */

import fc from 'fast-check';

fc.configureGlobal({ seed: 20_261_121 });
