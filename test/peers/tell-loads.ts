/**
 * To be loaded in front of a program: says on standard error which OpenTelemetry packages it loads, and in which thread. The interface package
 * is left out, as prom-client loads it to look for exemplars.
 */

import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { isMainThread } from 'node:worker_threads';

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('@opentelemetry/') && specifier !== '@opentelemetry/api') {
      writeSync(2, `loads ${specifier} in ${isMainThread ? 'the main thread' : 'a worker'}\n`);
    }
    return next(specifier, context);
  },
});
