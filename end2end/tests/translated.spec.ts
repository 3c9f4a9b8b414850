// The translator of a browser replaces text nodes by elements of its own, as Chrome's does: <font><font>…</font></font>.
// What changes on a page must not be lost with the node.
import type { Page } from '@playwright/test';
import { failing, origin, ready, slow } from '../portals';
import {
  cancelButton, deployButton, expect, expectAwake, expectLive, freshName, nameField, openLink, start, test,
} from './fixtures';

/** Translates the page once, and then whatever is added to it. */
const translate = (page: Page) =>
  page.evaluate(() => {
    const wrap = (root: Node) => {
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      const texts: Text[] = root instanceof Text ? [root] : [];
      while (walker.nextNode()) texts.push(walker.currentNode as Text);
      for (const text of texts) {
        if (!text.data.trim() || !text.isConnected || text.parentElement?.closest('font, script, style, noscript')) continue;
        const [outer, inner] = [document.createElement('font'), document.createElement('font')];
        inner.textContent = text.data;
        outer.append(inner);
        text.replaceWith(outer);
      }
    };
    wrap(document.body);
    // It asks a service for the translation, so it does not change the page in the same task.
    new MutationObserver(changes =>
      setTimeout(() => changes.forEach(({ addedNodes }) => addedNodes.forEach(wrap))),
    ).observe(document.body, { childList: true, subtree: true });
  });

test('a translated page follows a deployment until it is live', async ({ page, request }) => {
  const badge = page.locator('.badge');
  let name = '';
  // On a busy machine, the stack may be live before the page is translated.
  await expect(async () => {
    name = freshName('foreign');
    const id = await start(request, slow, name);
    await page.goto(`${origin(slow)}/deployments/${id}`);
    await expectAwake(page);
    await translate(page);
    await expect(badge).toContainText('Deploying', { timeout: 1_000 });
  }).toPass();
  const time = () => page.locator('.badge__time').textContent();
  const before = await time();
  await expect.poll(time, 'the time goes on').not.toBe(before);
  await page.locator('.log').getByText('Log').click();
  await expectLive(page, name);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${name} is live`);
  await expect(badge).toHaveText(/^Live\s*in \d+/);
  await expect(page.getByRole('status').first()).toHaveText(new RegExp(`^${name} is live at http`));
  await expect(page.locator('.status__remaining')).toHaveText('');
  await expect(page.locator('.steps > summary')).toHaveText('Completed steps');
  for (const step of await page.locator('.step').all()) await expect(step).toContainText('(done)');
  const lines = await page.locator('.log__message').allTextContents();
  expect(new Set(lines).size, 'each line is there once').toBe(lines.length);
});

test('a translated page tells why a deployment failed, and what was removed', async ({ page, request }) => {
  const id = await start(request, failing, freshName('alien'));
  await page.goto(`${origin(failing)}/deployments/${id}`);
  await expectAwake(page);
  await translate(page);
  const again = page.getByRole('button', { name: 'Try again' });
  await expect(again).toBeVisible({ timeout: 40_000 });
  await expect(page.locator('.badge')).toHaveText('Failed');
  await expect(page.locator('.ended__message')).toHaveText(/^The container stopped right after starting/);
  await expect(page.locator('.receipt__heading')).toHaveText('Nothing was left behind');
  // The browser stays on the page.
  await page.route('**/retry_deployment', route => route.fulfill({ status: 204 }));
  await again.click();
  await expect(page.getByRole('button', { name: 'Starting…' })).toBeDisabled();
});

test('a translated page cancels', async ({ page, request }) => {
  const name = freshName('undo');
  const id = await start(request, slow, name);
  await page.goto(`${origin(slow)}/deployments/${id}`);
  await expectAwake(page);
  await translate(page);
  await cancelButton(page).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${name} was cancelled`, { timeout: 40_000 });
  await expect(page.locator('.badge')).toHaveText('Cancelled');
  await expect(openLink(page)).toBeHidden();
});

test('a translated form judges each name that is typed', async ({ page }) => {
  await page.goto(origin(ready));
  await expectAwake(page);
  await translate(page);
  const verdict = page.locator('#name-verdict');
  for (const name of [freshName('one'), freshName('two')]) {
    await nameField(page).fill(name);
    await expect(verdict).toHaveText(new RegExp(`^http://${name}\\..* is available$`));
    await expect(page.locator('#name-address')).toHaveText('');
  }
  await nameField(page).fill('Upper');
  await expect(verdict).toHaveText('Use lower-case letters only');
  await nameField(page).fill('w');
  await expect(verdict).toHaveText('');
  await expect(page.locator('#name-address')).toContainText('//w.');
  await page.route('**/start_deployment', () => new Promise(() => {}));
  await nameField(page).fill(freshName('three'));
  await deployButton(page).click();
  await expect(page.getByRole('button', { name: 'Starting…' })).toBeDisabled();
});

/** Opens a page, and translates it before its code has arrived. */
async function openTranslated(page: Page, address: string) {
  let release = () => {};
  const held = new Promise<void>(resolve => { release = resolve; });
  await page.route('**/*.wasm', async route => {
    await held;
    await route.continue();
  });
  await page.goto(address, { waitUntil: 'domcontentloaded' });
  await translate(page);
  return release;
}

test('a page that is translated before its code runs follows a deployment', async ({ page, request }) => {
  const badge = page.locator('.badge');
  let name = '';
  await expect(async () => {
    name = freshName('early');
    const id = await start(request, slow, name);
    const release = await openTranslated(page, `${origin(slow)}/deployments/${id}`);
    await expect(badge).toContainText('Deploying', { timeout: 1_000 });
    release();
    await expectAwake(page);
    await expect(badge).toContainText('Deploying', { timeout: 1_000 });
  }).toPass();
  await expectLive(page, name);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${name} is live`);
  await expect(badge).toHaveText(/^Live\s*in \d+/);
  await expect(page.locator('.badge font').first(), 'the page is still translated').toBeAttached();
});

test('a form that is translated before its code runs keeps what was typed, and judges it', async ({ page }) => {
  const release = await openTranslated(page, origin(ready));
  const name = freshName('early');
  await nameField(page).fill(name);
  release();
  await expectAwake(page);
  await expect(nameField(page)).toHaveValue(name);
  await expect(nameField(page)).toBeFocused();
  await nameField(page).press('End');
  await nameField(page).pressSequentially('x');
  await expect(page.locator('#name-verdict')).toHaveText(new RegExp(`^http://${name}x\\..* is available$`));
});
