(() => {
  const root = document.documentElement;
  let theme;
  try { theme = localStorage.getItem('theme'); } catch {}
  root.dataset.theme = theme === 'light' || theme === 'dark' ? theme : 'system';
  root.dataset.code = 'starting';
  const manage = async () => {
    if (root.dataset.code !== 'starting') return;
    root.dataset.code = 'none';
    const code = document.querySelector('link[rel=modulepreload]')?.href ?? '';
    const answer = await fetch(code).catch(() => null);
    try {
      if (answer?.status === 404 && sessionStorage.getItem('missing') !== code) {
        sessionStorage.setItem('missing', code);
        return location.reload();
      }
    } catch {}
    for (const { textContent } of document.querySelectorAll('noscript'))
      document.head.insertAdjacentHTML('beforeend', textContent);
  };
  addEventListener('unhandledrejection', manage);
  setTimeout(manage, 20000);
})();
