// The pages of a stack: stopped, started again and restarted by their forms, with scripts and without; and the home page of
// somebody who has stacks.
import type { Page } from '@playwright/test';
import { origin, ready } from '../portals';
import {
  arrive, deployButton, expect, expectAccessible, expectAwake, expectFree, expectLive, expectNoSidewaysScroll, freshName,
  keep, nameField, startLive, test,
} from './fixtures';

/** Presses a button on the page of a stack, and waits until its operation says `done`; then returns to the stack. */
async function act(page: Page, button: string, done: string) {
  await page.getByRole('button', { name: button, exact: true }).click();
  await page.waitForURL(/\/deployments\/op_\w+$/);
  await expect(page.getByRole('heading', { level: 1, name: done })).toBeVisible({ timeout: 60_000 });
  await expect(page).toHaveTitle(`✓ ${done}`);
  await page.getByRole('link', { name: 'Go to the stack' }).click();
}

const state = (page: Page) => page.locator('.stack-state');

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled });

    test('a stack is stopped, started again and restarted', async ({ page, request }) => {
      test.setTimeout(240_000);
      const name = freshName('live');
      const id = await startLive(request, ready, name);
      // It was started without a page, so only its id gives the right to change it.
      await page.goto(`${origin(ready)}/stacks/${name}?id=${id}`);
      if (javaScriptEnabled) await expectAwake(page);
      await expect(state(page)).toHaveText('Running');
      await keep(page, `stack-running${javaScriptEnabled ? '' : '-plain'}`);

      await act(page, 'Stop', `${name} was stopped`);
      await expect(state(page)).toHaveText('Stopped');
      await expect(page.getByRole('button', { name: 'Restart' })).toBeHidden();
      await keep(page, `stack-stopped${javaScriptEnabled ? '' : '-plain'}`);
      await expectFree(request, ready, name, false);

      await act(page, 'Start', `${name} was started`);
      await expect(state(page)).toHaveText('Running');
      await act(page, 'Restart', `${name} was restarted`);
      await expect(state(page)).toHaveText('Running');
      await expect(page.locator('.last__line')).toHaveCount(4);
    });
  });
}

test('a second page learns that the stack was stopped', async ({ page, request }) => {
  test.setTimeout(120_000);
  const name = freshName('second');
  const id = await startLive(request, ready, name);
  await request.post(`${origin(ready)}/api/stacks/${name}/stop?id=${id}`);
  await page.goto(`${origin(ready)}/stacks/${name}?id=${id}`);
  await expect(state(page)).toHaveText('Stopped', { timeout: 60_000 });
});

test('somebody with stacks finds them at home', async ({ page }) => {
  test.setTimeout(120_000);
  const name = freshName('home');
  await page.goto(origin(ready));
  await nameField(page).fill(name);
  await deployButton(page).click();
  await arrive(page, name);
  await expectLive(page, name);
  await page.getByRole('link', { name: 'Manage it' }).click();
  await expect(state(page)).toHaveText('Running');

  await page.goto(origin(ready));
  await expectAwake(page);
  await expect(page.getByRole('heading', { name: 'My stacks' })).toBeVisible();
  await expect(page.getByRole('link', { name: `Open ${name}` })).toBeVisible();
  await keep(page, 'my-stacks');
  await page.getByRole('link', { name: 'New stack' }).click();
  await expect(nameField(page)).toBeVisible();
});

test.describe('at 360 px', () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test('nothing scrolls sideways with the longest name', async ({ page, request }) => {
    const name = freshName('narrow').padEnd(32, 'x');
    const id = await startLive(request, ready, name);
    await page.goto(`${origin(ready)}/stacks/${name}?id=${id}`);
    await expectAwake(page);
    await expectNoSidewaysScroll(page);
    await page.getByText('Remove this stack').click();
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
    for (const button of await page.locator('main').getByRole('button').all()) {
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
  });
});
