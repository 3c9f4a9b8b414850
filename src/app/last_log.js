// Shows what the container wrote last, once the operation has failed while somebody watches: see `pages/deployment.rs`.
// The server renders it, as on a page that is loaded later.
(() => {
  const page = document.getElementById('main');
  const observer = new MutationObserver(async changes => {
    if (!changes.some(({ target }) => target.dataset.stage === 'failed')) return;
    observer.disconnect();
    const text = await fetch(location.href).then(answer => answer.text(), () => '');
    const part = new DOMParser().parseFromString(text, 'text/html').querySelector('[aria-labelledby=last-log]');
    if (part) page.append(part);
  });
  observer.observe(page, { subtree: true, attributeFilter: ['data-stage'] });
})();
