// A lost connection is shown and repaired; the deployment continues without watchers.
import { origin, slow } from '../portals';
import { deploy, expect, expectLive, freshName, keep, start, test } from './fixtures';
import { Wire } from './wire';

test.use({ expectedErrors: /net::ERR_|status of 502/ });

test('a lost connection is said while it lasts, and nothing is missed', async ({ page, request }) => {
  const name = freshName('lost');
  const wire = await Wire.to(slow.port);
  // Only the hydrated page opens the stream: before that, the cut would hit the page's own code on its way
  const stream = page.waitForResponse('**/api/status/**');
  await page.goto(`${wire.origin}/deployments/${await start(request, slow, name)}`);
  await stream;
  await expect(page.getByRole('progressbar')).toBeVisible();
  await expect(page.getByText('Reconnecting')).toBeHidden();

  wire.cut();
  await expect(page.getByText('Reconnecting')).toBeVisible();
  await keep(page, 'reconnecting');

  wire.mend();
  await expect(page.getByText('Reconnecting')).toBeHidden({ timeout: 20_000 });
  await expectLive(page, name);
  wire.remove();
});

// After any answer but 200 the browser does not reconnect: the page itself must do so.
test('a stream that a proxy refuses is opened again', async ({ page }) => {
  const name = freshName('refused');
  let attempts = 0;
  await page.route('**/api/status/**', async route => {
    attempts++;
    if (attempts <= 2) await route.fulfill({ status: 502, body: 'Bad Gateway' });
    else await route.continue();
  });
  await deploy(page, origin(slow), name);
  await expect(page.getByText('Reconnecting')).toBeVisible();
  await expectLive(page, name);
  await expect(page.getByText('Reconnecting')).toBeHidden();
  expect(attempts, 'attempts to open the stream').toBeGreaterThan(2);
});
