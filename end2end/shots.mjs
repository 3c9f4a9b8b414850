import { chromium } from 'playwright';
const out = '/tmp/w/fig/shots'; import fs from 'node:fs'; fs.mkdirSync(out, {recursive:true});
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const [one, many] = ['http://127.0.0.1:4801', 'http://127.0.0.1:4802'];
const errors=[];
async function shot(name, {width=1200, height=900, dark=false}, visit) {
  const context = await browser.newContext({ viewport: {width, height}, colorScheme: dark?'dark':'light', deviceScaleFactor: 1 });
  const page = await context.newPage();
  page.on('console', m => m.type()==='error' && errors.push(name+': '+m.text()));
  page.on('pageerror', e => errors.push(name+': '+e));
  await visit(page);
  await page.waitForTimeout(500);
  await page.screenshot({ path: `${out}/${name}.png`, fullPage: true });
  await context.close();
}
const phone={width:360,height:760};
await shot('cards', {}, p => p.goto(many+'/new'));
await shot('home-cards-dark', {dark:true}, p => p.goto(many+'/'));
await shot('cards-phone', phone, p => p.goto(many+'/'));
await shot('chat', {}, p => p.goto(many+'/new/chat'));
await shot('chat-phone-dark', {...phone, dark:true}, p => p.goto(many+'/new/chat?name=alice&p.temperature=1.5'));
await shot('home-one', {}, p => p.goto(one+'/'));
const fill = async p => { await p.goto(many+'/new/chat?name=al'); await p.fill('#field-admin_email','nonsense'); await p.check('#field-own_key'); await p.fill('#field-admin_password','short'); };
await shot('chat-live-problems', {}, async p => { await fill(p); await p.waitForTimeout(800); });
await shot('chat-submitted', {}, async p => { await fill(p); await p.click('button[type=submit]'); await p.waitForTimeout(1200); });
await shot('chat-422-noscript', phone, async p => {
  const r = await p.request.post(many+'/new/chat', {form: {name:'al', 'p.admin_email':'nonsense','p.temperature':'9', 's.admin_password':'short'}, headers:{accept:'text/html','sec-fetch-site':'same-origin', origin: many}});
  await p.setContent((await r.text()).replace('<head>', `<head><base href="${many}/">`));
});
await shot('chat-started', {}, async p => { await p.goto(many+'/new/chat?name=alice'); await p.fill('#field-admin_email','a@example.org'); await p.click('button[type=submit]'); await p.waitForURL('**/deployments/**'); await p.waitForTimeout(4000); });
console.log(errors.join('\n'));
await browser.close();
