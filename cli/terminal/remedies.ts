/** What to do about a failure of the world, where its message alone does not say so. */

import type { ErrorCode } from '../../engine/contract/error.ts';

const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  'nats/unreachable':
    'start it (docker compose up -d, or nats-server -js), or name the one to use: servers of the ' +
    'source or sink, --to of publish, or NATS_URL where the pipeline takes it from there',
  'nats/denied':
    'say who you are (user and password, nkey or credentials), or have the permissions of that ' +
    'user widened on the server; where an _INBOX is refused, set inbox_prefix',
  'nats/tls':
    'name the authority that signed the certificate of the server in tls.ca_file (publish: ' +
    '--tls-ca)',
  'nats/no-jetstream': 'start the server with -js, or with a jetstream block in its configuration',
  'nats/no-stream':
    'correct the name, or make the stream: tidemark publish FILE --stream NAME for a source, ' +
    'create: true for a sink',
  'nats/stream-full':
    'raise the limits of the stream (nats stream edit NAME --max-bytes SIZE) or of the server ' +
    '(max_file_store); then start again: nothing that was stored is stored twice',
  'nats/too-large':
    'publish fewer rows a message (--rows-per-message), or raise max_payload of the server and ' +
    'max_msg_size of the stream',
  'nats/duplicate-window':
    'nats stream edit NAME --dupe-window 10m, or a shorter checkpoint.interval or connect_timeout',
};

export function remedyOf(code: ErrorCode): string | undefined {
  return REMEDIES[code];
}
