// Kept data: a stack with a volume is removed without its data, which is listed, brought back, and deleted.
import type { APIRequestContext, Page } from '@playwright/test';
import { choice, origin, stackAddress } from '../portals';
import { arrive, deployButton, expect, expectAwake, expectLive, freshName, keep, nameField, test } from './fixtures';

const notebook = `${origin(choice)}/new/notebook`;
const secret = (page: Page) => page.locator('.generated .fresh-token__secret');
const kept = (page: Page, name: string) => page.locator('.token').filter({ hasText: name });

/** Asks the notebook for its files, or writes them. Only browsers resolve every name below localhost. */
async function files(request: APIRequestContext, name: string, password: string, content?: string): Promise<string> {
  const address = `http://127.0.0.1:${choice.edgePort}/files`;
  const headers = { Host: new URL(stackAddress(choice, name)).host, Authorization: `Basic ${btoa(`me:${password}`)}` };
  const answer = content === undefined
    ? await request.get(address, { headers })
    : await request.post(address, { headers, form: { content }, maxRedirects: 0 });
  expect(answer.status()).toBeLessThan(400);
  return answer.text();
}

/** Starts a notebook from the form that is open; returns its generated password. */
async function startNotebook(page: Page, name: string): Promise<string> {
  await nameField(page).fill(name);
  await deployButton(page).click();
  await arrive(page, name);
  const password = await secret(page).innerText();
  // Without scripts, the page stays as it is while it shows what is shown only once.
  await page.goto(page.url());
  await expectLive(page, name);
  return password;
}

/** Presses one of the two buttons of a removal, and waits for its end. */
async function remove(page: Page, name: string, button: string) {
  await page.getByText('Remove this stack').click();
  await expect(page.getByText(`This removes ${name}. Its data is kept for 7 days, and can be brought back.`)).toBeVisible();
  await keep(page, 'remove-data-unfolded');
  await page.getByRole('button', { name: button, exact: true }).click();
  await arrive(page, name);
  await expect(page.getByRole('heading', { name: `${name} is removed` })).toBeVisible({ timeout: 40_000 });
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled });

    test('the data of a removed stack is listed, brought back, and deleted', async ({ page, request }) => {
      test.setTimeout(120_000);
      const plain = javaScriptEnabled ? '' : '-plain';
      const [first, second] = [freshName('kept'), freshName('again')];
      await page.goto(`${origin(choice)}/data`);
      await expect(page.getByText('Nothing is kept.')).toBeVisible();
      await keep(page, `data-empty${plain}`);

      await page.goto(notebook);
      if (javaScriptEnabled) await expectAwake(page);
      const password = await startNotebook(page, first);
      await files(request, first, password, 'My only copy.');
      await remove(page, first, `Remove ${first}`);
      await expect(page.getByRole('heading', { name: 'Nothing was left behind but the data' })).toBeVisible();
      await expect(page.getByText(/^volume kept$/i)).toBeVisible();
      await keep(page, `removed-data${plain}`);

      await page.goto(`${origin(choice)}/data`);
      await expect(kept(page, first)).toContainText(/Kept until \d/);
      await keep(page, `data${plain}`);
      await kept(page, first).getByRole('link', { name: 'Bring it back' }).click();
      await expect(page.getByText('Your stack gets back the data that was kept.')).toBeVisible();
      if (javaScriptEnabled) await expectAwake(page);
      await keep(page, `new-data${plain}`);
      const another = await startNotebook(page, second);
      expect(await files(request, second, another)).toContain('My only copy.');

      const live = page.url();
      await page.goto(`${origin(choice)}/data`);
      await expect(kept(page, first), 'it belongs to the new stack').toHaveCount(0);
      await page.goto(live);
      if (javaScriptEnabled) await expectAwake(page);
      await remove(page, second, `Remove ${second}`);
      await page.goto(`${origin(choice)}/data`);
      await kept(page, second).getByRole('button', { name: 'Delete it now' }).click();
      await expect(async () => {
        await page.goto(`${origin(choice)}/data`);
        await expect(page.getByText('Nothing is kept.')).toBeVisible({ timeout: 1_000 });
      }).toPass({ timeout: 40_000 });
    });

    test('a removal with the data keeps nothing', async ({ page }) => {
      test.setTimeout(90_000);
      const name = freshName('nodata');
      await page.goto(notebook);
      if (javaScriptEnabled) await expectAwake(page);
      await startNotebook(page, name);
      if (javaScriptEnabled) await expectAwake(page);
      await remove(page, name, `Remove ${name} and its data`);
      await expect(page.getByRole('heading', { name: 'Nothing was left behind', exact: true })).toBeVisible();
      await expect(page.getByText(/^volume removed/i)).toBeVisible();
      await page.goto(`${origin(choice)}/data`);
      await expect(page.getByText('Nothing is kept.')).toBeVisible();
    });
  });
}
