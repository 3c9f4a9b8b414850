// A failing platform: leftovers are shown and removed later, and deployments wait for the end of an outage. A
// fault affects the next call, whoever makes it, so these tests run one at a time.
import { origin, troubled } from '../portals';
import {
  cancelButton, expect, expectAwake, expectFree, expectNoSidewaysScroll, expectPhase, freshName, keep, openLink, spoil,
  start, startLive, test, unfoldRemoval,
} from './fixtures';

test.describe.configure({ mode: 'serial' });

test('what is left is shown, worked on, and gone in the end', async ({ page, context, request }) => {
  test.setTimeout(180_000);
  const live = freshName('leave');
  const liveId = await startLive(request, troubled, live);
  const old = await context.newPage();
  await old.goto(`${origin(troubled)}/deployments/${liveId}`);
  await expectAwake(old);
  const button = await unfoldRemoval(old, live);

  // Docker goes down when the next container is started: until it is back, no removal can be verified.
  await spoil(request, 'application.deploy:docker-down=60s');
  const name = freshName('stuck');
  const id = await start(request, troubled, name);
  await page.goto(`${origin(troubled)}/deployments/${id}`);
  await expectAwake(page);
  await expectPhase(request, troubled, id, 'rolling_back');
  const asked: number[] = [];
  page.on('request', asking => {
    if (asking.url().endsWith(`/api/deployment/${id}`)) asked.push(Date.now());
  });
  await button.click();
  await old.waitForURL(/rem_/);
  await expect(old.getByRole('heading', { name: `Removing ${live}` })).toBeVisible();
  await expect(old.getByRole('status').first()).toHaveText('Stopping the container');
  await expect(old).toHaveTitle(`${live}: removing`);
  expect(await old.getByRole('progressbar').evaluate(bar => bar.matches(':indeterminate'))).toBe(true);
  await keep(old, 'removing');
  await expect(page.locator('.badge')).toContainText('Cleaning up');
  await keep(page, 'cleaning-up');

  const third = await context.newPage();
  await third.goto(`${origin(troubled)}/deployments/${liveId}`);
  await expect(third.getByRole('heading', { name: `${live} is being removed` })).toBeVisible();
  await expect(openLink(third)).toBeHidden();
  await keep(third, 'being-removed');
  await third.getByRole('link', { name: 'See the removal' }).click();
  await third.waitForURL(old.url());

  // A deployment can also be cancelled while it is being undone.
  const late = freshName('late');
  const lateId = await start(request, troubled, late);
  await expectPhase(request, troubled, lateId, 'rolling_back');
  const wish = await request.post(`${origin(troubled)}/api/deployment/${lateId}/cancel`);
  expect(wish.status()).toBe(202);
  await third.goto(`${origin(troubled)}/deployments/${lateId}`);
  await expect(third.locator('.badge')).toContainText('Cancelling');

  // The page learns about the end from the stream, and about the clean-up afterwards by requests.
  await expect(page.getByRole('heading', { name: 'Some resources are left' })).toBeVisible({ timeout: 50_000 });
  await expect(page.getByText(/We keep trying to remove the rest; the next attempt is in about \d+ s\./)).toBeVisible();
  await expect(page.getByText(`The name ${name} stays reserved until then`)).toBeVisible();
  await expect(page.getByRole('link', { name: 'Choose another name' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Try again' })).toBeHidden();
  await expectFree(request, troubled, name, false);
  await expect(old.getByRole('heading', { name: `${live} is only partly removed` })).toBeVisible({ timeout: 50_000 });
  await keep(old, 'removal-stuck');
  await expectNoSidewaysScroll(old);
  await old.getByRole('button', { name: 'Try now' }).click();
  await keep(page, 'stuck');
  await expect(third.getByRole('heading', { name: `${late} was cancelled` })).toBeVisible({ timeout: 50_000 });
  const why = 'The platform\'s Docker does not answer. An operator must check it.';
  await expect(third.locator('.ended__message')).toHaveText(why);
  await expect(third.locator('.step[data-state=failed]')).toHaveCount(1);
  await keep(third, 'cancelled-late');

  await expect(page.getByText('Everything has been removed by now', { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('status').first()).toHaveText(
    `Everything has been removed by now. The name ${name} was freed.`,
  );
  const pauses = asked.slice(1).map((time, before) => time - asked[before]);
  expect(pauses.filter(pause => pause < 10_000), 'it asks once each time').toEqual([]);
  expect(pauses.length).toBeGreaterThan(0);
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
  await expectFree(request, troubled, name, true);
  await keep(page, 'removed-since');
  await expect(old.getByRole('heading', { name: `${live} is removed` })).toBeVisible({ timeout: 50_000 });
  await expect(old.getByRole('link', { name: 'Deploy something new' })).toBeVisible();
  await expectFree(request, troubled, live, true);
});

test('a deployment is cancelled while its container starts, and nothing is left', async ({ page, request }) => {
  // The test has this much time.
  await spoil(request, 'application.deploy:latency=14s');
  const name = freshName('cancel').padEnd(32, 'x');
  const id = await start(request, troubled, name);
  await page.route('**/cancel_deployment', route => route.fulfill({ status: 200, body: 'not ours' }));
  await page.goto(`${origin(troubled)}/deployments/${id}`);
  await expectAwake(page);
  await cancelButton(page).click();
  const problem = page.getByText('The portal gave an answer that this page does not understand');
  await expect(problem).toBeVisible();
  await keep(page, 'cancel-refused');
  // The notice does not cover anything that can be clicked.
  const log = page.locator('.log');
  await log.getByText('Log').click();
  await expect(log).toHaveAttribute('open');
  await log.getByText('Log').click();

  // The cancel request was not accepted, so it can be repeated.
  await page.unroute('**/cancel_deployment');
  let loads = 0;
  page.on('load', () => loads++);
  await cancelButton(page).click();
  const cancelling = page.getByRole('button', { name: 'Cancelling…' });
  await expect(cancelling).toBeDisabled();
  await expect(cancelling).toBeFocused();
  await expect(problem).toBeHidden();
  await expect(page.locator('.badge')).toContainText('Cancelling');
  await expect(page).toHaveTitle(`${name}: cancelling`);
  await keep(page, 'cancelling');
  await page.setViewportSize({ width: 360, height: 740 });
  await expectNoSidewaysScroll(page);
  expect((await cancelling.boundingBox())?.height).toBeGreaterThanOrEqual(44);

  await expect(page.getByRole('heading', { name: `${name} was cancelled` })).toBeVisible({ timeout: 40_000 });
  await expect(page.getByRole('heading', { name: 'Nothing was left behind' })).toBeVisible();
  await expect(page.getByText(`The name ${name} was freed.`)).toBeVisible();
  await expect(page).toHaveTitle(`${name} was cancelled`);
  await expect(page.locator('link[rel=icon]')).toHaveAttribute('href', '/icon-over.svg');
  await expect(cancelling).toBeHidden();
  await expectNoSidewaysScroll(page);
  expect(loads, 'loads of the page while it was cancelled').toBe(0);
  await expectFree(request, troubled, name, true);
  await keep(page, 'cancelled');
});

test('what somebody else cancels shows on an open page as cancelling', async ({ page, request }) => {
  await spoil(request, 'application.deploy:latency=4s', 'domain.delete:latency=6s');
  const name = freshName('other');
  const id = await start(request, troubled, name);
  await page.goto(`${origin(troubled)}/deployments/${id}`);
  await expectAwake(page);
  await expectPhase(request, troubled, id, 'deploying');
  const wish = await request.post(`${origin(troubled)}/api/deployment/${id}/cancel`);
  expect(wish.status()).toBe(202);
  await expectPhase(request, troubled, id, 'rolling_back');
  await expect(page.locator('.badge')).toContainText('Cancelling');
  await expect(page.locator('.step[data-state=stopped]')).toHaveCount(1);
  await expect(page.locator('.step[data-state=failed]')).toHaveCount(0);
  await keep(page, 'cancelling-elsewhere');
  await expect(page.getByRole('heading', { name: `${name} was cancelled` })).toBeVisible({ timeout: 40_000 });
});

test('while the platform is down the step says what it waits for, and goes on', async ({ page, request }) => {
  test.setTimeout(150_000);
  await spoil(request, 'application.deploy:database-down=4s');
  const name = freshName('down');
  const all = await Promise.all([name, ...'abcd'].map((_, at) => start(request, troubled, at ? freshName('too') : name)));
  await page.goto(`${origin(troubled)}/deployments/${all[0]}`);
  const step = page.locator('.step[data-state=running]');
  await expect(step).toContainText('Waiting for the platform to answer again', { timeout: 40_000 });
  await expect(page.getByRole('status').first()).toHaveText('Waiting for the platform to answer again');
  await keep(page, 'platform-down');
  await expect(page.getByRole('heading', { name: `${name} is live` })).toBeVisible({ timeout: 90_000 });
  for (const id of all) await expectPhase(request, troubled, id, 'completed');
});

test('how long it usually takes is said once it was measured', async ({ page, request }) => {
  // The earlier tests deployed stacks on this portal, most of which waited about a minute.
  await page.goto(origin(troubled));
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/^Your own AI stack, in about (a minute|\d+ minutes|\d+ seconds)$/);
  await keep(page, 'home-measured');
  await spoil(request, 'application.deploy:latency=12s');
  const id = await start(request, troubled, freshName('usual'));
  await page.goto(`${origin(troubled)}/deployments/${id}`);
  await expect(page.getByText(/^usually (up to \d+|\d+–\d+) s more$/)).toBeVisible();
  await expectNoSidewaysScroll(page);
  await keep(page, 'usual');
});
