// Pages whose code does not start: blocked, off by policy, or of another build of the portal.
import { origin, ready, slow } from '../portals';
import { expect, freshName, start, test } from './fixtures';

test('a page whose WebAssembly is blocked refreshes itself, and shows no button that needs it', async ({ page, request }) => {
  const name = freshName('blocked');
  const id = await start(request, slow, name);
  await page.route('**/*.wasm', route => route.abort());
  await page.goto(`${origin(slow)}/deployments/${id}`);
  await expect(page.locator('html[data-code=none]')).toBeAttached();
  await expect(page.locator('.needs-script').locator('visible=true')).toHaveCount(0);
  await expect(page.getByRole('heading', { name: `${name} is live` })).toBeVisible({ timeout: 60_000 });
});

test('a page whose code is of another build is loaded again, once', async ({ page }) => {
  let visits = 0;
  page.on('request', request => {
    if (request.isNavigationRequest()) visits += 1;
  });
  await page.route('**/pkg/*/*.js', route => route.fulfill({ status: 404 }));
  await page.goto(origin(ready));
  await expect.poll(() => visits).toBe(2);
  await expect(page.locator('html[data-code=none]')).toBeAttached();
  await page.unroute('**/pkg/*/*.js');
  await page.goto(origin(ready));
  await expect(page.locator('html[data-code=running]')).toBeAttached();
  expect(visits).toBe(3);
});
