// Signing in at a provider, the access that it gives, and the end of a session.
import { type Page } from '@playwright/test';
import { brief, guarded, origin, provider } from '../portals';
import {
  arrive, cancelButton, deployButton, expect, expectAwake, expectLive, expectNoSidewaysScroll, freshAccount, freshName,
  keep, nameField, shownAs, signIn, signInButton, test,
} from './fixtures';

/** Starts `name` from the home page, hydrated or not; returns the deployment's id. */
async function startFromHome(page: Page, home: string, name: string) {
  await page.goto(`${home}/?name=${name}`);
  await deployButton(page).click();
  return arrive(page, name);
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled });

    test('a person signs in, gets their stack, and signs out here and at the provider', async ({ page }) => {
      const [account, name] = [freshAccount('ann'), freshName('signed')];
      await page.goto(`${origin(guarded)}/?name=${name}`);
      await expect(page).toHaveTitle('Sign in');
      await keep(page, `sign-in${javaScriptEnabled ? '' : '-plain'}`);
      await signIn(page, account);
      await expect(nameField(page)).toHaveValue(name);
      await deployButton(page).click();
      await arrive(page, name);
      await expectLive(page, name);

      await page.getByRole('link', { name: shownAs(account) }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(shownAs(account));
      await page.getByRole('button', { name: 'Sign out', exact: true }).click();
      await page.waitForURL(`${provider.origin}/**`);
      await page.getByRole('button', { name: 'Sign out of everything' }).click();
      await page.waitForURL(`${origin(guarded)}/sign-in`);
      await page.goto(`${origin(guarded)}/account`);
      await expect(signInButton(page)).toBeVisible();
      await signInButton(page).click();
      await expect(page.getByLabel('Account'), 'the provider asks again').toBeVisible();
    });

    test('a token is made, shown once, used and revoked', async ({ page, request }) => {
      const [account, name] = [freshAccount('tom'), freshName('bytoken')];
      await page.goto(`${origin(guarded)}/account`);
      await signIn(page, account);
      await expect(page.getByText('You have no tokens.')).toBeVisible();
      await page.getByLabel('Name').fill('Nightly build');
      await page.getByLabel('It may').selectOption('read, start, cancel and remove');
      await page.getByLabel('Valid for').selectOption('30 days');
      await page.getByRole('button', { name: 'Create the token' }).click();

      const shown = page.locator('.fresh-token__secret');
      await expect(shown).toHaveText(/^asd_[\w-]{43}$/);
      const token = await shown.innerText();
      await expect(page.getByText('never used')).toBeVisible();
      if (javaScriptEnabled) await keep(page, 'token-new');
      await page.reload();
      await expect(shown).toHaveCount(0);
      await expect(page.locator('body')).not.toContainText(token);

      const headers = { Authorization: `Bearer ${token}` };
      const answer = await request.post(`${origin(guarded)}/api/deploy`, { headers, data: { name } });
      expect(answer.status()).toBe(201);
      const { deploymentId } = await answer.json();
      await page.goto(`${origin(guarded)}/deployments/${deploymentId}`);
      await expectLive(page, name);

      await page.goto(`${origin(guarded)}/account`);
      await expect(page.getByText(/last used \d/)).toBeVisible();
      await expect(page.getByRole('button', { name: 'Revoke Nightly build' })).toBeHidden();
      await page.locator('summary', { hasText: 'Revoke' }).click();
      if (javaScriptEnabled) await keep(page, 'token-revoke');
      const revoke = page.getByRole('button', { name: 'Revoke Nightly build' });
      expect(await revoke.innerText()).toBe('Revoke Nightly build');
      await revoke.click();
      await expect(page.getByText(/^Revoked on/)).toBeVisible();
      const refused = await request.get(`${origin(guarded)}/api/stacks`, { headers });
      expect(refused.status()).toBe(401);
    });
  });
}

test("somebody else's deployment is not there", async ({ page, browser }) => {
  const name = freshName('hers');
  await page.goto(origin(guarded));
  await signIn(page, freshAccount('ann'));
  const id = await startFromHome(page, origin(guarded), name);

  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(`${origin(guarded)}/deployments/${id}`);
  await signIn(stranger, freshAccount('bob'));
  await expect(stranger.getByRole('heading', { name: 'Deployment not found' })).toBeVisible();
  const answer = await stranger.reload();
  expect(answer?.status()).toBe(404);
  await expect(stranger.locator('body')).not.toContainText(name);
  await stranger.context().close();
});

test('an operator sees what everybody has, and signs somebody out everywhere', async ({ page, browser }) => {
  const [account, name] = [freshAccount('ann'), freshName('theirs')];
  const person = await (await browser.newContext()).newPage();
  await person.goto(origin(guarded));
  await signIn(person, account);
  await startFromHome(person, origin(guarded), name);

  await page.goto(origin(guarded));
  await signIn(page, 'olga');
  await page.getByRole('link', { name: 'Admin' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Admin');
  await expect(page.getByRole('link', { name, exact: true })).toBeVisible();
  const row = page.getByRole('row').filter({ has: page.locator('summary', { hasText: shownAs(account) }) });
  const signOut = page.getByRole('button', { name: new RegExp(`Sign out everywhere.*${shownAs(account)}`) });
  await expect(signOut).toBeHidden();
  await keep(page, 'admin');
  await row.locator('summary').click();
  await keep(page, 'admin-sign-out');
  await signOut.click();
  await expect(page.getByRole('status')).toContainText('All sessions of this person are ended');
  await person.goto(`${origin(guarded)}/account`);
  await expect(signInButton(person)).toBeVisible();
  await person.context().close();

  await page.getByRole('link', { name: 'Audit log' }).click();
  await expect(page.getByRole('row').filter({ hasText: 'Signed a person out' }).first()).toBeVisible();
  await keep(page, 'admin-audit');
  await page.setViewportSize({ width: 360, height: 740 });
  await expectNoSidewaysScroll(page);
  await page.goto(`${origin(guarded)}/admin`);
  await expectNoSidewaysScroll(page);
});

test.describe('while watching', () => {
  test.use({ expectedErrors: /status of 401/ });

  test('a sign-in that ends is said on the page, which leads back to it', async ({ page }) => {
    const [account, name] = [freshAccount('ann'), freshName('brief')];
    await page.goto(origin(brief));
    await signIn(page, account);
    const id = await startFromHome(page, origin(brief), name);
    await expectAwake(page);
    const again = page.getByRole('link', { name: 'Sign in again' });
    await expect(page.getByText('Your session has ended')).toBeVisible({ timeout: 30_000 });
    await expect(again).toBeVisible();
    await expect(cancelButton(page)).toBeHidden();
    await keep(page, 'sign-in-ended');

    await again.click();
    await signInButton(page).click();
    // The session at the provider still exists, so it redirects back immediately.
    await page.waitForURL(`${origin(brief)}/deployments/${id}`);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
  });
});

test('a sign-in that was given up is said in plain words', async ({ page }) => {
  await page.goto(origin(guarded));
  await signInButton(page).click();
  await page.getByRole('button', { name: 'Refuse' }).click();
  await expect(page.getByRole('alert')).toContainText('You were not signed in');
  await expect(signInButton(page)).toBeVisible();
  await keep(page, 'sign-in-refused');
});

test.describe('at 360 px', () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test('nothing scrolls sideways, from the sign-in to a token with a long name', async ({ page }) => {
    await page.goto(`${origin(guarded)}/account`);
    await expectNoSidewaysScroll(page);
    await signIn(page, freshAccount('w').padEnd(70, 'w'));
    await page.getByLabel('Name').fill('x'.repeat(60));
    await page.getByRole('button', { name: 'Create the token' }).click();
    await expect(page.locator('.fresh-token__secret')).toBeVisible();
    await expectNoSidewaysScroll(page);
    await page.locator('summary', { hasText: 'Revoke' }).click();
    await expectNoSidewaysScroll(page);
    await keep(page, 'account-360');
    for (const target of [page.getByLabel('Name'), page.getByRole('button', { name: 'Create the token' })]) {
      expect((await target.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
  });
});
