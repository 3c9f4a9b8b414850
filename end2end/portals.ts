// The portals under test: the same binary, each with an image that makes the sandbox behave differently.
// Their ports differ from the defaults, so that a portal in use on this machine is left alone.
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const port = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise);

/** The top of the checkout, without a slash at the end. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** A portal under test: its port, the port of its stacks, and what it offers. */
export interface Portal {
  name: string;
  port: number;
  edgePort: number;
  /** The image of its only template; without it, the templates are those built in or those of CATALOGUE. */
  image?: string;
  /** Additional settings. */
  variables?: Record<string, string>;
  /** Which templates templates.mjs makes in its folder. */
  templates?: 'many' | 'hidden';
}

const first = port('PORT', 3100);
const firstEdge = port('SANDBOX_EDGE_PORT', 8181);

/** Stacks start immediately. */
export const ready: Portal = { name: 'ready', port: first, edgePort: firstEdge, image: 'sandbox/hello' };
/** Stacks stop right after starting. */
export const failing: Portal = { name: 'failing', port: first + 1, edgePort: firstEdge + 1, image: 'sandbox/crashloop' };
/** Stacks start slowly, so that a test can look at a deployment in progress. */
export const slow: Portal = { name: 'slow', port: first + 2, edgePort: firstEdge + 2, image: 'sandbox/slow' };
/** The API key of the standalone sandbox. */
export const platformKey = 'end2end';
/** A standalone sandbox, in which a test can cause faults. */
export const platform = { port: first + 4, edgePort: firstEdge + 3, origin: `http://127.0.0.1:${first + 4}` };
/** Stacks start immediately, on the standalone sandbox; undoing has a short time limit. */
export const troubled: Portal = {
  name: 'troubled',
  port: first + 3,
  edgePort: platform.edgePort,
  image: 'sandbox/hello',
  variables: {
    DOKPLOY_URL: platform.origin,
    DOKPLOY_API_TOKEN: platformKey,
    STACK_DOMAIN_SUFFIX: 'localhost',
    STACK_SCHEME: 'http',
    STACK_PUBLIC_PORT: String(platform.edgePort),
    STACK_ALLOW_PRIVATE: 'true',
    DRAIN_LIMIT: '4s',
  },
};

/** The identity provider: it accepts any account's name; olga is an operator. */
export const provider = { port: first + 7, origin: `http://127.0.0.1:${first + 7}` };
const signingIn = {
  AUTH: 'oidc',
  OIDC_ISSUER: provider.origin,
  OIDC_CLIENT_ID: 'portal',
  OIDC_CLIENT_SECRET: 'portal-secret',
  OIDC_NAME: 'Example Ltd',
  OIDC_SCOPES: 'openid profile groups',
  OIDC_OPERATOR_GROUP: 'operators',
};
/** People sign in; stacks start immediately. */
export const guarded: Portal = {
  name: 'guarded',
  port: first + 5,
  edgePort: firstEdge + 4,
  image: 'sandbox/hello',
  variables: signingIn,
};
/** People sign in for a short time only, and stacks never become healthy within it. */
export const brief: Portal = {
  name: 'brief',
  port: first + 6,
  edgePort: firstEdge + 5,
  image: 'sandbox/unhealthy',
  variables: { ...signingIn, SESSION_LIFETIME: '15s' },
};

/** The templates that are built in for the sandbox, as with scripts/serve alone. */
export const choice: Portal = { name: 'choice', port: first + 8, edgePort: firstEdge + 6 };
/** A single template with questions and a description. */
export const single: Portal = {
  name: 'single',
  port: first + 9,
  edgePort: firstEdge + 7,
  variables: { CATALOGUE: `${root}/end2end/catalogue` },
};

/** So many templates that they can be searched, in a folder of its own, which a test may change. */
export const many: Portal = {
  name: 'many',
  port: first + 10,
  edgePort: firstEdge + 8,
  variables: { CATALOGUE: 'catalogue' },
  templates: 'many',
};
/** Nothing to start: the only template is for a group, and nobody signs in. */
export const bare: Portal = {
  name: 'bare',
  port: first + 11,
  edgePort: firstEdge + 9,
  variables: { CATALOGUE: 'catalogue' },
  templates: 'hidden',
};

/** People sign in, and choose from the built-in templates. */
export const staffed: Portal = { name: 'staffed', port: first + 12, edgePort: firstEdge + 10, variables: signingIn };

/** Another standalone sandbox, in which no test causes faults that pass. */
export const steady = { port: first + 14, edgePort: firstEdge + 11, origin: `http://127.0.0.1:${first + 14}` };
/** Stacks have a volume and a question; the portal looks at them often. */
export const week: Portal = {
  name: 'week',
  port: first + 13,
  edgePort: steady.edgePort,
  variables: {
    DOKPLOY_URL: steady.origin,
    DOKPLOY_API_TOKEN: platformKey,
    PORTAL_NAME: 'week',
    STACK_DOMAIN_SUFFIX: 'localhost',
    STACK_SCHEME: 'http',
    STACK_PUBLIC_PORT: String(steady.edgePort),
    STACK_ALLOW_PRIVATE: 'true',
    CATALOGUE: `${root}/end2end/week`,
    STACK_WATCH_INTERVAL: '2s',
    STACK_CHANGE_WATCH: '3s',
    // The reconciler would say for half a minute longer that a stack does not run.
    RECONCILE_INTERVAL: '1h',
  },
};

export const portals = [ready, failing, slow, troubled, guarded, brief, choice, single, many, bare, staffed, week];

/** Returns the folder in which a portal runs. */
export const folder = (portal: Portal) =>
  path.join(tmpdir(), `ai-stack-deployer-end2end-${userInfo().username}`, String(portal.port));

/** Returns the address of the portal itself. */
export const origin = (portal: Portal) => `http://127.0.0.1:${portal.port}`;

/** Returns the address of the stack called `name`. */
export const stackAddress = (portal: Portal, name: string) => `http://${name}.localhost:${portal.edgePort}`;
