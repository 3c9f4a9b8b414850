// Cancelling in the queue, and through the API. broken-platform.spec.ts cancels while a container starts.
import type { APIRequestContext } from '@playwright/test';
import { origin, slow } from '../portals';
import { cancelButton, expect, expectAwake, expectFree, expectPhase, freshName, keep, start, test } from './fixtures';

test('one that waits in the queue says its place, and is cancelled there', async ({ page, request }) => {
  const name = freshName('behind');
  const id = await startBehind(request, name);
  await page.goto(`${origin(slow)}/deployments/${id}`);
  await expectAwake(page);
  const step = page.locator('.step[data-state=running]');
  await expect(step).toContainText(/Starting the container.*(next|\d(st|nd|rd|th)) in the platform's queue/);
  await keep(page, 'queued');
  // The page stays, with what was opened on it and with the focus.
  await page.getByText('Log', { exact: true }).click();
  await page.evaluate(() => { document.body.dataset.stays = 'yes'; });
  await cancelButton(page).press('Enter');
  await expect(page.getByRole('button', { name: /^Cancelling/ })).toBeFocused();
  await expect(page.getByRole('heading', { name: `${name} was cancelled` })).toBeVisible({ timeout: 40_000 });
  await expect(page.locator('body')).toHaveAttribute('data-stays', 'yes');
  await expectFree(request, slow, name, true);
});

test('what somebody else cancels is told as cancelled, too', async ({ page, request }) => {
  const name = freshName('elsewhere');
  const id = await start(request, slow, name);
  // From here on there is something to clean up, so the deployment does not end before the second request.
  await expectPhase(request, slow, id, 'deploying');
  const cancel = () => request.post(`${origin(slow)}/api/deployment/${id}/cancel`);
  const answers = await Promise.all([cancel(), cancel()]);
  expect(answers.map(answer => answer.status())).toEqual([202, 202]);
  await page.goto(`${origin(slow)}/deployments/${id}`);
  await expect(page.getByRole('heading', { name: `${name} was cancelled` })).toBeVisible({ timeout: 40_000 });
  expect((await cancel()).status()).toBe(409);
});

/** Starts `name` behind two others in the platform's queue, so that it waits for a while; returns its id. */
async function startBehind(request: APIRequestContext, name: string): Promise<string> {
  for (const ahead of ['first', 'second']) await start(request, slow, freshName(ahead));
  return start(request, slow, name);
}
