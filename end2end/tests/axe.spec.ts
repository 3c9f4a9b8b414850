// Axe's rules on every page, light and dark, wide and narrow. The states on the way through a deployment are checked where
// they are reached: `keep` does so.
import type { Page } from '@playwright/test';
import { choice, failing, guarded, origin, ready, single, slow } from '../portals';
import {
  deployButton, expect, expectAccessible, expectAwake, expectPhase, freshName, nameField, openLink, signIn, start,
  startLive, test, unfoldRemoval,
} from './fixtures';

/** Checks the page as it is, and as on a telephone. */
async function expectAccessibleEverywhere(page: Page) {
  const size = page.viewportSize()!;
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    await expectAccessible(page);
  }
  await page.setViewportSize(size);
}

/** Opens everything that is folded. */
const unfold = (page: Page) =>
  page.locator('details').evaluateAll(all => all.forEach(details => details.setAttribute('open', '')));

const alone: [string, string][] = [
  ['the home page', origin(ready)],
  ['the home page with a name', `${origin(ready)}/?name=alice`],
  ['the home page with a refused name', `${origin(ready)}/?name=admin&refused=INVALID_NAME`],
  ['the home page with the templates', origin(choice)],
  ['the home page with a single form', origin(single)],
  ['the templates', `${origin(choice)}/new`],
  ['the questions of the chat', `${origin(choice)}/new/chat`],
  ['the questions of the notebook', `${origin(choice)}/new/notebook`],
  ['the questions of the workflows', `${origin(choice)}/new/workflow`],
  ['questions that a link answers', `${origin(choice)}/new/chat?name=alice&p.temperature=1.5&p.own_key=true&p.model=mini:3`],
  ['the description of a template', `${origin(single)}/new/studio`],
  ['the sign-in', `${origin(guarded)}/sign-in`],
  ['a refused sign-in', `${origin(guarded)}/sign-in?refused=SIGN_IN_DENIED`],
];

for (const [what, address] of alone) {
  test(`${what}, folded and unfolded`, async ({ page }) => {
    await page.goto(address);
    await expectAwake(page);
    await expectAccessible(page);
    await unfold(page);
    await expectAccessibleEverywhere(page);
  });
}

test('the description of the API, which is long', async ({ page }) => {
  test.setTimeout(120_000);
  await page.goto(`${origin(ready)}/api/docs`);
  await expectAccessible(page);
});

test('answers that cannot be used', async ({ page }) => {
  await page.goto(`${origin(choice)}/new/chat`);
  await expectAwake(page);
  await nameField(page).fill('admin');
  await page.getByLabel('E-mail address').fill('nonsense');
  await page.getByRole('textbox', { name: 'Something else:' }).fill('Not A Model');
  await page.getByRole('checkbox').check();
  await page.getByLabel('Domains').evaluate(field => field.closest('details')!.setAttribute('open', ''));
  await page.getByLabel('Domains').fill('not a domain');
  await deployButton(page).click();
  await expect(page.locator('.problems')).toBeFocused();
  await expectAccessibleEverywhere(page);
});

test.describe('without the code', () => {
  test.use({ expectedErrors: /status of 422|net::ERR_FAILED|Failed to fetch/ });

  test('answers that cannot be used', async ({ page }) => {
    // Axe needs scripts, so they are on, but the page's code does not come.
    await page.route('**/*.wasm', route => route.abort());
    await page.goto(`${origin(choice)}/new/chat?name=${freshName('axe')}`);
    await page.getByLabel('E-mail address').fill('nonsense');
    await page.getByLabel('Password').fill('long enough for this');
    const answer = page.waitForResponse(response => response.request().method() === 'POST');
    await deployButton(page).click();
    expect((await answer).status()).toBe(422);
    await expect(page.locator('.problems')).toBeFocused();
    await unfold(page);
    await expectAccessibleEverywhere(page);
  });
});

test.describe('nothing there', () => {
  test.use({ expectedErrors: /status of 404/ });

  for (const path of ['/nowhere', '/deployments/dep_unknown', '/new/unknown']) {
    test(path, async ({ page }) => {
      await page.goto(`${origin(ready)}${path}`);
      await expectAccessibleEverywhere(page);
    });
  }
});

/** Opens the page of the operation `id`. */
async function open(page: Page, home: string, id: string) {
  await page.goto(`${home}/deployments/${id}`);
  await expectAwake(page);
}

test('a deployment that runs, and one that is cancelled', async ({ page, request }) => {
  const id = await start(request, slow, freshName('axe'));
  await open(page, origin(slow), id);
  await expect(page.getByRole('progressbar')).toBeVisible();
  await unfold(page);
  await expectAccessibleEverywhere(page);
  const other = await start(request, slow, freshName('axe'));
  await request.post(`${origin(slow)}/api/deployment/${other}/cancel`);
  await open(page, origin(slow), other);
  await expect(page.getByRole('heading', { name: /was cancelled/ })).toBeVisible({ timeout: 40_000 });
  await unfold(page);
  await expectAccessibleEverywhere(page);
});

test('a live stack, its removal, and its page afterwards', async ({ page, request }) => {
  const name = freshName('axe');
  const id = await startLive(request, ready, name);
  await open(page, origin(ready), id);
  await expect(openLink(page)).toBeVisible();
  await unfold(page);
  await expectAccessibleEverywhere(page);
  await page.locator('details').evaluateAll(all => all.forEach(details => details.removeAttribute('open')));
  await (await unfoldRemoval(page, name)).click();
  await expect(page.getByRole('heading', { name: `${name} is removed` })).toBeVisible({ timeout: 40_000 });
  await unfold(page);
  await expectAccessibleEverywhere(page);
  await page.goto(`${origin(ready)}/deployments/${id}`);
  await expect(page.getByRole('heading', { name: `${name} was removed` })).toBeVisible();
  await unfold(page);
  await expectAccessibleEverywhere(page);
});

test('a live stack with a generated secret', async ({ page }) => {
  await page.goto(`${origin(choice)}/new/workflow?name=${freshName('axe')}`);
  await expectAwake(page);
  await deployButton(page).click();
  await expect(openLink(page)).toBeVisible({ timeout: 40_000 });
  await expect(page.getByRole('heading', { name: 'Generated for your stack' })).toBeVisible();
  await expectAccessibleEverywhere(page);
});

test('a failed deployment with its receipt, and a second attempt', async ({ page, request }) => {
  const id = await start(request, failing, freshName('axe'));
  await expectPhase(request, failing, id, 'failed');
  await open(page, origin(failing), id);
  await expect(page.getByRole('heading', { name: 'Nothing was left behind' })).toBeVisible();
  await unfold(page);
  await expectAccessibleEverywhere(page);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.waitForURL(url => url.pathname.includes('/dep_') && !url.pathname.includes(id));
  await expect(page.getByRole('heading', { name: 'Nothing was left behind' })).toBeVisible({ timeout: 40_000 });
  await expectAccessibleEverywhere(page);
});

test('the account, with a new token and with an error', async ({ page }) => {
  await page.goto(`${origin(guarded)}/account`);
  await signIn(page, freshName('axe').replaceAll('-', ''));
  await expectAwake(page);
  await expectAccessibleEverywhere(page);
  await page.getByLabel('Name').fill('Nightly build');
  await page.getByRole('button', { name: 'Create the token' }).click();
  await expect(page.locator('.fresh-token__secret')).toBeVisible();
  await unfold(page);
  await expectAccessibleEverywhere(page);
  await page.goto(`${origin(guarded)}/account?refused=INVALID_TOKEN_NAME&name=x`);
  await expectAwake(page);
  await expectAccessibleEverywhere(page);
});

test('the pages of the operators', async ({ page }) => {
  await page.goto(`${origin(guarded)}/admin`);
  await signIn(page, 'olga');
  await startAs(page);
  for (const path of ['/admin', '/admin/audit']) {
    await page.goto(`${origin(guarded)}${path}`);
    await expectAwake(page);
    await expectAccessibleEverywhere(page);
    await unfold(page);
    await expectAccessibleEverywhere(page);
  }
});

/** Starts a stack of the person who is signed in, so that the lists are not empty. */
async function startAs(page: Page) {
  await page.goto(`${origin(guarded)}/?name=${freshName('axe')}`);
  await expectAwake(page);
  await deployButton(page).click();
  await page.waitForURL(/deployments/);
}
