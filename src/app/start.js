(() => {
  const root = document.documentElement;
  let theme;
  try { theme = localStorage.getItem('theme'); } catch {}
  root.dataset.theme = theme === 'light' || theme === 'dark' ? theme : 'system';
  root.dataset.code = 'starting';

  const isMissing = async ({ href }) => {
    const answer = fetch(href, { method: 'HEAD', signal: AbortSignal.timeout(5000) });
    return (await answer.catch(() => null))?.status === 404;
  };
  // Loads the page again if it is of another build. Not twice in a minute, and not if it shows what is shown once.
  const reloadIfOld = async () => {
    const files = document.querySelectorAll('link[rel=modulepreload], link[rel=preload], link[rel=stylesheet]');
    if (!(await Promise.all([...files].map(isMissing))).includes(true)) return;
    try {
      const last = Number(sessionStorage.getItem('reloaded'));
      if (Date.now() - last < 60000 || document.querySelector('[data-once]')) return;
      sessionStorage.setItem('reloaded', Date.now());
      location.reload();
    } catch {}
  };

  // What stands in noscript counts if the code does not start: a page that refreshes itself.
  const refresh = ({ textContent }) => {
    const seconds = /refresh" content="(\d+)/.exec(textContent)?.[1];
    if (seconds) setTimeout(() => root.dataset.code === 'none' && location.reload(), seconds * 1000);
  };
  // A page that watches something is loaded again once it has another title, so that nobody loses their place before.
  const watch = ({ textContent }) => {
    const seconds = /refresh" content="(\d+)/.exec(textContent)?.[1];
    const look = async () => {
      const text = await fetch(location.href).then(answer => answer.text(), () => '');
      const title = /<title[^>]*>([^<]*)/.exec(text)?.[1];
      title && title !== document.title ? location.reload() : setTimeout(look, seconds * 1000);
    };
    if (seconds) setTimeout(look, seconds * 1000);
  };
  // A part that follows a stream of events becomes what the server renders now.
  const follow = part => new EventSource(part.dataset.follows).addEventListener('stacks', async () => {
    const text = await fetch(location.href).then(answer => answer.text(), () => '');
    const page = new DOMParser().parseFromString(text, 'text/html');
    const now = page.getElementById(part.id);
    if (!now || now.innerHTML === part.innerHTML || part.querySelector('details[open]')) return;
    const places = () => [...part.querySelectorAll('a, button')];
    const focused = places().indexOf(document.activeElement);
    part.replaceChildren(...now.childNodes);
    places()[focused]?.focus();
    document.title = page.title;
  });
  const manage = () => {
    if (root.dataset.code !== 'starting') return;
    root.dataset.code = 'none';
    document.querySelectorAll('noscript').forEach(refresh);
    reloadIfOld();
  };

  // The code takes the elements over that the server rendered, and finds none of them if a translator has replaced
  // their texts by then. So it gets those back. It takes all of them over in one task, before the translator's next.
  const rendered = new Map();
  document.addEventListener('readystatechange', () => {
    document.querySelectorAll('leptos-island').forEach(island => rendered.set(island, island.cloneNode(true)));
    document.querySelectorAll('noscript[data-watched]').forEach(watch);
    document.querySelectorAll('[data-follows]').forEach(follow);
  }, { once: true });
  const restore = (original, island) => {
    if (!island.isConnected || island.isEqualNode(original)) return;
    const fields = from => [...from.querySelectorAll('input')];
    const [typed, focused] = [fields(island).map(({ value }) => value), fields(island).indexOf(document.activeElement)];
    island.replaceChildren(...original.childNodes);
    fields(island).forEach((field, at) => field.value = typed[at] ?? field.value);
    fields(island)[focused]?.focus();
  };
  addEventListener('hydrate', () => {
    rendered.forEach(restore);
    rendered.clear();
  }, { once: true });

  // The code may still start, if the promise was that of a browser extension.
  addEventListener('unhandledrejection', () => setTimeout(manage, 1000));
  addEventListener('error', ({ target }) => target instanceof HTMLLinkElement && reloadIfOld(), true);
  setTimeout(manage, 20000);
})();
