// An identity provider for tests: the certified oidc-provider, with everything in memory, and a sign-in that takes
// any account's name and asks for no password. Each has a verified e-mail address. It must not be reachable from other machines.
//
//   node provider.mjs PORT PORTAL...    PORTAL is the address of a portal that may use it
//
// Prints a line when it is ready. The account olga is in the group operators, the others in none.
import Provider from 'oidc-provider';

const [port, ...portals] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const escape = text => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
const page = (title, content) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>${title}</title><h1>${title}</h1>${content}</html>`;

const findAccount = (_context, account) => ({
  accountId: account,
  claims: () => ({
    sub: account,
    name: account[0].toUpperCase() + account.slice(1),
    groups: account === 'olga' ? ['staff', 'operators'] : ['staff'],
    email: `${account}@example.org`,
    email_verified: true,
  }),
});

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'portal',
      client_secret: 'portal-secret',
      redirect_uris: portals.map(portal => `${portal}/auth/callback`),
      post_logout_redirect_uris: portals.map(portal => `${portal}/sign-in`),
    },
  ],
  claims: { openid: ['sub'], profile: ['name'], groups: ['groups'], email: ['email', 'email_verified'] },
  scopes: ['openid', 'profile', 'groups', 'email'],
  findAccount,
  pkce: { required: () => true },
  cookies: { keys: ['end2end'] },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (context, form) => {
        const button = '<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out of everything</button>';
        context.body = page('Sign out', form + button);
      },
    },
  },
  // Grants all scopes without asking for consent.
  loadExistingGrant: async context => {
    const { client, session } = context.oidc;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid profile groups email');
    await grant.save();
    return grant;
  },
});

const bodyOf = async request => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
};

provider.use(async (context, next) => {
  if (!context.path.startsWith('/interaction/')) return next();
  // Throws when this browser has no such interaction.
  await provider.interactionDetails(context.req, context.res);
  if (context.method === 'GET') {
    context.body = page(
      'Who are you?',
      `<form method="post" action="${escape(context.path)}">
        <label>Account <input name="account" autofocus></label>
        <button name="answer" value="yes">Sign in</button>
        <button name="answer" value="no">Refuse</button>
      </form>`,
    );
    return;
  }
  const form = await bodyOf(context.req);
  const account = form.get('account')?.trim();
  const answer =
    form.get('answer') === 'no' || !account
      ? { error: 'access_denied', error_description: 'nobody signed in' }
      : { login: { accountId: account } };
  context.respond = false;
  await provider.interactionFinished(context.req, context.res, answer);
});

provider.listen(Number(port), '127.0.0.1', () => console.error(`The provider answers at ${issuer}`));
