/** The options by which sources and sinks find a NATS server, and prove who they are. */

import {
  type ConfigOf,
  duration,
  flag,
  path,
  secret,
  text,
  z,
} from '../../engine/contract/fields.ts';
import type { Report } from '../../engine/contract/problem.ts';

const ADDRESS = String.raw`(?:(?:nats|tls)://)?(?:[^\s:/@,[\]]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?/?`;
const SERVER = new RegExp(`^${ADDRESS}$`);
/** As a variable of the environment holds several. */
const SERVERS = new RegExp(`^${ADDRESS}(?:\\s*,\\s*${ADDRESS})*$`);

const server = (pattern: RegExp) =>
  z
    .string({ error: 'expected the address of a server such as nats://localhost:4222' })
    .regex(pattern, {
      error:
        'expected the address of a server such as nats://localhost:4222; user and password are ' +
        'options of their own',
    });

const tls = z
  .strictObject({
    ca_file: path({
      doc: 'Certificates of the authorities to trust, PEM; by default those of the system.',
    }).optional(),
    cert_file: path({ doc: 'Certificate of this client, PEM.' }).optional(),
    key_file: path({ doc: 'Private key of this client, PEM.' }).optional(),
    handshake_first: flag({
      doc: 'Begin with TLS, as a server with `handshake_first` wants it.',
    }).default(false),
  })
  .meta({
    description:
      'Speak TLS only. Without this option, TLS is used where the server asks for it, and its ' +
      'certificate must be one that the system trusts.',
    examples: [{ ca_file: 'certs/ca.pem' }],
  });

export const connectionFields = {
  servers: z
    .union([server(SERVERS), z.array(server(SERVER)).min(1)], {
      error: 'expected the address of a server such as nats://localhost:4222, or a list of them',
    })
    .meta({
      description:
        'Addresses of the servers, one or several of a cluster: a list, or one text with commas.',
      examples: ['nats://localhost:4222', ['nats://n1:4222', 'nats://n2:4222']],
    })
    .default('nats://localhost:4222'),
  connect_timeout: duration({
    doc:
      'How long to try at the start before giving up. A connection that is lost later is tried ' +
      'again for ever.',
  }).default('30s'),
  user: text({ doc: 'User name.' }).optional(),
  password: secret({ doc: 'Password of the user.', examples: ['${NATS_PASSWORD}'] }).optional(),
  nkey: secret({
    doc: 'Seed of an NKey (`SU…`), or the path of a file that holds it.',
    examples: ['${NATS_NKEY_SEED}', 'secrets/engine.nk'],
  }).optional(),
  credentials: path({ doc: 'A `.creds` file, with the JWT and the seed of a user.' }).optional(),
  inbox_prefix: text({
    doc: 'Prefix of the subjects on which answers are received, where permissions ask for one.',
    examples: ['_INBOX_engine'],
  }).optional(),
  tls: tls.optional(),
};

export type ConnectionConfig = ConfigOf<typeof connectionFields>;

export function serversOf({ servers }: Pick<ConnectionConfig, 'servers'>): readonly string[] {
  return typeof servers === 'string' ? servers.split(/\s*,\s*/) : servers;
}

/** Reports options of authentication and TLS that do not go together. */
export function checkConnection(config: ConnectionConfig, report: Report): void {
  const problem = (at: string, message: string, help: string): void => {
    report({ path: [at], target: 'key', code: 'config/constraint', message, help });
  };
  const ways = (['user', 'nkey', 'credentials'] as const).filter((way) => config[way]);
  if (ways.length > 1) {
    problem(ways[1]!, `${ways[0]} and ${ways[1]} are two ways to prove who one is`, 'keep one');
  }
  if (config.password !== undefined && config.user === undefined) {
    problem('password', 'a password without a user', 'add user');
  } else if (config.user !== undefined && config.password === undefined) {
    problem('user', 'a user without a password', 'add password: ${NATS_PASSWORD}');
  }
  if (config.tls === undefined) return;
  const { cert_file: cert, key_file: key } = config.tls;
  if ((cert === undefined) !== (key === undefined)) {
    problem('tls', 'a certificate and its key are needed together', 'give cert_file and key_file');
  }
}
