// Pages whose code does not start: blocked, held back, off by policy, or of another build of the portal.
import type { Page } from '@playwright/test';
import { origin, ready, slow } from '../portals';
import { expect, freshName, start, test } from './fixtures';

test.use({ expectedErrors: /net::ERR_FAILED|status of 404|Failed to fetch|dynamically imported module|failed to fetch Wasm/ });

const code = (page: Page, state: string) => page.locator(`html[data-code=${state}]`);

for (const [what, hinder] of [
  ['is blocked', '**/*.wasm'],
  ['and its JavaScript are blocked', '**/pkg/*/*.{js,wasm}'],
] as const) {
  test(`a page whose WebAssembly ${what} refreshes itself, and shows no button that needs it`, async ({ page, request }) => {
    const name = freshName('blocked');
    const id = await start(request, slow, name);
    await page.route(hinder, route => route.abort());
    await page.goto(`${origin(slow)}/deployments/${id}`);
    await expect(code(page, 'none')).toBeAttached();
    await expect(page.locator('.needs-script').locator('visible=true')).toHaveCount(0);
    await expect(page.getByRole('heading', { name: `${name} is live` })).toBeVisible({ timeout: 60_000 });
  });
}

test('a page whose code is held back refreshes itself, until the code comes', async ({ page, request }) => {
  const name = freshName('held');
  const id = await start(request, slow, name);
  await page.clock.install();
  let let_go = () => {};
  const held = new Promise<void>(resolve => (let_go = resolve));
  await page.route('**/*.wasm', async route => {
    await held;
    await route.continue();
  });
  await page.goto(`${origin(slow)}/deployments/${id}`, { waitUntil: 'commit' });
  await expect(code(page, 'starting')).toBeAttached();
  await page.clock.runFor(20_000);
  await expect(code(page, 'none')).toBeAttached();
  let_go();
  await expect(code(page, 'running')).toBeAttached();
  // It runs now, so it is not loaded again.
  let visits = 0;
  page.on('request', request => {
    if (request.isNavigationRequest()) visits += 1;
  });
  await page.clock.runFor(60_000);
  expect(visits).toBe(0);
});

for (const [what, files] of [
  ['JavaScript', '**/pkg/*/*.js'],
  ['WebAssembly', '**/pkg/*/*.wasm'],
  ['style', '**/pkg/*/*.css'],
] as const) {
  test(`a page whose ${what} is of another build is loaded again, once`, async ({ page }) => {
    let visits = 0;
    page.on('request', request => {
      if (request.isNavigationRequest()) visits += 1;
    });
    await page.route(files, route => route.fulfill({ status: 404 }));
    await page.goto(origin(ready));
    await expect.poll(() => visits).toBe(2);
    await expect(code(page, what === 'style' ? 'running' : 'none')).toBeAttached();
    await page.unroute(files);
    await page.goto(origin(ready));
    await expect(code(page, 'running')).toBeAttached();
    expect(visits).toBe(3);
  });
}
