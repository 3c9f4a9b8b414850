// What a browser loads for a page on its first visit, in bytes as the portal sends them. The limits are those of the release
// build, a little above what was measured: later changes have to fit, or to say why the limit is raised.
import type { BrowserContextOptions, Page } from '@playwright/test';
import { choice, failing, guarded, origin, ready, slow } from '../portals';
import {
  expect, expectAwake, expectPhase, freshName, signIn, start, startLive, test as base,
} from '../tests/fixtures';

type Session = BrowserContextOptions['storageState'];

const test = base.extend<{ newVisitor: (session?: Session) => Promise<Page> }>({
  /** Opens a page of a browser that has nothing of ours yet, except perhaps a session. */
  newVisitor: async ({ browser }, use) => {
    await use(async storageState => (await browser.newContext({ storageState })).newPage());
  },
});

/** The kinds of files, and the ends of their names. The page itself is `html`. */
type Kind = 'html' | 'css' | 'js' | 'wasm' | 'svg';
type Limits = Record<Kind | 'all', number>;

const light = { css: 5_500, js: 4_000, wasm: 31_000, svg: 500 };
// The form of a template also checks settings, and fills in a free name: 0.2 kB more.
const questions = { css: 5_500, js: 3_800, wasm: 33_200, svg: 1_000 };
// It says the words of all kinds of operations: 1.2 kB more since there are six of them. Whom to ask where an image is
// missing, and the plain names of volumes: 0.4 kB more.
const whole = { css: 5_500, js: 5_350, wasm: 114_700, svg: 1_000 };
const limits: Record<string, Limits> = {
  home: { html: 4_500, ...light, all: 45_000 },
  'the templates': { html: 4_000, ...questions, all: 47_000 },
  'the questions of a template': { html: 5_000, ...questions, all: 48_000 },
  'a running deployment': { html: 6_000, ...whole, all: 131_000 },
  'a live deployment': { html: 6_500, ...whole, all: 132_000 },
  'a failed deployment': { html: 8_500, ...whole, all: 133_500 },
  'a stack': { html: 6_000, ...light, css: 7_500, all: 48_000 },
  'the log of a stack': { html: 7_000, ...light, css: 7_500, all: 49_000 },
  'the settings of a stack': { html: 6_000, ...questions, css: 7_500, all: 50_500 },
  account: { html: 5_000, ...light, all: 45_000 },
  admin: { html: 5_500, ...light, all: 46_000 },
};

/** Opens `address` as a browser that has nothing yet, and measures what it loads until the code runs. */
async function weigh(page: Page, address: string): Promise<Limits> {
  const loaded: Promise<[string, number]>[] = [];
  page.on('requestfinished', request => {
    const { pathname } = new URL(request.url());
    const isEvents = pathname.startsWith('/api/');
    if (!isEvents) loaded.push(request.sizes().then(({ responseBodySize }) => [pathname, responseBodySize]));
  });
  await page.goto(address);
  await expectAwake(page);
  await page.waitForLoadState('load');
  const sizes: Limits = { html: 0, css: 0, js: 0, wasm: 0, svg: 0, all: 0 };
  for (const [path, size] of await Promise.all(loaded)) {
    const kind = (/\.(css|js|wasm|svg)$/.exec(path)?.[1] ?? 'html') as Kind;
    sizes[kind] += size;
    sizes.all += size;
  }
  return sizes;
}

/** Compares, and says what grew. */
function check(name: string, sizes: Limits) {
  console.log(`${name}: ${Object.entries(sizes).map(([kind, size]) => `${kind} ${size}`).join(', ')}`);
  const grown = Object.entries(limits[name])
    .filter(([kind, limit]) => sizes[kind as Kind] > limit)
    .map(([kind, limit]) => `${name}: ${kind} has grown to ${sizes[kind as Kind]} bytes, and may have ${limit}`);
  expect(grown).toEqual([]);
  // Something was measured, and it is the code of this page.
  expect(sizes.wasm > questions.wasm, 'loads the whole code').toBe(limits[name].wasm > questions.wasm);
  expect(sizes.wasm).toBeGreaterThan(10_000);
}

test('the home page is light', async ({ page }) => {
  check('home', await weigh(page, origin(ready)));
});

test('the pages of a new stack are light', async ({ newVisitor }) => {
  check('the templates', await weigh(await newVisitor(), `${origin(choice)}/new`));
  check('the questions of a template', await weigh(await newVisitor(), `${origin(choice)}/new/chat`));
});

test('the page of a deployment is light, before and after its end', async ({ newVisitor, request }) => {
  const running = await start(request, slow, freshName('weighed'));
  check('a running deployment', await weigh(await newVisitor(), `${origin(slow)}/deployments/${running}`));
  const live = await startLive(request, ready, freshName('weighed'));
  check('a live deployment', await weigh(await newVisitor(), `${origin(ready)}/deployments/${live}`));
  const failed = await start(request, failing, freshName('weighed'));
  await expectPhase(request, failing, failed, 'failed');
  check('a failed deployment', await weigh(await newVisitor(), `${origin(failing)}/deployments/${failed}`));
});

test('the pages of a stack are light', async ({ newVisitor, request }) => {
  const name = freshName('weighed');
  const id = await startLive(request, ready, name);
  const address = (tab: string) => `${origin(ready)}/stacks/${name}${tab}?id=${id}`;
  check('a stack', await weigh(await newVisitor(), address('')));
  check('the log of a stack', await weigh(await newVisitor(), address('/logs')));
  check('the settings of a stack', await weigh(await newVisitor(), address('/settings')));
});

test("the pages of a person and of the operators are light", async ({ page, newVisitor }) => {
  await page.goto(`${origin(guarded)}/account`);
  await signIn(page, 'olga');
  const session = await page.context().storageState();
  check('account', await weigh(await newVisitor(session), `${origin(guarded)}/account`));
  check('admin', await weigh(await newVisitor(session), `${origin(guarded)}/admin`));
});
