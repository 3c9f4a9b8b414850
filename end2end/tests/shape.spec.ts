// The layout of the pages: narrow, dark, and for addresses that do not exist.
import { failing, origin, ready } from '../portals';
import { deploy, expect, expectLive, expectNoSidewaysScroll, freshName, keep, nameField, test } from './fixtures';

test.describe('at 360 px', () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test('nothing scrolls sideways, from home to live', async ({ page }) => {
    const name = freshName('narrow');
    await page.goto(origin(ready));
    await expectNoSidewaysScroll(page);
    await keep(page, 'home-360');
    await deploy(page, origin(ready), name);
    await expectNoSidewaysScroll(page);
    await expectLive(page, name);
    await expectNoSidewaysScroll(page);
    await keep(page, 'live-360');
  });

  test('nothing scrolls sideways with the longest name, nor on a failure', async ({ page }) => {
    const name = freshName('narrow').padEnd(32, 'x');
    await deploy(page, origin(failing), name);
    await expect(page.getByRole('heading', { name: 'Nothing was left behind' })).toBeVisible({ timeout: 40_000 });
    await expectNoSidewaysScroll(page);
    await keep(page, 'failed-360');
  });

  test('the page about the API does not scroll sideways, nor with everything unfolded', async ({ page }) => {
    await page.goto(`${origin(ready)}/api/docs`);
    await expectNoSidewaysScroll(page);
    await keep(page, 'api-docs-360');
    for (const answers of await page.locator('summary').all()) await answers.click();
    await expectNoSidewaysScroll(page);
    await page.getByRole('link', { name: 'DeployRequest' }).first().click();
    await expect(page).toHaveURL(/#schema-DeployRequest$/);
    await expect(page.getByRole('heading', { name: 'DeployRequest' })).toBeInViewport();
  });

  test('what can be pressed is large enough for a thumb', async ({ page }) => {
    await page.goto(origin(ready));
    for (const target of [nameField(page), page.getByRole('button', { name: 'Deploy' })]) {
      expect((await target.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
  });
});

test.describe('dark', () => {
  test.use({ colorScheme: 'dark' });

  test('the page follows the preference', async ({ page }) => {
    await page.goto(origin(ready));
    await keep(page, 'home-dark');
    const [red, green, blue] = await page.evaluate(() => {
      const canvas = document.createElement('canvas').getContext('2d')!;
      canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    });
    expect(Math.max(red, green, blue), 'brightest channel of the background').toBeLessThan(80);
  });
});

test.describe('nothing there', () => {
  test.use({ expectedErrors: /status of 404/ });

  test('an unknown address is a real 404 with a way home', async ({ page }) => {
    const answer = await page.goto(`${origin(ready)}/nowhere`);
    expect(answer?.status()).toBe(404);
    await keep(page, 'not-found');
    await page.getByRole('link', { name: /home|start|name/i }).first().click();
    await expect(nameField(page)).toBeVisible();
  });

  test('an unknown deployment is a real 404', async ({ page }) => {
    const answer = await page.goto(`${origin(ready)}/deployments/dep_unknown`);
    expect(answer?.status()).toBe(404);
  });
});

test('the first frame is the final frame: nothing moves at hydration', async ({ page }) => {
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver(list => {
      for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value);
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(origin(ready), { waitUntil: 'networkidle' });
  const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
  expect(shifts).toEqual([]);
});
