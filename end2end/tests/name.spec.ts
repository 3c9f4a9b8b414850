// Choosing a name: the page validates it while a person types.
import { ready, stackAddress } from '../portals';
import {
  deployButton, expect, expectLive, freshName, keep, nameField, startLive, test, typeName,
} from './fixtures';

test('the address and the verdict appear while typing', async ({ page }) => {
  const name = freshName('typed');
  await page.goto('/');
  await expect(nameField(page)).toHaveAccessibleName('Name');
  await keep(page, 'home');
  await typeName(page, name, /is available/);
  await expect(page.getByText(stackAddress(ready, name)).first()).toBeVisible();
  await expect(deployButton(page)).toBeEnabled();
  await keep(page, 'free');
});

test('a name against the rules says which rule, tied to the field', async ({ page }) => {
  await page.goto('/');
  await typeName(page, 'my--stack', /Hyphens can't stand next to each other/);
  await expect(nameField(page)).toHaveAccessibleDescription(/Hyphens can't stand next to each other/);
  await expect(nameField(page)).toHaveAttribute('aria-invalid', 'true');
  await keep(page, 'invalid');
});

test('a taken name says so and offers free ones', async ({ page, request }) => {
  const name = freshName('taken');
  await startLive(request, ready, name);
  await page.goto('/');
  await typeName(page, name, new RegExp(`${name} is taken`));
  await keep(page, 'taken');
  await page.getByRole('status').getByRole('link').first().click();
  await expect(nameField(page)).not.toHaveValue(name);
  await expect(page.getByText(/is available/)).toBeVisible();
});

test('Enter in the field does what the button does', async ({ page }) => {
  const name = freshName('enter');
  await page.goto('/');
  await typeName(page, name, /is available/);
  await nameField(page).press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
  await expectLive(page, name);
});

test('a taken name that is typed again and sent is checked once', async ({ page, request }) => {
  const name = freshName('again');
  await startLive(request, ready, name);
  await page.goto('/');
  await typeName(page, name, new RegExp(`${name} is taken`));
  const asked: string[] = [];
  page.on('request', asking => {
    if (asking.url().includes('check_name')) asked.push(asking.url());
  });
  await nameField(page).fill(`${name}-x`);
  await nameField(page).fill(name);
  await nameField(page).press('Enter');
  // The checks come in the order in which they are asked for.
  await typeName(page, freshName('other'), /is available/);
  const names = asked.map(address => new URL(address).searchParams.get('name'));
  expect(names.filter(one => one === name), asked.join()).toHaveLength(1);
});

test('an answer that is not of the portal is told, and the button works again', async ({ page }) => {
  const name = freshName('proxied');
  await page.goto('/');
  // As of a proxy whose own session has expired.
  await page.route('**/api/fn/start_deployment', route =>
    route.fulfill({ status: 200, contentType: 'text/html', body: '<html><body>Log in</body></html>' }));
  await typeName(page, name, /is available/);
  await deployButton(page).click();
  await expect(page.getByText('The portal gave an answer that this page does not understand.')).toBeVisible();
  await expect(deployButton(page)).toBeEnabled();
});
