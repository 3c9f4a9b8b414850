// Without JavaScript: the form posts, the page says where things stand and refreshes itself.
import { failing, origin, ready } from '../portals';
import { arrive, deployButton, expect, expectLive, freshName, keep, nameField, test } from './fixtures';

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
  await expect(page.getByText('Nothing was left behind')).toBeVisible({ timeout: 40_000 });
});

test('a refused name comes back on the page, with what was typed', async ({ page }) => {
  await page.goto(origin(ready));
  await nameField(page).fill('admin');
  await deployButton(page).click();
  await expect(page.getByText('This name is kept for the system')).toBeVisible();
  await expect(nameField(page)).toHaveValue('admin');
  await keep(page, 'plain-refused');
});
