// Templates where people sign in: answers that come from the person, and generated secrets that are shown again.
import { origin, staffed } from '../portals';
import {
  arrive, deployButton, expect, expectAwake, expectLive, freshAccount, freshName, keep, nameField, shownAs, signIn, test,
} from './fixtures';

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled, expectedErrors: /status of 404/ });

    test('a person is asked what is not known, and can see a generated secret again', async ({ page, browser }) => {
      const plain = javaScriptEnabled ? '' : '-plain';
      const [account, name] = [freshAccount('eva'), freshName('shown')];
      await page.goto(`${origin(staffed)}/new/notebook`);
      await signIn(page, account);
      await expect(page.getByLabel('Your name')).toHaveValue(shownAs(account));
      await page.goto(`${origin(staffed)}/new/chat`);
      await expect(page.getByLabel('E-mail address of the administrator')).toHaveValue(`${account}@example.org`);
      await keep(page, `new-chat-known${plain}`);
      if (javaScriptEnabled) await expectAwake(page);
      await nameField(page).fill(name);
      await deployButton(page).click();
      await arrive(page, name);
      const secret = page.locator('.generated .fresh-token__secret');
      const shown = await secret.innerText();
      const address = page.url();

      await page.goto(address);
      await expectLive(page, name);
      await expect(secret).toHaveCount(0);
      const again = page.getByRole('button', { name: 'Show them again' });
      // The form appears with the page of the live stack.
      await page.goto(address);
      await page.getByText('Generated secrets', { exact: true }).click();
      await expect(page.getByRole('link', { name: 'Sign in again' })).toBeVisible();
      await keep(page, `reveal${plain}`);
      await again.click();
      await expect(secret).toHaveText(shown);
      expect(page.url()).not.toContain(shown);
      await keep(page, `revealed${plain}`);
      await page.goto(address);
      await expect(secret).toHaveCount(0);

      const other = await (await browser.newContext({ javaScriptEnabled })).newPage();
      await other.goto(address);
      await signIn(other, freshAccount('mal'));
      await expect(other.getByRole('heading', { name: 'Deployment not found' })).toBeVisible();
      await other.context().close();
    });
  });
}
