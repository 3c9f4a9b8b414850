// Removing a live stack: confirmed, watched, and the name is available again.
import { origin, ready, stackAddress } from '../portals';
import {
  arrive, expect, expectAwake, expectFree, expectNoSidewaysScroll, freshName, keep, nameField, openLink, startLive,
  test, unfoldRemoval,
} from './fixtures';

test('a stack is removed after a confirmation, and its name is free again', async ({ page, request }) => {
  const name = freshName('remove');
  const id = await startLive(request, ready, name);
  await page.goto(`${origin(ready)}/deployments/${id}`);
  await expectAwake(page);
  await expect(page.getByRole('button', { name: `Remove ${name}` })).toBeHidden();
  const button = await unfoldRemoval(page, name);
  await keep(page, 'remove-unfolded');
  await button.click();

  await arrive(page, name);
  await expect(page.getByRole('heading', { name: `${name} is removed` })).toBeVisible({ timeout: 40_000 });
  expect(page.url()).toContain('/deployments/rem_');
  for (const resource of ['address', 'application', 'project']) {
    await expect(page.getByText(new RegExp(`^${resource} (removed|gone)`)).first()).toBeVisible();
  }
  await expect(page.getByText(`The name ${name} was freed.`)).toBeVisible();
  await expect(page).toHaveTitle(`✓ ${name} is removed`);
  await expect(page.locator('.steps')).toHaveCount(0);
  await expectFree(request, ready, name, true);
  await keep(page, 'removed');

  await page.getByRole('link', { name: 'Deploy something new' }).click();
  await expect(nameField(page)).toHaveValue('');
});

test('the page of a stack that was removed since does not call it live', async ({ page, request }) => {
  const name = freshName('gone');
  const id = await startLive(request, ready, name);
  await page.goto(`${origin(ready)}/deployments/${id}`);
  await expect(openLink(page)).toBeVisible();
  const removal = await request.delete(`${origin(ready)}/api/stacks/${name}?id=${id}`);
  expect(removal.status()).toBe(202);
  await expect.poll(async () => (await request.get(`${origin(ready)}/api/stacks/${name}`)).status()).toBe(404);

  await page.reload();
  await expect(page.getByRole('heading', { name: `${name} was removed` })).toBeVisible();
  await expect(page.locator('main')).not.toContainText(/is live/);
  await expect(openLink(page)).toBeHidden();
  await expect(page).toHaveTitle(`${name} was removed`);
  await keep(page, 'taken-down');
  await page.getByRole('link', { name: `Deploy ${name} again` }).click();
  await expect(nameField(page)).toHaveValue(name);
  await expect(page.getByText(stackAddress(ready, name)).first()).toBeVisible();
});

test('removing what is gone already is said on its page', async ({ page, request }) => {
  const name = freshName('twice');
  const id = await startLive(request, ready, name);
  await page.goto(`${origin(ready)}/deployments/${id}`);
  await expectAwake(page);
  const button = await unfoldRemoval(page, name);
  await request.delete(`${origin(ready)}/api/stacks/${name}?id=${id}`);
  await expect.poll(async () => (await request.get(`${origin(ready)}/api/stacks/${name}`)).status()).toBe(404);
  await button.click();
  await expect(page.getByRole('alert')).toContainText('there was nothing to remove');
  await expect(page.getByRole('heading', { name: `${name} was removed` })).toBeVisible();
  await keep(page, 'refused-remove');
});

test('a page that is gone back to is loaded anew, not armed again', async ({ page, request }) => {
  const name = freshName('back');
  const id = await startLive(request, ready, name);
  await page.goto(`${origin(ready)}/deployments/${id}`);
  await expectAwake(page);
  const button = await unfoldRemoval(page, name);
  // Normally the browser leaves the page for the answer; here the post is suppressed, so it stays.
  await page.evaluate(() => window.addEventListener('submit', event => event.preventDefault(), { once: true }));
  await button.click();
  await expect(page.getByRole('button', { name: 'Removing…' })).toBeVisible();
  const loaded = page.waitForEvent('load');
  // The event of a page restored from the back/forward cache, which the browser under test does not have.
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await loaded;
  await expect(openLink(page)).toBeVisible();
  await expect(button).toBeHidden();
});

test.describe('at 360 px', () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test('nothing scrolls sideways with the longest name, from live to removed', async ({ page, request }) => {
    const name = freshName('narrow').padEnd(32, 'x');
    const id = await startLive(request, ready, name);
    await page.goto(`${origin(ready)}/deployments/${id}`);
    await expectAwake(page);
    const button = await unfoldRemoval(page, name);
    await expectNoSidewaysScroll(page);
    expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    await button.click();
    await expect(page.getByRole('heading', { name: `${name} is removed` })).toBeVisible({ timeout: 40_000 });
    await expectNoSidewaysScroll(page);
  });
});
