// Without JavaScript: the form is posted, and the page shows the progress and reloads itself.
import { failing, origin, ready, slow } from '../portals';
import {
  arrive, cancelButton, deployButton, expect, expectFree, expectLive, freshName, keep, nameField, start, startLive,
  test, unfoldRemoval,
} from './fixtures';

test.use({ javaScriptEnabled: false });

test('a name becomes a live stack with JavaScript off', async ({ page }) => {
  const name = freshName('plain');
  await page.goto(origin(ready));
  await nameField(page).fill(name);
  await deployButton(page).click();
  await arrive(page, name);
  await expectLive(page, name);
  await keep(page, 'plain-live');
});

test('a failure is shown with JavaScript off', async ({ page }) => {
  const name = freshName('plainbad');
  await page.goto(origin(failing));
  await nameField(page).fill(name);
  await deployButton(page).click();
  await arrive(page, name);
  await expect(page.getByRole('heading', { name: 'Nothing was left behind' })).toBeVisible({ timeout: 40_000 });
  const first = page.url();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.waitForURL(url => url.pathname.includes('/dep_') && url.href !== first);
  await expect(page.getByText(`Retry of ${name}`)).toBeVisible();
});

test('cancelling works with JavaScript off', async ({ page, request }) => {
  const name = freshName('plaincancel');
  const id = await start(request, slow, name);
  await page.goto(`${origin(slow)}/deployments/${id}`);
  await cancelButton(page).click();
  await expect(page.getByRole('heading', { name: `${name} was cancelled` })).toBeVisible({ timeout: 40_000 });
  expect(page.url()).toContain(id);
  await expect(page.getByText(`The name ${name} was freed.`)).toBeVisible();
});

test('a stack is removed with JavaScript off', async ({ page, request }) => {
  const name = freshName('plainremove');
  const id = await startLive(request, ready, name);
  await page.goto(`${origin(ready)}/deployments/${id}`);
  await (await unfoldRemoval(page, name)).click();
  await arrive(page, name);
  await expect(page.getByRole('heading', { name: `${name} is removed` })).toBeVisible({ timeout: 40_000 });
  await expectFree(request, ready, name, true);
});

test('what could not be done is said with JavaScript off', async ({ page, request }) => {
  const name = freshName('plainlate');
  const id = await startLive(request, ready, name);
  await page.goto(`${origin(ready)}/deployments/${id}?refused=ALREADY_ENDED`);
  await expect(page.getByText('The deployment ended before it could be cancelled.')).toBeVisible();
  await keep(page, 'plain-refused-cancel');
});

test('a refused name comes back on the page, with what was typed', async ({ page }) => {
  await page.goto(origin(ready));
  await nameField(page).fill('admin');
  await deployButton(page).click();
  await expect(page.getByText('This name is kept for the system')).toBeVisible();
  await expect(nameField(page)).toHaveValue('admin');
  await keep(page, 'plain-refused');
});
