// From the name to the stack's own page, and the possible outcomes of a deployment.
import type { Page } from '@playwright/test';
import { failing, origin, ready, slow, stackAddress } from '../portals';
import { deploy, expect, expectAwake, expectLive, freshName, keep, openLink, start, test } from './fixtures';

test('a name becomes a live stack that opens at its own address', async ({ page }) => {
  const name = freshName('alice');
  const id = await deploy(page, origin(ready), name);
  await expectLive(page, name);
  await expect(page.locator('link[rel=icon]')).toHaveAttribute('href', '/icon-live.svg');
  await keep(page, 'live');

  await expect(openLink(page)).toHaveAttribute('href', new RegExp(`^${stackAddress(ready, name)}/?$`));
  const { deployment } = await (await page.request.get(`${origin(ready)}/api/deployment/${id}`)).json();
  expect(deployment).toMatchObject({ status: 'success', phase: 'completed', progress: 100, stackName: name });

  await page.goto(stackAddress(ready, name));
  await expect(page.locator('body')).toContainText(name);
  await keep(page, 'stack');
});

test('the page follows the deployment without being loaded again', async ({ page }) => {
  const name = freshName('follow');
  await deploy(page, origin(slow), name);
  await page.waitForLoadState('load');
  let loads = 0;
  page.on('load', () => loads++);
  await expect(page.getByText('Starting the container').first()).toBeVisible();
  await keep(page, 'deploying');
  await expectLive(page, name);
  expect(loads, 'loads of the page while it changed').toBe(0);
});

test('a stack that cannot start is taken back, line by line, and its name is free again', async ({ page }) => {
  const name = freshName('broken');
  const id = await deploy(page, origin(failing), name);
  await expect(page.getByRole('heading', { name: 'Nothing was left behind' })).toBeVisible({ timeout: 40_000 });
  await expect(page.getByRole('heading', { name: `${name} could not be started` })).toBeVisible();
  for (const resource of ['address', 'application', 'project']) {
    await expect(page.getByText(new RegExp(`^${resource} (removed|gone)`)).first()).toBeVisible();
  }
  await expect(page.getByText(`The name ${name} was freed`)).toBeVisible();
  // What the container wrote is in one piece, as on a page that is loaded later.
  const why = page.getByRole('region', { name: 'Why: the last lines of the container' });
  await expect(why.getByRole('log')).toContainText('cannot open model file');
  await keep(page, 'failed');

  const { deployment } = await (await page.request.get(`${origin(failing)}/api/deployment/${id}`)).json();
  expect(deployment).toMatchObject({ status: 'failure', phase: 'failed', error: { code: 'CRASH_LOOP' } });


  await expectAwake(page);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.waitForURL(url => url.pathname.includes('/dep_') && !url.pathname.includes(id));
  await expect(page.getByText(`Retry of ${name}`)).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Nothing was left behind' })).toBeVisible({ timeout: 40_000 });
  await keep(page, 'another-try');
  await page.getByRole('link', { name: 'See the earlier attempt' }).click();
  await page.waitForURL(new RegExp(id));
  await expect(page.getByText('It has been retried since')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Try again' })).toBeHidden();
  await keep(page, 'tried-again');
  await page.getByRole('link', { name: 'See the newer attempt' }).click();
  await expect(page.getByText(`Retry of ${name}`)).toBeVisible();
});

test('a reload in the middle shows the same deployment and goes on', async ({ page, request }) => {
  // The deployment under test waits behind this one, so that its waiting state can be checked.
  await start(request, slow, freshName('ahead'));
  const name = freshName('reload');
  const id = await deploy(page, origin(slow), name);
  await expect(page.getByRole('progressbar')).toBeVisible();
  const before = await progress(page);
  await page.reload();
  expect(page.url()).toContain(id);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
  expect(await progress(page)).toBeGreaterThanOrEqual(before);
  await expectLive(page, name);
});

async function progress(page: Page): Promise<number> {
  return page.getByRole('progressbar').evaluate(bar => Number((bar as HTMLProgressElement).value));
}
