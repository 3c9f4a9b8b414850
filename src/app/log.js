// Lets the log of a stack go on by itself, where the server has rendered the last lines: see `pages/logs.rs`. In each
// frame a bounded number of lines is added, to blocks that the browser does not lay out while they are not to be seen.
(() => {
  const { dataset: words } = document.querySelector('[data-log]');
  const find = name => document.getElementById(`log-${name}`);
  const [lines, status, field, tools, pause, wrap, end] =
    ['lines', 'status', 'search', 'tools', 'pause', 'wrap', 'end'].map(find);
  // The most lines on the page, the lines of a block, the lines that are added and the blocks that are searched in a frame.
  const [most, size, atOnce, searched] = [10000, 100, 100, 10];
  let waiting = [];
  let leftOut = 0;
  let count = 0;
  let unsearched = [];
  let wanted = '';
  let state = '';
  let top = 0;
  let frames = 0;
  let [isPaused, hasFrame, follows] = [false, false, true];

  // What the server has said instead of lines: it is true until the first one comes.
  let nothing = status.textContent.trim();

  const make = (tag, kind, text) => Object.assign(document.createElement(tag), { className: kind, textContent: text });
  const put = (text, value) => text.replace('{}', () => value);
  const gap = skipped => ({ note: skipped === 1 ? words.gapOne : put(words.gap, skipped) });
  const render = ({ time, text, cut, note }) => {
    const line = make('p', 'log__line', '');
    const message = make('span', 'log__message', note ?? text + (cut ? words.cut : ''));
    if (note) {
      line.dataset.level = 'warn';
    } else {
      line.append(Object.assign(make('time', 'log__time', time.slice(11, 19)), { dateTime: time }));
      message.translate = false;
    }
    line.append(message);
    return line;
  };
  // Shows a line if it has the text that is wanted, and returns whether it does.
  const show = line => {
    const has = !wanted || line.textContent.toLowerCase().includes(wanted);
    if (line.hidden === has) line.hidden = !has;
    return has;
  };
  const search = block => block.hidden = ![...block.children].map(show).includes(true);
  const add = line => {
    let block = lines.lastElementChild;
    if (!block || block.childElementCount >= size) {
      block = make('div', 'log__block', '');
      block.hidden = true;
      lines.append(block);
    }
    block.append(line);
    if (show(line)) block.hidden = false;
    count++;
  };
  const toEnd = () => {
    lines.scrollTop = lines.scrollHeight;
    top = lines.scrollTop;
  };
  const draw = () => {
    hasFrame = false;
    unsearched.splice(-searched).forEach(search);
    const rows = isPaused ? [] : waiting.splice(0, atOnce);
    if (rows.length && leftOut) {
      const skipped = leftOut;
      rows.unshift(() => gap(skipped));
      leftOut = 0;
    }
    rows.forEach(row => add(render(row())));
    if (rows.length && nothing) tell(nothing = '');
    while (count > most) {
      count -= lines.firstElementChild.childElementCount;
      lines.firstElementChild.remove();
    }
    if (follows && !isPaused) toEnd();
    if (rows.length || unsearched.length) ask();
    else if (frames-- > 0) frame();
  };
  const frame = () => {
    if (!hasFrame) requestAnimationFrame(draw);
    hasFrame = true;
  };
  // Some more frames after the last line: only once it has been seen, a block has its height.
  const ask = () => {
    frames = 3;
    frame();
  };
  const tell = () => {
    const told = isPaused ? words.paused : state;
    const text = told && nothing ? `${nothing} ${told}` : told;
    if (text && status.textContent !== text) status.textContent = text;
  };

  const take = row => {
    waiting.push(row);
    // A page that is not shown has no frames.
    if (waiting.length > 2 * most) {
      leftOut += waiting.length - most;
      waiting = waiting.slice(-most);
    }
    ask();
  };
  const source = new EventSource(words.stream);
  // It is parsed when it is added: a browser tells of all events that have arrived in one task.
  const on = (name, row) => source.addEventListener(name, ({ data }) => take(() => row(JSON.parse(data))));
  on('line', line => line);
  on('container', ({ container }) => ({ note: put(words.container, container) }));
  on('gap', ({ skipped }) => gap(skipped));
  source.addEventListener('open', () => tell(state = words.live));
  source.addEventListener('error', () => tell(state = source.readyState === 2 ? words.ended : words.lost));

  lines.addEventListener('scroll', () => {
    const { scrollTop, scrollHeight, clientHeight } = lines;
    if (scrollTop + clientHeight + 4 >= scrollHeight) follows = true;
    else if (scrollTop < top) follows = false;
    top = scrollTop;
  }, { passive: true });
  field.addEventListener('input', () => {
    wanted = field.value.trim().toLowerCase();
    // The server has rendered only the lines with the text that was looked for at first.
    if (!wanted && words.searched) return field.form.submit();
    unsearched = [...lines.children];
    ask();
  });
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? words.resume : words.pause;
    tell();
    ask();
  });
  wrap.addEventListener('click', () => {
    const isWide = lines.classList.toggle('log__lines--wide');
    wrap.setAttribute('aria-pressed', !isWide);
  });
  end.addEventListener('click', () => {
    follows = true;
    toEnd();
    ask();
  });

  wanted = field.value.trim().toLowerCase();
  const rendered = [...lines.children];
  lines.replaceChildren();
  rendered.forEach(add);
  tools.hidden = false;
  ask();
})();
