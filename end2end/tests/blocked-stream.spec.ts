// Something between browser and portal blocks the event stream, or holds it back in silence.
import type { Route } from '@playwright/test';
import { origin, slow } from '../portals';
import { expect, expectLive, freshName, keep, start, test } from './fixtures';

const polling = 'Live updates do not reach this browser';
test.use({ expectedErrors: /net::ERR_/ });

const never = () => new Promise<void>(() => {});

for (const [what, stop] of [
  ['is refused', (route: Route) => route.abort()],
  ['stays mute', never],
] as const) {
  test(`a page whose stream ${what} asks for news`, async ({ page, request }) => {
    const name = freshName('blocked');
    await page.route('**/api/status/**', route =>
      route.request().resourceType() === 'eventsource' ? stop(route) : route.continue());
    const id = await start(request, slow, name);
    const snapshots: string[] = [];
    page.on('request', asking => {
      if (asking.url().includes('/api/deployment/')) snapshots.push(asking.url());
    });
    await page.goto(`${origin(slow)}/deployments/${id}`);
    await expect(page.getByText(polling)).toBeVisible({ timeout: 30_000 });
    await keep(page, 'polling');
    await expectLive(page, name);
    expect(snapshots, 'one request each time').toEqual([]);
  });
}

test('a page whose stream works again follows it', async ({ page, request }) => {
  const name = freshName('unblocked');
  await page.route('**/api/status/**', route =>
    route.request().resourceType() === 'eventsource' ? route.abort() : route.continue());
  const id = await start(request, slow, name);
  await page.goto(`${origin(slow)}/deployments/${id}`);
  await expect(page.getByText(polling)).toBeVisible({ timeout: 30_000 });
  await page.unrouteAll();
  await expect(page.getByText(polling)).toBeHidden();
  await expectLive(page, name);
});

test('a page to which no event gets through is rendered by the server', async ({ page, request }) => {
  const name = freshName('unheard');
  await page.route('**/api/status/**', route => route.abort());
  const id = await start(request, slow, name);
  await page.goto(`${origin(slow)}/deployments/${id}`);
  await expectLive(page, name);
});
