// Shows what the container wrote last, and the way to try a change again, once the operation has failed while somebody
// watches: see `pages/deployment.rs`.
// The server renders it, as on a page that is loaded later.
(() => {
  const page = document.getElementById('main');
  const observer = new MutationObserver(async changes => {
    if (!changes.some(({ target }) => target.dataset.stage === 'failed')) return;
    observer.disconnect();
    const text = await fetch(location.href).then(answer => answer.text(), () => '');
    const failed = new DOMParser().parseFromString(text, 'text/html');
    page.append(...failed.querySelectorAll('#again, .log__last'));
  });
  observer.observe(page, { subtree: true, attributeFilter: ['data-stage'] });
})();
