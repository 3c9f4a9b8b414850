// A new stack from a template: the cards, the form with every kind of question, what is wrong with the answers, and what
// was generated.
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { choice, origin, single, stackAddress } from '../portals';
import {
  arrive, deployButton, expect, expectAwake, expectLive, expectNoSidewaysScroll, freshName, keep, nameField, openLink,
  startLive, test, typeName,
} from './fixtures';

const chat = `${origin(choice)}/new/chat`;
const email = (page: Page) => page.getByLabel('E-mail address of the administrator');
const password = (page: Page) => page.getByLabel('Password of the administrator');
const ownKey = (page: Page) => page.getByRole('checkbox', { name: 'Use an API key of your own' });
const apiKey = (page: Page) => page.getByLabel('API key', { exact: true });
const prompt = (page: Page) => page.getByLabel('Instructions for the model');
const advanced = (page: Page) => page.getByText('More settings', { exact: true });
const temperature = (page: Page) => page.getByLabel('Temperature');
const domains = (page: Page) => page.getByLabel('Domains that may sign up');
const otherModel = (page: Page) => page.getByRole('textbox', { name: 'Something else:' });
const summary = (page: Page) => page.locator('.problems');
const secret = (page: Page) => page.locator('.generated .fresh-token__secret');

/** Asks the stack for its page. Only browsers resolve every name below localhost. */
const ask = (request: APIRequestContext, name: string, headers: Record<string, string> = {}) =>
  request.get(`http://127.0.0.1:${choice.edgePort}`, {
    headers: { Host: new URL(stackAddress(choice, name)).host, ...headers },
  });

/** Returns the page of the stack as somebody with its password sees it. */
async function visit(request: APIRequestContext, name: string, secretOfIt: string): Promise<string> {
  const answer = await ask(request, name, { Authorization: `Basic ${btoa(`me:${secretOfIt}`)}` });
  expect(answer.status()).toBe(200);
  return answer.text();
}

/** Checks that what was generated is shown, gone after a reload, and what the stack asks for. */
async function expectShownOnce(page: Page, request: APIRequestContext, name: string): Promise<string> {
  await expect(page.getByRole('heading', { name: 'Generated for your stack' })).toBeVisible();
  const shown = await secret(page).innerText();
  expect(shown).toMatch(/^\S{32}$/);
  await expectLive(page, name);
  await expect(secret(page)).toHaveText(shown);
  await keep(page, 'new-generated');
  await page.reload();
  await expect(openLink(page)).toBeVisible();
  await expect(secret(page)).toHaveCount(0);
  expect(await page.content()).not.toContain(shown);
  expect((await ask(request, name)).status(), 'without the password').toBe(401);
  return visit(request, name, shown);
}

/** Checks that the summary has the focus and that each of its links leads to the field. */
async function expectSummedUp(page: Page, heading: string, fields: [string, Locator][]) {
  await expect(summary(page)).toBeFocused();
  await expect(summary(page).getByRole('heading')).toHaveText(heading);
  await expect(summary(page).getByRole('link')).toHaveText(fields.map(([label]) => label));
  for (const [label, field] of fields) {
    await summary(page).getByRole('link', { name: label }).click();
    await expect(field).toBeFocused();
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAccessibleDescription(/\w\./);
  }
}

test('the cards lead to the form, and keep the name', async ({ page }) => {
  await page.goto(`${origin(choice)}/?name=alice`);
  await expect(page.getByRole('listitem').filter({ has: page.getByRole('link') })).toHaveCount(3);
  await keep(page, 'new-cards');
  await page.getByRole('link', { name: 'Chat' }).click();
  await expect(page).toHaveURL(`${chat}?name=alice`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Start Chat');
  await expect(nameField(page)).toHaveValue('alice');
  await page.goto(`${origin(choice)}/new`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('What would you like to start?');
  // The whole card is the link.
  await page.locator('.card').filter({ hasText: 'Notebook' }).click({ position: { x: 5, y: 5 } });
  await expect(page).toHaveURL(`${origin(choice)}/new/notebook`);
  await keep(page, 'new-notebook');
});

test('the usual time of a template is on its card and on its page', async ({ page, request }) => {
  const names = Array.from({ length: 5 }, () => freshName('usual'));
  await Promise.all(names.map(name => startLive(request, choice, name)));
  await expect(async () => {
    await page.goto(`${origin(choice)}/new`);
    const card = page.locator('.card').filter({ hasText: 'Notebook' });
    await expect(card).toContainText('Usually live in', { timeout: 1_000 });
  }).toPass();
  await page.goto(`${origin(choice)}/new/notebook`);
  await expect(page.getByText('Usually live in')).toBeVisible();
});

test('every kind of question is answered, and reaches the stack', async ({ page, request }) => {
  const name = freshName('asked');
  await page.goto(chat);
  await expectAwake(page);
  await expect(nameField(page)).toBeFocused();
  await expect(apiKey(page)).toBeHidden();
  await ownKey(page).check();
  await expect(apiKey(page)).toBeVisible();
  await ownKey(page).uncheck();
  await expect(apiKey(page)).toBeHidden();
  await ownKey(page).check();
  await apiKey(page).fill('sk-of-my-own');
  await expect(temperature(page)).toBeHidden();
  await advanced(page).click();
  await expect(temperature(page)).toHaveValue('0.7');
  await temperature(page).fill('1.5');
  await domains(page).fill('example.org\nexample.com');
  await expect(page.getByRole('radio', { name: 'Small and fast' })).toBeChecked();
  await otherModel(page).fill('mini:3');
  await expect(page.getByRole('radio', { name: 'Something else:' }), 'what was typed counts').toBeChecked();
  await prompt(page).fill('\nBe brief.\n\nAnd "kind".');
  await email(page).fill('ann@example.org');
  await nameField(page).fill(name);
  await expect(page.getByText(stackAddress(choice, name))).toBeVisible();
  await keep(page, 'new-chat-filled');
  await deployButton(page).click();
  await arrive(page, name);
  const shown = await expectShownOnce(page, request, name);
  for (const answer of [
    '<dd>ann@example.org</dd>', '<dd>mini:3</dd>', '<dd>1.5</dd>', 'Be brief.\n\nAnd &quot;kind&quot;.', '<dt>API key</dt><dd>set</dd>',
  ]) expect(shown).toContain(answer);
  expect(shown).toMatch(/example\.org[\n,]example\.com/);
});

test('an answer is checked after a pause, at its field alone', async ({ page }) => {
  await page.goto(chat);
  await expectAwake(page);
  await email(page).fill('nonsense');
  await email(page).press('Tab');
  await expect(page.getByText('This does not have the required form.')).toBeVisible();
  await expect(email(page)).toHaveAttribute('aria-invalid', 'true');
  await expect(email(page)).toHaveAccessibleDescription(/required form/);
  // What was not touched yet is not blamed.
  await expect(nameField(page)).not.toHaveAttribute('aria-invalid');
  await expect(summary(page)).toBeHidden();
  await keep(page, 'new-chat-checked');
  await email(page).fill('ann@example.org');
  await expect(page.getByText('This does not have the required form.')).toBeHidden();
  await expect(email(page)).not.toHaveAttribute('aria-invalid');
  await nameField(page).fill('my--stack');
  await expect(page.getByText(/Hyphens can't stand next to each other/)).toBeVisible();
});

test('what cannot be used is summed up, and nothing that was typed is lost', async ({ page, request }) => {
  const name = freshName('mended');
  await page.goto(chat);
  await expectAwake(page);
  await nameField(page).fill('admin');
  await email(page).fill('nonsense');
  await password(page).fill('short');
  await prompt(page).fill('Be brief.');
  await advanced(page).click();
  await domains(page).fill('example.org\nnot a domain');
  await advanced(page).click();
  await expect(domains(page)).toBeHidden();
  await deployButton(page).click();
  await expectSummedUp(page, '4 answers cannot be used', [
    ['Name', nameField(page)],
    ['E-mail address of the administrator', email(page)],
    ['Password of the administrator', password(page)],
    // It was folded away.
    ['Domains that may sign up', domains(page)],
  ]);
  await keep(page, 'new-chat-problems');
  await expect(prompt(page)).toHaveValue('Be brief.');
  await expect(password(page)).toHaveValue('short');
  await expect(domains(page)).toHaveValue('example.org\nnot a domain');

  await nameField(page).fill(name);
  await email(page).fill('ann@example.org');
  await password(page).fill('long enough for this');
  await domains(page).fill('example.org');
  await deployButton(page).click();
  await arrive(page, name);
  await expectLive(page, name);
  await expect(secret(page), 'nothing was generated').toHaveCount(0);
  expect(await visit(request, name, 'long enough for this')).toContain('Be brief.');
});

test('a folded number that cannot be used is unfolded', async ({ page }) => {
  await page.goto(`${chat}?name=${freshName('folded')}`);
  await expectAwake(page);
  await email(page).fill('ann@example.org');
  await advanced(page).click();
  await temperature(page).fill('9');
  await advanced(page).click();
  await expect(temperature(page)).toBeHidden();
  await deployButton(page).click();
  await expect(temperature(page)).toBeVisible();
  await expect(temperature(page)).toBeFocused();
  await expect(page).toHaveURL(new RegExp(`^${chat}`));
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false, expectedErrors: /status of 400/ });

  test('what cannot be used is summed up, nothing is lost, and the next try starts it', async ({ page, request }) => {
    const name = freshName('plain');
    await page.goto(chat);
    await expect(page.getByText('Only if “Use an API key of your own” is ticked.')).toBeVisible();
    await keep(page, 'new-chat-plain');
    await nameField(page).fill('admin');
    await email(page).fill('nonsense');
    await password(page).fill('long enough for this');
    await ownKey(page).check();
    await apiKey(page).fill('sk-of-my-own');
    await page.getByRole('radio', { name: 'Something else:' }).check();
    await otherModel(page).fill('Not A Model');
    await prompt(page).fill('\nBe brief.');
    await advanced(page).click();
    await domains(page).fill('not a domain');
    const answer = page.waitForResponse(response => response.request().method() === 'POST');
    await deployButton(page).click();
    // The name is refused before the answers, with the status of that.
    expect((await answer).status()).toBe(400);

    await expect(summary(page)).toBeFocused();
    await expect(summary(page).getByRole('heading')).toHaveText('4 answers cannot be used');
    await keep(page, 'new-chat-plain-problems');
    for (const [label, field] of [
      ['Name', nameField(page)],
      ['E-mail address of the administrator', email(page)],
      ['Domains that may sign up', domains(page)],
    ] as const) {
      await summary(page).getByRole('link', { name: label }).click();
      await expect(field).toBeFocused();
      await expect(field).toHaveAttribute('aria-invalid', 'true');
    }
    await expect(nameField(page)).toHaveValue('admin');
    await expect(email(page)).toHaveValue('nonsense');
    await expect(ownKey(page)).toBeChecked();
    await expect(page.getByRole('radio', { name: 'Something else:' })).toBeChecked();
    await expect(otherModel(page)).toHaveValue('Not A Model');
    await expect(prompt(page)).toHaveValue('\nBe brief.');
    await expect(domains(page)).toHaveValue('not a domain');
    // Secrets are kept, and not shown.
    for (const field of [password(page), apiKey(page)]) await expect(field).toHaveValue('');
    await expect(page.getByText('What you typed is kept.')).toHaveCount(2);
    expect(await page.content()).not.toMatch(/long enough for this|sk-of-my-own/);

    await nameField(page).fill(name);
    await email(page).fill('ann@example.org');
    await otherModel(page).fill('mini:3');
    await domains(page).fill('');
    await deployButton(page).click();
    await arrive(page, name);
    await expectLive(page, name);
    const shown = await visit(request, name, 'long enough for this');
    for (const one of ['<dd>mini:3</dd>', '<dt>API key</dt><dd>set</dd>']) expect(shown).toContain(one);
  });

  test('what was generated is shown once', async ({ page, request }) => {
    const name = freshName('plainonce');
    await page.goto(chat);
    await nameField(page).fill(name);
    await email(page).fill('ann@example.org');
    await deployButton(page).click();
    await arrive(page, name);
    await expect(secret(page)).toHaveText(/^\S{32}$/);
    const shown = await secret(page).innerText();
    await keep(page, 'new-generated-plain');
    // The page refreshes itself, but not while it shows what is shown only once.
    await expect(page.locator('.generated noscript p')).toHaveText(/^Then load this page again/);
    await expect(page.locator('meta[http-equiv=refresh]')).toHaveCount(0);
    await page.reload();
    await expect(page.locator('meta[http-equiv=refresh]').or(openLink(page)).first()).toBeAttached();
    await expect(secret(page)).toHaveCount(0);
    await expectLive(page, name);
    await visit(request, name, shown);
  });
});

test('a link fills the form, says so, and starts nothing', async ({ page, request }) => {
  const name = freshName('linked');
  const link = `${chat}?name=${name}&p.temperature=1.5&p.model=mini:3&p.own_key=true&s.admin_password=of-the-link-1&s.api_key=x`;
  await page.goto(link);
  await expect(nameField(page)).toHaveValue(name);
  await expect(page.getByText('Some answers come from the link that you followed.')).toBeVisible();
  await expect(page.getByText('This answer comes from the link that you followed.')).toHaveCount(3);
  // It is advanced, and not folded away.
  await expect(temperature(page)).toBeVisible();
  await expect(temperature(page)).toHaveValue('1.5');
  await expect(domains(page)).toBeHidden();
  await expect(page.getByRole('radio', { name: 'Something else:' })).toBeChecked();
  await expect(otherModel(page)).toHaveValue('mini:3');
  await expect(ownKey(page)).toBeChecked();
  await expect(password(page)).toHaveValue('');
  await expect(apiKey(page)).toHaveValue('');
  expect(await page.content()).not.toContain('of-the-link-1');
  await expectAwake(page);
  await keep(page, 'new-chat-link');
  const verdict = await (await request.get(`${origin(choice)}/api/check/${name}`)).json();
  expect(verdict.available).toBe(true);
});

test.describe('with a bad connection', () => {
  test.use({ expectedErrors: /net::ERR_|status of 502/ });

  test('a check without an answer keeps the page and what was typed', async ({ page }) => {
    const name = freshName('offline');
    await page.goto(chat);
    await expectAwake(page);
    await page.route('**/new/chat/check', route => route.abort());
    await nameField(page).fill(name);
    await email(page).fill('ann@example.org');
    await password(page).fill('long enough for this');
    await deployButton(page).click();
    await expect(page.locator('.questions__status')).toHaveText('The portal does not answer. Check your connection and try again.');
    await expect(deployButton(page)).toBeEnabled();
    await expect(email(page)).toHaveValue('ann@example.org');
    await expect(password(page)).toHaveValue('long enough for this');
    await keep(page, 'new-chat-unreachable');
    await page.unroute('**/new/chat/check');
    await deployButton(page).click();
    await arrive(page, name);
  });
});

test('the form is filled and sent by the keyboard alone', async ({ page }) => {
  const name = freshName('keys');
  await page.goto(`${origin(choice)}/?name=${name}`);
  await expectAwake(page);
  const card = page.getByRole('link', { name: 'Chat' });
  for (let tabs = 0; tabs < 12 && !(await card.evaluate(link => link === document.activeElement)); tabs++) {
    await page.keyboard.press('Tab');
  }
  await expect(card).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`${chat}?name=${name}`);
  await expectAwake(page);
  await nameField(page).focus();
  const tabTo = async (field: Locator) => {
    await page.keyboard.press('Tab');
    await expect(field).toBeFocused();
  };
  await tabTo(email(page));
  await page.keyboard.type('ann@example.org');
  await tabTo(password(page));
  await tabTo(page.getByRole('radio', { name: 'Small and fast' }));
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('radio', { name: 'Large and careful' })).toBeChecked();
  await tabTo(otherModel(page));
  await tabTo(ownKey(page));
  await page.keyboard.press('Space');
  await tabTo(apiKey(page));
  await page.keyboard.type('sk-of-my-own');
  await tabTo(prompt(page));
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(temperature(page)).toBeVisible();
  await tabTo(temperature(page));
  await tabTo(domains(page));
  await tabTo(deployButton(page));
  await page.keyboard.press('Enter');
  await arrive(page, name);
});

test('with one template the home page is its form', async ({ page }) => {
  const name = freshName('single');
  await page.goto(origin(single));
  await expectAwake(page);
  await keep(page, 'new-single');
  await page.getByRole('radio', { name: 'A3' }).check();
  await page.getByLabel('Motto').fill('Draw.');
  await typeName(page, name, new RegExp(name));
  await deployButton(page).click();
  await arrive(page, name);
  await expectLive(page, name);
});

test('the description of a template is on its page', async ({ page }) => {
  await page.goto(`${origin(single)}/new/studio`);
  await expectAwake(page);
  await page.getByText('About this template').click();
  await expect(page.getByRole('link', { name: 'manual' })).toBeVisible();
  await keep(page, 'new-single-readme');
});

test.describe('at 360 px', () => {
  test.use({ viewport: { width: 360, height: 740 } });

  test('nothing scrolls sideways, from the cards to what is wrong', async ({ page }) => {
    await page.goto(`${origin(choice)}/new`);
    await expectNoSidewaysScroll(page);
    for (const template of ['chat', 'notebook', 'workflow']) {
      await page.goto(`${origin(choice)}/new/${template}?name=${'x'.repeat(40)}&p.temperature=9`);
      await expectAwake(page);
      await page.locator('details').evaluateAll(all => all.forEach(one => one.setAttribute('open', '')));
      await expectNoSidewaysScroll(page);
    }
    await page.goto(chat);
    await expectAwake(page);
    await nameField(page).fill('x'.repeat(60));
    await email(page).fill('w'.repeat(200));
    await domains(page).evaluate(field => field.closest('details')!.setAttribute('open', ''));
    await domains(page).fill('y'.repeat(200));
    await deployButton(page).click();
    await expect(summary(page)).toBeFocused();
    await expectNoSidewaysScroll(page);
    for (const target of [nameField(page), otherModel(page), domains(page), deployButton(page)]) {
      expect((await target.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
    await page.goto(`${origin(single)}/new/studio`);
    await page.getByText('About this template').click();
    await expectNoSidewaysScroll(page);
  });
});
