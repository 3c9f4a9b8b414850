// Many templates, none, and one that is withdrawn.
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { bare, folder, many, origin, single } from '../portals';
import { deployButton, expect, expectAccessible, expectAwake, freshName, keep, nameField, test } from './fixtures';

const search = (page: Page) => page.getByRole('searchbox', { name: 'Search' });
const cards = (page: Page) => page.locator('.card:visible').getByRole('link');
const nothing = (page: Page) => page.getByRole('status').filter({ hasText: 'No template has this' });

for (const [where, address] of [['the home page', `${origin(many)}/?name=alice`], ['/new', `${origin(many)}/new?name=alice`]]) {
  test(`many templates are searched by name and description on ${where}`, async ({ page }) => {
    await page.goto(address);
    await expectAwake(page);
    expect(await cards(page).count()).toBeGreaterThanOrEqual(8);
    await search(page).fill(' COMPASS ');
    await expect(cards(page), 'one has it in its name, one in its description').toHaveText(['Compass', 'Gimbal']);
    await expect(nothing(page)).toBeHidden();
    await keep(page, 'cards-found');
    await search(page).fill('xylophone');
    await expect(cards(page)).toHaveCount(0);
    await expect(nothing(page)).toBeVisible();
    await keep(page, 'cards-not-found');
    await search(page).fill('');
    await expect(nothing(page)).toBeHidden();
    expect(await cards(page).count()).toBeGreaterThanOrEqual(8);
    await keep(page, 'cards-many');
    // By the keyboard: past what is hidden, to the only card that is left.
    await search(page).fill('beads');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Abacus' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(`${origin(many)}/new/abacus?name=alice`);
    await expect(nameField(page)).toHaveValue('alice');
  });
}

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('many templates are all there, and no search that does nothing', async ({ page }) => {
    await page.goto(`${origin(many)}/new`);
    expect(await cards(page).count()).toBeGreaterThanOrEqual(8);
    await expect(search(page)).toBeHidden();
    await expect(nothing(page)).toBeHidden();
    await keep(page, 'cards-many-plain');
    await page.getByRole('link', { name: 'Hammock' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Start Hammock');
  });
});

for (const [where, address] of [['the home page', origin(bare)], ['/new', `${origin(bare)}/new`]]) {
  test(`where nothing can be started, ${where} says so`, async ({ page }) => {
    await page.goto(address);
    await expectAwake(page);
    await expect(page.getByText('There is no template, so nothing can be started. An operator must add one.')).toBeVisible();
    await expect(deployButton(page)).toHaveCount(0);
    await keep(page, 'no-templates');
  });
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(`the only template, ${javaScriptEnabled ? 'with' : 'without'} scripts`, () => {
    test.use({ javaScriptEnabled, expectedErrors: /status of 400/ });

    test('a link fills the form on the home page, which says what cannot be used', async ({ page }) => {
      await page.goto(`${origin(single)}/?name=admin&p.paper=a3&p.motto=Draw.`);
      if (javaScriptEnabled) await expectAwake(page);
      await expect(page.getByText('This answer comes from the link that you followed.')).toHaveCount(2);
      await expect(page.getByRole('radio', { name: 'A3' })).toBeChecked();
      await deployButton(page).click();
      await expect(page.locator('.problems')).toBeFocused();
      await expect(page.locator('.problems').getByRole('link')).toHaveText(['Name']);
      await page.locator('.problems').getByRole('link').click();
      await expect(nameField(page)).toBeFocused();
      await expect(page.getByLabel('Motto')).toHaveValue('Draw.');
      await expect(page.getByRole('radio', { name: 'A3' })).toBeChecked();
      await keep(page, `single-refused${javaScriptEnabled ? '' : '-plain'}`);
      await nameField(page).fill(freshName('only'));
      await deployButton(page).click();
      await page.waitForURL(/\/deployments\/dep_/);
    });
  });
}

test.describe('a template that is withdrawn', () => {
  test.use({ expectedErrors: /status of 404/ });

  test('is said on its form, and nothing is lost', async ({ page, request }) => {
    const name = freshName('late');
    await page.goto(`${origin(many)}/new/fleeting`);
    await expectAwake(page);
    await nameField(page).fill(name);
    await page.getByLabel('Motto').fill('Carpe diem.');
    rmSync(path.join(folder(many), 'catalogue', 'fleeting'), { recursive: true });
    await expect.poll(async () => (await request.get(`${origin(many)}/new/fleeting`)).status(), { timeout: 15_000 }).toBe(404);
    await deployButton(page).click();
    await expect(page.locator('.questions__status')).not.toBeEmpty();
    await keep(page, 'withdrawn');
    await expect(page.getByLabel('Motto')).toHaveValue('Carpe diem.');
    const verdict = await (await request.get(`${origin(many)}/api/check/${name}`)).json();
    expect(verdict.available, 'nothing was started').toBe(true);
    await page.goto(`${origin(many)}/new/fleeting`);
    await expectAccessible(page);
  });
});
