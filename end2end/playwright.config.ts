import { existsSync } from 'node:fs';
import path from 'node:path';
import { defineConfig, devices } from '@playwright/test';
import { origin, portals, ready, root, type Portal } from './portals';

const target = path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
const binary = path.join(target, 'debug', 'ai-stack-deployer');
// scripts/test names an installed browser; with none, Playwright takes the one it has fetched.
const chromium = process.env.CHROMIUM ?? ['/usr/bin/chromium'].find(existsSync);

const server = (portal: Portal) => {
  const state = path.join(root, 'target', 'end2end', portal.name);
  return {
    name: portal.name,
    command: `rm -rf '${state}' && mkdir -p '${state}' && exec '${binary}'`,
    cwd: root,
    url: `${origin(portal)}/readyz`,
    env: {
      HOST: '127.0.0.1',
      PORT: String(portal.port),
      PUBLIC_URL: origin(portal),
      SANDBOX_EDGE_PORT: String(portal.edgePort),
      STACK_IMAGE: portal.image,
      DATABASE_URL: `sqlite://${state}/portal.db`,
      DOKPLOY_URL: '',
      DOKPLOY_API_TOKEN: '',
      LEPTOS_SITE_ROOT: process.env.LEPTOS_SITE_ROOT ?? 'target/site-dev',
      RUST_LOG: process.env.RUST_LOG ?? 'warn',
    },
    reuseExistingServer: false,
    stdout: 'pipe' as const,
    timeout: 30_000,
    gracefulShutdown: { signal: 'SIGTERM' as const, timeout: 12_000 },
  };
};

export default defineConfig({
  testDir: 'tests',
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
  webServer: portals.map(server),
});
