// The log of a stack: the page goes on by itself, is paused and searched, and works without scripts; and what a
// container wrote last, on the page of the operation that it failed.
import type { APIRequestContext, Page } from '@playwright/test';
import { failing, origin, platformKey, steady, week } from '../portals';
import {
  arrive, deployButton, expect, expectAccessible, expectAwake, expectNoSidewaysScroll, freshName, keep, nameField,
  startLive, test,
} from './fixtures';

const lines = (page: Page) => page.getByRole('log').locator('.log__line');
const status = (page: Page) => page.locator('#log-status');

/** Lets the container of the stack write these lines into its log. */
async function write(request: APIRequestContext, name: string, ...texts: string[]) {
  const headers = { 'x-api-key': platformKey };
  const state = await (await request.get(`${steady.origin}/sandbox/state`, { headers })).json();
  const { appName } = state.applications.find((one: { name: string }) => one.name === name);
  const data = { service: appName, lines: texts };
  const answer = await request.post(`${steady.origin}/sandbox/logs`, { headers, data });
  expect(answer.status()).toBe(200);
}

/** Starts a stack on the standalone sandbox, and opens its log. */
async function openLog(page: Page, request: APIRequestContext, prefix: string) {
  const name = freshName(prefix);
  const id = await startLive(request, week, name);
  await write(request, name, 'It was there before');
  await page.goto(`${origin(week)}/stacks/${name}/logs?id=${id}`);
  await expect(page.getByText('It was there before')).toBeVisible();
  return { name, id };
}

test.describe('with scripts', () => {
  test('a log goes on by itself, is paused and goes on', async ({ page, request }) => {
    test.setTimeout(120_000);
    const { name, id } = await openLog(page, request, 'log');
    await expectAwake(page);
    await expect(status(page)).toHaveText(/^Live/);
    await write(request, name, 'one <b>two</b>');
    await expect(page.getByText('one <b>two</b>')).toBeVisible();
    await expect(page.getByText('It was there before')).toHaveCount(1);
    await expectAccessible(page);
    await keep(page, 'log');

    await page.getByRole('button', { name: 'Pause' }).click();
    await expect(status(page)).toHaveText(/^Paused/);
    await write(request, name, 'while it waits');
    const text = async () => (await request.get(`${origin(week)}/api/stacks/${name}/logs?id=${id}`)).text();
    await expect.poll(text).toContain('while it waits');
    await expect(page.getByText('while it waits')).toHaveCount(0);
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect(page.getByText('while it waits')).toBeVisible();
  });

  test('a log stays where its reader is, and leads to its end', async ({ page, request }) => {
    test.setTimeout(120_000);
    const { name } = await openLog(page, request, 'logend');
    const log = page.getByRole('log');
    const texts = Array.from({ length: 500 }, (_, at) => `number ${at}`);
    await write(request, name, ...texts);
    // The log begins below the head of the page, and its end is further down.
    await log.evaluate(element => element.scrollIntoView({ block: 'end' }));
    await expect(page.getByText('number 499')).toBeInViewport();
    await log.evaluate(element => element.scrollTo(0, 0));
    await expect(page.getByText('number 499')).not.toBeInViewport();
    await write(request, name, 'the last of all');
    await expect(page.getByText('the last of all')).toHaveCount(1);
    await expect(page.getByText('the last of all')).not.toBeInViewport();
    await page.getByRole('button', { name: 'Jump to the end' }).click();
    await expect(page.getByText('the last of all')).toBeInViewport();
  });

  test('the lines with a text are shown while it is typed', async ({ page, request }) => {
    test.setTimeout(120_000);
    const { name } = await openLog(page, request, 'logfind');
    await write(request, name, 'an apple', 'a pear');
    await expect(page.getByText('a pear')).toBeVisible();
    await page.getByLabel('Find in the log').fill('APPLE');
    await expect(page.getByText('a pear')).toBeHidden();
    await expect(page.getByText('an apple')).toBeVisible();
    await write(request, name, 'another apple', 'another pear');
    await expect(page.getByText('another apple')).toBeVisible();
    await expect(page.getByText('another pear')).toBeHidden();
    await page.getByLabel('Find in the log').fill('');
    await expect(page.getByText('another pear')).toBeVisible();
  });

  test('what crashed is shown to whoever watched it', async ({ page }) => {
    test.setTimeout(120_000);
    await page.goto(origin(failing));
    await expectAwake(page);
    const name = freshName('why');
    await nameField(page).fill(name);
    await deployButton(page).click();
    await arrive(page, name);
    await expect(page.getByText('fatal: cannot open model file').first()).toBeVisible({ timeout: 60_000 });
    await expect(page.locator('.ended__message')).toContainText('it ended with an error (exit code 1)');
    await expect(page.locator('.log__last')).not.toContainText('exit code');
    await expectAccessible(page);
    await keep(page, 'why');
  });
});

test.describe('at 360 px', () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test('the log fits', async ({ page, request }) => {
    test.setTimeout(120_000);
    const { name } = await openLog(page, request, 'lognarrow');
    await write(request, name, 'long '.repeat(100));
    await expect(page.getByText('long long')).toBeVisible();
    await expectNoSidewaysScroll(page);
    await page.getByRole('button', { name: 'Wrap lines' }).click();
    await expectNoSidewaysScroll(page);
  });
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('the last lines are shown, and those with a text found', async ({ page, request }) => {
    test.setTimeout(120_000);
    await openLog(page, request, 'logplain');
    await expect(page.getByRole('button', { name: 'Pause' })).toBeHidden();
    await page.getByLabel('Find in the log').fill('LISTENING');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.waitForURL(/search=LISTENING/);
    await expect(lines(page)).toHaveCount(1);
    await keep(page, 'log-plain');
  });

  test('what crashed is shown', async ({ page }) => {
    test.setTimeout(120_000);
    const name = freshName('whyplain');
    await page.goto(origin(failing));
    await nameField(page).fill(name);
    await deployButton(page).click();
    await arrive(page, name);
    await expect(page.getByText('fatal: cannot open model file').first()).toBeVisible({ timeout: 60_000 });
  });
});
