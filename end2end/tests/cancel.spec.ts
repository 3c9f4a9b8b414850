// Cancelling: at once on the page, and nothing is left behind.
import type { APIRequestContext } from '@playwright/test';
import { origin, slow } from '../portals';
import {
  cancelButton, deploy, expect, expectAwake, expectFree, expectNoSidewaysScroll, freshName, keep, start, test,
} from './fixtures';

test('a deployment is cancelled while its container starts, and nothing is left', async ({ page, request }) => {
  const name = freshName('cancel');
  await deploy(page, origin(slow), name);
  await expectAwake(page);
  await expect(page.locator('.step[data-state=running]')).toContainText('Starting the container');
  let loads = 0;
  page.on('load', () => loads++);
  await cancelButton(page).click();
  const cancelling = page.getByRole('button', { name: 'Cancelling…' });
  await expect(cancelling).toBeDisabled();
  await expect(page.locator('.badge')).toContainText('Cancelling');
  await expect(page).toHaveTitle(`${name}: cancelling`);
  await keep(page, 'cancelling');

  await expect(page.getByRole('heading', { name: `${name} was cancelled` })).toBeVisible({ timeout: 40_000 });
  await expect(page.getByText('Nothing was left behind', { exact: true })).toBeVisible();
  await expect(page.getByText(`The name ${name} is free again.`)).toBeVisible();
  await expect(page).toHaveTitle(`${name} was cancelled`);
  await expect(page.locator('link[rel=icon]')).toHaveAttribute('href', '/icon-over.svg');
  await expect(cancelling).toBeHidden();
  expect(loads, 'loads of the page while it was cancelled').toBe(0);
  await expectFree(request, slow, name, true);
  await keep(page, 'cancelled');
});

test('one that waits in the queue says its place, and is cancelled there', async ({ page, request }) => {
  const name = freshName('behind');
  const id = await startBehind(request, name);
  await page.goto(`${origin(slow)}/deployments/${id}`);
  await expectAwake(page);
  const step = page.locator('.step[data-state=running]');
  await expect(step).toContainText(/Starting the container.*(next|\d(nd|rd|th)) in the platform's queue/);
  await keep(page, 'queued');
  await cancelButton(page).click();
  await expect(page.getByRole('heading', { name: `${name} was cancelled` })).toBeVisible({ timeout: 40_000 });
  await expectFree(request, slow, name, true);
});

test('a wish that cannot be posted is said, and can be repeated', async ({ page, request }) => {
  const name = freshName('unheard');
  const id = await startBehind(request, name);
  await page.route('**/cancel_deployment', route => route.fulfill({ status: 200, body: 'not ours' }));
  await page.goto(`${origin(slow)}/deployments/${id}`);
  await expectAwake(page);
  await cancelButton(page).click();
  await expect(page.getByText('The portal gave an answer that this page does not understand')).toBeVisible();
  await page.unroute('**/cancel_deployment');
  await cancelButton(page).click();
  await expect(page.getByRole('heading', { name: `${name} was cancelled` })).toBeVisible({ timeout: 40_000 });
});

test('what somebody else cancels is told as cancelled, too', async ({ page, request }) => {
  const name = freshName('elsewhere');
  const id = await start(request, slow, name);
  const cancel = () => request.post(`${origin(slow)}/api/deployment/${id}/cancel`);
  const answers = await Promise.all([cancel(), cancel()]);
  expect(answers.map(answer => answer.status())).toEqual([202, 202]);
  await page.goto(`${origin(slow)}/deployments/${id}`);
  await expect(page.getByRole('heading', { name: `${name} was cancelled` })).toBeVisible({ timeout: 40_000 });
  expect((await cancel()).status()).toBe(409);
});

test.describe('at 360 px', () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test('nothing scrolls sideways while cancelling, and the button fits a thumb', async ({ page, request }) => {
    const name = freshName('narrow').padEnd(32, 'x');
    const id = await startBehind(request, name);
    await page.goto(`${origin(slow)}/deployments/${id}`);
    await expectAwake(page);
    expect((await cancelButton(page).boundingBox())?.height).toBeGreaterThanOrEqual(44);
    await cancelButton(page).click();
    await expectNoSidewaysScroll(page);
    await expect(page.getByRole('heading', { name: `${name} was cancelled` })).toBeVisible({ timeout: 40_000 });
    await expectNoSidewaysScroll(page);
  });
});

/** Starts `name` behind two others in the platform's queue, so that there is time to look; returns its id. */
async function startBehind(request: APIRequestContext, name: string): Promise<string> {
  for (const ahead of ['first', 'second']) await start(request, slow, freshName(ahead));
  return start(request, slow, name);
}
