import { existsSync } from 'node:fs';
import path from 'node:path';
import { defineConfig, devices } from '@playwright/test';
import {
  brief, folder, guarded, origin, platform, platformKey, portals, provider, ready, root, staffed, steady, type Portal,
} from './portals';

const target = path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
const binary = path.join(target, 'debug', 'ai-stack-deployer');
// scripts/test sets CHROMIUM to an installed browser; without one, Playwright uses the one that it has downloaded.
const chromium = process.env.CHROMIUM ?? ['/usr/bin/chromium'].find(existsSync);

// A portal in a folder of its own with an environment of its own: neither the checkout's .env nor the shell's
// variables may lead a test to a real Dokploy.
const server = (portal: Portal) => {
  const place = folder(portal);
  const environment = {
    HOST: '127.0.0.1',
    PORT: portal.port,
    PUBLIC_URL: origin(portal),
    SANDBOX_EDGE_PORT: portal.edgePort,
    ...(portal.image ? { STACK_IMAGE: portal.image } : {}),
    DATABASE_URL: `sqlite://${place}/portal.db`,
    LEPTOS_SITE_ROOT: path.resolve(root, process.env.LEPTOS_SITE_ROOT ?? 'target/site-dev'),
    RUST_LOG: process.env.RUST_LOG ?? 'warn',
    ...portal.variables,
  };
  const variables = Object.entries(environment).map(([name, value]) => `${name}='${value}'`);
  return {
    name: portal.name,
    command: [
      `rm -rf '${place}'`,
      `mkdir -p '${place}'`,
      `cp '${root}/Leptos.toml' '${place}'`,
      ...(portal.templates ? [`node templates.mjs ${portal.templates} '${place}/catalogue'`] : []),
      `cd '${place}'`,
      `exec env -i ${variables.join(' ')} '${binary}'`,
    ].join(' && '),
    url: `${origin(portal)}/readyz`,
    reuseExistingServer: false,
    stdout: 'pipe' as const,
    timeout: 30_000,
    gracefulShutdown: { signal: 'SIGTERM' as const, timeout: 12_000 },
  };
};

// A standalone sandbox: one for the portal `troubled`, and one for `week`.
const sandbox = (name: string, { port, edgePort, origin }: typeof platform) => ({
  name,
  command:
    `exec env -i '${binary}' sandbox --api-key ${platformKey}` +
    ` --listen 127.0.0.1:${port} --edge 127.0.0.1:${edgePort}`,
  // Without the key the answer is 401, which also shows that it is ready.
  url: `${origin}/api/project.all`,
  reuseExistingServer: false,
  timeout: 30_000,
  gracefulShutdown: { signal: 'SIGTERM' as const, timeout: 12_000 },
});

// The identity provider, for the portals where people sign in.
const identityProvider = {
  name: 'provider',
  command: `exec node provider.mjs ${provider.port} ${[guarded, brief, staffed].map(origin).join(' ')}`,
  url: `${provider.origin}/.well-known/openid-configuration`,
  reuseExistingServer: false,
  timeout: 30_000,
};

export default defineConfig({
  // The weight is that of a release build, so scripts/test measures it apart.
  testDir: process.env.WEIGHT ? 'weight' : 'tests',
  outputDir: 'test-results',
  reporter: [['list']],
  workers: 2,
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1280, height: 800 },
    baseURL: origin(ready),
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  webServer: [sandbox('platform', platform), sandbox('steady', steady), identityProvider, ...portals.map(server)],
});
