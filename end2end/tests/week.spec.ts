// A week in the life of a stack: it is started, its log is read, it breaks and says why, it is changed, led back, stopped,
// started, removed with its data kept, and brought back. With scripts and without.
import type { APIRequestContext, Page } from '@playwright/test';
import { origin, platformKey, steady, week } from '../portals';
import { arrive, deployButton, expect, expectAwake, expectLive, freshName, keep, nameField, test } from './fixtures';

const headers = { 'x-api-key': platformKey };
const state = (page: Page) => page.locator('.stack-state');
const tab = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).click();

/** Stops the container of a stack behind the portal's back, as somebody in Dokploy would. */
async function breakIt(request: APIRequestContext, name: string) {
  const state = await (await request.get(`${steady.origin}/sandbox/state`, { headers })).json();
  const { applicationId } = state.applications.find((one: { name: string }) => one.name === name);
  const answer = await request.post(`${steady.origin}/api/application.stop`, { headers, data: { applicationId } });
  expect(answer.status()).toBe(200);
}

/** Waits for the end of the operation whose page comes, and goes to the stack. */
async function ended(page: Page, heading: RegExp) {
  await page.waitForURL(/\/deployments\/op_\w+$/);
  await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible({ timeout: 60_000 });
  await page.getByRole('link', { name: 'Go to the stack' }).click();
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled });

    test('a stack lives for a week', async ({ page, request }) => {
      test.setTimeout(300_000);
      const plain = javaScriptEnabled ? '' : '-plain';
      const [name, again] = [freshName('week'), freshName('anew')];
      const open = async (path: string) => {
        await page.goto(`${origin(week)}${path}`);
        if (javaScriptEnabled) await expectAwake(page);
      };
      const press = (button: string) => page.getByRole('button', { name: button, exact: true }).click();

      await test.step('it is started', async () => {
        await open('/');
        await nameField(page).fill(name);
        await deployButton(page).click();
        await arrive(page, name);
        await expectLive(page, name);
        await page.getByRole('link', { name: 'Manage it' }).click();
        await expect(state(page)).toHaveText('Running');
        await keep(page, `week-overview${plain}`);
      });

      await test.step('its log is read', async () => {
        await tab(page, 'Logs');
        await expect(page.getByRole('log')).toContainText('listening');
        await keep(page, `week-logs${plain}`);
      });

      await test.step('it breaks, and says why', async () => {
        await breakIt(request, name);
        const isUnhealthy = async () => {
          await open(`/stacks/${name}`);
          return state(page).innerText();
        };
        await expect.poll(isUnhealthy, { timeout: 60_000, intervals: [2_000] }).toBe('Unhealthy');
        await expect(page.getByRole('heading', { name: 'Why it does not work' })).toBeVisible();
        await expect(page.getByText('No container of it runs.')).toBeVisible();
        await keep(page, `week-unhealthy${plain}`);
        await open('/');
        await expect(page.getByRole('link', { name: `See why ${name} does not work` })).toBeVisible();
        await keep(page, `week-home-unhealthy${plain}`);
      });

      await test.step('it is changed', async () => {
        await open(`/stacks/${name}/settings`);
        await expect(page.getByLabel('Motto')).toHaveValue('First things first');
        await keep(page, `week-settings${plain}`);
        await page.getByLabel('Motto').fill('Last things last');
        await press('Review the changes');
        await expect(page.getByText('from “First things first” to “Last things last”')).toBeVisible();
        await keep(page, `week-plan${plain}`);
        await press('Apply');
        await ended(page, /was changed/);
        await expect(state(page)).toHaveText('Running');
      });

      await test.step('it is led back', async () => {
        await tab(page, 'History');
        await keep(page, `week-history${plain}`);
        await page.getByRole('link', { name: /^Go back to this.*revision 1$/ }).click();
        await expect(page.getByRole('heading', { name: 'Go back to revision 1' })).toBeVisible();
        await keep(page, `week-way-back${plain}`);
        await press('Apply');
        await ended(page, /was changed/);
        await tab(page, 'Settings');
        await expect(page.getByLabel('Motto')).toHaveValue('First things first');
      });

      await test.step('it is stopped and started', async () => {
        await open(`/stacks/${name}`);
        await press('Stop');
        await ended(page, /was stopped/);
        await expect(state(page)).toHaveText('Stopped');
        await press('Start');
        await ended(page, /was started/);
        await expect(state(page)).toHaveText('Running');
      });

      await test.step('it is removed, its data is kept and brought back', async () => {
        await page.getByText('Remove this stack').click();
        await press(`Remove ${name}`);
        await arrive(page, name);
        await expect(page.getByRole('heading', { name: `${name} is removed` })).toBeVisible({ timeout: 60_000 });
        await open('/data');
        await keep(page, `week-data${plain}`);
        await page.locator('.token').filter({ hasText: name }).getByRole('link', { name: 'Bring it back' }).click();
        if (javaScriptEnabled) await expectAwake(page);
        await nameField(page).fill(again);
        await deployButton(page).click();
        await arrive(page, again);
        await expectLive(page, again);
        await open('/');
        await expect(page.getByRole('link', { name: `Open ${again}` })).toBeVisible();
        await keep(page, `week-home${plain}`);
      });
    });
  });
}
