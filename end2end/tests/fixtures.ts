// Shared by all tests: a page that fails its test on any error in the console, any uncaught error and any
// violation of the content security policy, and actions that many tests need.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test as base, type APIRequestContext, type BrowserContext, type Page } from '@playwright/test';
import { origin, platform, platformKey, provider, type Portal } from '../portals';

interface Options {
  /** Console errors that belong to the scenario, such as those of a connection cut on purpose. */
  expectedErrors: RegExp;
}

/** The contexts without JavaScript. */
const plain = new WeakSet<BrowserContext>();

export const test = base.extend<Options>({
  expectedErrors: [/^$/, { option: true }],
  context: async ({ context, expectedErrors, javaScriptEnabled }, use) => {
    if (!javaScriptEnabled) plain.add(context);
    const errors: string[] = [];
    context.on('console', message => {
      // Chromium also reports violations of the policy as errors.
      if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
    });
    context.on('weberror', event => errors.push(`uncaught: ${String(event.error())}`));
    await context.addInitScript(() =>
      document.addEventListener('securitypolicyviolation', violation =>
        console.error(`policy: ${violation.violatedDirective} ${violation.blockedURI}`),
      ),
    );
    await use(context);
    const unexpected = errors.filter(error => !expectedErrors.test(error));
    expect(unexpected, 'errors in the console').toEqual([]);
  },
});

export { expect };

let count = 0;

/** Returns a valid name that no other test of this run uses. */
export const freshName = (prefix: string) =>
  `${prefix}-${test.info().workerIndex}${(count++).toString(36)}${Date.now().toString(36).slice(-5)}`;

export const nameField = (page: Page) => page.getByLabel('Name', { exact: true });
export const deployButton = (page: Page) => page.getByRole('button', { name: 'Deploy' });
export const cancelButton = (page: Page) => page.getByRole('button', { name: 'Cancel', exact: true });
export const openLink = (page: Page) => page.getByRole('link', { name: 'Open', exact: true });

/**
 * Types `name` until the page shows `verdict`, which only the hydrated page does. Text typed before hydration
 * is lost, so it is typed again.
 */
export async function typeName(page: Page, name: string, verdict: RegExp) {
  await expect(async () => {
    await nameField(page).fill('');
    await nameField(page).pressSequentially(name);
    await expect(page.getByText(verdict).first()).toBeVisible({ timeout: 2_000 });
  }).toPass();
}

/** Picks `name` on the hydrated home page and presses the button; returns the deployment's id. */
export async function deploy(page: Page, home: string, name: string): Promise<string> {
  await page.goto(home);
  await typeName(page, name, /is available/);
  await deployButton(page).click();
  return arrive(page, name);
}

/** Starts the deployment of `name` without a page; returns the deployment's id. */
export async function start(request: APIRequestContext, portal: Portal, name: string): Promise<string> {
  const answer = await request.post(`${origin(portal)}/api/deploy`, { data: { name } });
  expect(answer.status()).toBe(201);
  return (await answer.json()).deploymentId;
}

/** Starts `name`, waits until it is live and returns the deployment's id. */
export async function startLive(request: APIRequestContext, portal: Portal, name: string): Promise<string> {
  const id = await start(request, portal, name);
  await expectPhase(request, portal, id, 'completed');
  return id;
}

/** Waits until the operation `id` is in `phase`. */
export async function expectPhase(request: APIRequestContext, portal: Portal, id: string, phase: string) {
  const current = async () => {
    const answer = await request.get(`${origin(portal)}/api/deployment/${id}`);
    return (await answer.json()).deployment.phase;
  };
  await expect.poll(current, { timeout: 40_000 }).toBe(phase);
}

/** Checks whether `name` is available. */
export async function expectFree(request: APIRequestContext, portal: Portal, name: string, isFree: boolean) {
  // The check is advisory: it learns of a change a moment later.
  const available = async () => (await (await request.get(`${origin(portal)}/api/check/${name}`)).json()).available;
  await expect.poll(available, `${name} is ${isFree ? 'free' : 'taken'}`).toBe(isFree);
}

/** Adds faults to the standalone sandbox. */
export async function spoil(request: APIRequestContext, ...faults: string[]) {
  const headers = { 'x-api-key': platformKey };
  const answer = await request.post(`${platform.origin}/sandbox/faults`, { headers, data: { faults } });
  expect(answer.status()).toBe(200);
}

/** Waits until the page is hydrated: before that, a button posts its form as without JavaScript. */
export async function expectAwake(page: Page) {
  // The theme switch marks the selected theme only after its island runs.
  await expect(page.getByRole('group', { name: 'Theme' }).locator('[aria-pressed=true]')).toBeAttached();
}

export const signInButton = (page: Page) => page.getByRole('link', { name: 'Sign in with Example Ltd' });

/** Signs in at the provider, from any page that requires it. */
export async function signIn(page: Page, account: string) {
  await signInButton(page).click();
  await page.waitForURL(`${provider.origin}/**`);
  await page.getByLabel('Account').fill(account);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(url => url.origin !== provider.origin);
}

/** Waits for the deployment's page and returns the deployment's id. */
export async function arrive(page: Page, name: string): Promise<string> {
  await page.waitForURL(/\/deployments\/(dep|rem)_\w+$/);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
  return new URL(page.url()).pathname.split('/').at(-1)!;
}

/** Waits until the page says that the stack is live, in its own words and in the tab's title. */
export async function expectLive(page: Page, name: string) {
  await expect(openLink(page)).toBeVisible({ timeout: 40_000 });
  await expect(page).toHaveTitle(new RegExp(`${name} is live`));
}

/** Opens the confirmation for the removal of the stack. */
export async function unfoldRemoval(page: Page, name: string) {
  await page.getByText('Remove this stack').click();
  await expect(page.getByText(`This permanently removes ${name}. No data is kept.`)).toBeVisible();
  return page.getByRole('button', { name: `Remove ${name}` });
}

/** Returns a name for an account that nobody else uses. */
export const freshAccount = (prefix: string) => freshName(prefix).replaceAll('-', '');
export const shownAs = (account: string) => account[0].toUpperCase() + account.slice(1);

/** Fails if the page can be scrolled sideways. */
export async function expectNoSidewaysScroll(page: Page) {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    window: document.documentElement.clientWidth,
  }));
  expect(content, 'width of the content').toBeLessThanOrEqual(window);
}

/** Fails if any text has too little contrast with its background, in the light or the dark theme. */
export async function expectReadable(page: Page) {
  const colorScheme = await preferred(page);
  for (const tried of ['light', 'dark'] as const) {
    // With reduced motion, colours change without transitions.
    await page.emulateMedia({ colorScheme: tried, reducedMotion: 'reduce' });
    expect(await page.evaluate(faintTexts), `texts with too little contrast, ${tried}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme, reducedMotion: null });
}

/** Returns the preferred colour scheme, to restore it: emulateMedia cannot be undone otherwise. */
const preferred = (page: Page): Promise<'dark' | 'light'> =>
  page.evaluate(() => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));

/** Lists the visible texts whose contrast is below 4.5; runs in the page. */
function faintTexts(): string[] {
  const channels = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour: string) =>
    channels(colour)
      .slice(0, 3)
      .map(value => value / 255)
      .map(value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element: Element | null): string => {
    if (!element) return 'rgb(255, 255, 255)';
    const colour = getComputedStyle(element).backgroundColor;
    return channels(colour)[3] === 0 ? behind(element.parentElement) : colour;
  };
  const texts = Array.from(document.querySelectorAll('body *')).filter(element => {
    const isOwn = Array.from(element.childNodes).some(node => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
    const isDisabled = element.closest(':disabled, script, noscript, style') !== null;
    return isOwn && !isDisabled && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  });
  return texts.flatMap(element => {
    const [text, ground] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    const contrast = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    return contrast < 4.5 ? [`${element.textContent?.trim()}: ${contrast.toFixed(2)}`] : [];
  });
}

/** Fails if the page violates any of axe's rules, in the light or the dark theme. Axe needs scripts. */
export async function expectAccessible(page: Page) {
  if (plain.has(page.context())) return;
  const colorScheme = await preferred(page);
  for (const tried of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: tried, reducedMotion: 'reduce' });
    // No page has frames, for which the other mode opens another page.
    const axe = new AxeBuilder({ page }).setLegacyMode();
    // Only colours depend on the theme.
    if (tried === 'dark') axe.withRules(['color-contrast', 'link-in-text-block']);
    const { violations } = await axe.analyze();
    const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
    expect(found, `violations of axe's rules at ${page.url()}, ${tried}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme, reducedMotion: null });
}

/** Saves a screenshot of the whole page as end2end/screenshots/<name>.png; with GALLERY set, one each for light and
 * dark, 1280 and 360 pixels. Fails if the page is not accessible. */
export async function keep(page: Page, name: string) {
  const folder = fileURLToPath(new URL('../screenshots', import.meta.url));
  await expectReadable(page);
  const shoot = (kind: string) => page.screenshot({
    path: path.join(folder, `${name}${kind}.png`), fullPage: true,
    // Otherwise a screenshot may show colours in the middle of a transition.
    animations: 'disabled',
  });
  if (!process.env.GALLERY) {
    await shoot('');
    await expectAccessible(page);
    return;
  }
  const before = { colorScheme: await preferred(page), size: page.viewportSize()! };
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await shoot(`-${colorScheme}-${width}`);
    }
  }
  await page.emulateMedia({ colorScheme: before.colorScheme });
  await page.setViewportSize(before.size);
  await expectAccessible(page);
}
