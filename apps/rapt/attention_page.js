'use strict';
// The page of rapt attention: an overview of all heads, one map at a time, and the weights of one token as a list.
const data = JSON.parse(document.getElementById('data').textContent);
const $ = (id) => document.getElementById(id);
const kinds = {encoder: 'encoder, to itself', decoder: 'decoder, to itself', cross: 'decoder to source'};
const state = {text: 0, kind: 0, layer: 0, column: 0, view: 'heat', query: -1, key: -1, threshold: 0.03};
const unpacked = new Map();  // of base64 texts

// ------------------------------------------------------------------------------------------------------------ numbers

function unpack(text) {  // 16 bits for a weight, little-endian
  if (!unpacked.has(text)) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const view = new DataView(bytes.buffer), weights = new Float32Array(bytes.length / 2);
    for (let i = 0; i < weights.length; ++i) weights[i] = view.getUint16(2 * i, true) / 65535;
    unpacked.set(text, weights);
  }
  return unpacked.get(text);
}

function current() {  // the chosen kind of attention of the chosen text
  const example = data.examples[state.text], map = example.maps[state.kind];
  const queries = map.kind === 'encoder' ? example.encoder : map.kind === 'decoder' ? example.decoder : example.predicted;
  const keys = map.kind === 'decoder' ? example.decoder : example.encoder;
  return {map, queries, keys, T: queries.length, S: keys.length, columns: map.heads + 1 + (map.rollout ? 1 : 0)};
}

// The T x S weights of a column of the overview: a head, the mean of the heads, or the rollout.
function weightsOf(now, layer, column) {
  const {map, T, S} = now, size = T * S;
  if (column > map.heads) return unpack(map.rollout).subarray(layer * size, (layer + 1) * size);
  const all = unpack(map.weights), first = layer * map.heads * size;
  if (column < map.heads) return all.subarray(first + column * size, first + (column + 1) * size);
  map.means ||= [];
  if (!map.means[layer]) {
    const mean = map.means[layer] = new Float32Array(size);
    for (let h = 0; h < map.heads; ++h) {
      for (let i = 0; i < size; ++i) mean[i] += all[first + h * size + i] / map.heads;
    }
  }
  return map.means[layer];
}

const columnName = (now, column) =>
  column < now.map.heads ? `head ${column + 1}` : column === now.map.heads ? 'mean of the heads' : 'rollout';
const shown = (token) => token.replace(/ /g, '\u00b7').replace(/\n/g, '\u21b5').replace(/\t/g, '\u21e5') || '\u2205';
const percent = (w) => (100 * w).toFixed(w < 0.0995 ? 1 : 0) + ' %';

// ------------------------------------------------------------------------------------------------------------ drawing

let ramp, ink;  // 256 colours; the page's colours by name
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const rgb = (name) => [1, 3, 5].map((at) => parseInt(style.getPropertyValue(name).trim().slice(at, at + 2), 16));
  const [low, middle, high] = ['--low', '--middle', '--high'].map(rgb);
  ramp = Array.from({length: 256}, (_, i) => {  // lightness changes in one direction
    const t = i / 255, [from, to, part] = t < 0.5 ? [low, middle, 2 * t] : [middle, high, 2 * t - 1];
    return from.map((c, k) => Math.round(c + (to[k] - c) * part));
  });
  ink = Object.fromEntries(['ink', 'soft', 'line', 'mark', 'page', 'high'].map((n) => [n, style.getPropertyValue('--' + n)]));
}
const shade = (w) => ramp[Math.round(255 * Math.sqrt(Math.min(1, w)))];

function sized(canvas, width, height) {  // sharp on dense screens
  const dense = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  canvas.style.width = width + 'px';
  canvas.style.height = height + 'px';
  const to = canvas.getContext('2d');
  to.scale(dense, dense);
  to.imageSmoothingEnabled = false;
  to.font = '12px system-ui, sans-serif';
  to.textBaseline = 'middle';
  return to;
}

// The weights as an image; of large maps, each pixel is the largest of its weights.
function image(weights, T, S, most) {
  const rows = Math.min(T, most), columns = Math.min(S, most);
  const canvas = document.createElement('canvas');
  canvas.width = columns;
  canvas.height = rows;
  const to = canvas.getContext('2d'), pixels = to.createImageData(columns, rows), largest = new Float32Array(rows * columns);
  for (let i = 0; i < T; ++i) {
    const row = Math.floor(i * rows / T) * columns;
    for (let j = 0; j < S; ++j) {
      const at = row + Math.floor(j * columns / S);
      if (weights[i * S + j] > largest[at]) largest[at] = weights[i * S + j];
    }
  }
  for (let i = 0; i < largest.length; ++i) {
    const [r, g, b] = shade(largest[i]);
    pixels.data.set([r, g, b, 255], 4 * i);
  }
  to.putImageData(pixels, 0, 0);
  return canvas;
}

const edge = {left: 52, top: 22, gap: 3};
let thumbs = {};  // the overview without its mark, and the size of its cells
function drawOverview() {
  const now = current(), {map, columns} = now;
  const room = Math.max(240, Math.min(560, window.innerWidth < 800 ? window.innerWidth - 40 : 0.38 * window.innerWidth)) -
    edge.left;
  const cell = Math.max(14, Math.min(64, Math.floor(room / columns) - edge.gap, Math.floor(700 / map.layers) - edge.gap));
  const step = cell + edge.gap, width = edge.left + columns * step, height = edge.top + map.layers * step;
  const key = [state.text, state.kind, cell, document.documentElement.dataset.theme, window.devicePixelRatio].join();
  if (thumbs.key !== key) {
    const canvas = document.createElement('canvas'), to = sized(canvas, width, height);
    to.fillStyle = ink.soft;
    for (let column = 0; column < columns; ++column) {
      const name = column < map.heads ? String(column + 1) : column === map.heads ? 'mean' : 'roll';
      to.textAlign = 'center';
      to.fillText(name, edge.left + column * step + cell / 2, 10, step);
    }
    for (let layer = 0; layer < map.layers; ++layer) {
      to.textAlign = 'right';
      to.fillText(`layer ${layer + 1}`, edge.left - 6, edge.top + layer * step + cell / 2, edge.left - 6);
      for (let column = 0; column < columns; ++column) {
        const x = edge.left + column * step, y = edge.top + layer * step;
        to.drawImage(image(weightsOf(now, layer, column), now.T, now.S, 60), x, y, cell, cell);
        to.strokeStyle = ink.line;
        to.strokeRect(x - 0.5, y - 0.5, cell + 1, cell + 1);
      }
    }
    thumbs = {key, canvas, cell, step};
  }
  const to = sized($('overview'), width, height);
  to.drawImage(thumbs.canvas, 0, 0, width, height);
  to.strokeStyle = ink.mark;
  to.lineWidth = 3;
  to.strokeRect(edge.left + state.column * step - 1, edge.top + state.layer * step - 1, cell + 2, cell + 2);
}

function drawLegend() {
  const to = sized($('legend'), 300, 34);
  for (let x = 0; x < 260; ++x) {
    to.fillStyle = `rgb(${shade((x / 259) ** 2).join()})`;
    to.fillRect(20 + x, 0, 1, 14);
  }
  to.strokeStyle = ink.line;
  to.strokeRect(19.5, 0.5, 261, 13);
  to.fillStyle = ink.soft;
  to.textAlign = 'center';
  for (const w of [0, 0.01, 0.05, 0.2, 0.5, 1]) to.fillText(percent(w).replace('.0', ''), 20 + 260 * Math.sqrt(w), 25);
}

// Names are cut to fit.
function fitted(to, text, width) {
  if (to.measureText(text).width <= width) return text;
  while (text.length > 1 && to.measureText(text + '\u2026').width > width) text = text.slice(0, -1);
  return text + '\u2026';
}

let place = {};  // where the drawn map has its tokens
function drawHeat(now, weights) {
  const {T, S, queries, keys} = now, ruler = $('map').getContext('2d');
  ruler.font = '12px system-ui, sans-serif';
  const longest = Math.max(...[...queries, ...keys].map((token) => ruler.measureText(shown(token)).width));
  const names = Math.ceil(Math.min(120, longest + 14));
  const room = $('map-panel').clientWidth - names - 4;
  const cell = Math.max(S <= 100 ? 10 : 4, Math.min(30, Math.floor(room / S)));
  place = {left: names, top: names, cell};
  const to = sized($('map'), names + S * cell + 2, names + T * cell + 2);
  to.drawImage(image(weights, T, S, 2048), names, names, S * cell, T * cell);
  to.strokeStyle = ink.line;
  to.strokeRect(names - 0.5, names - 0.5, S * cell + 1, T * cell + 1);
  const each = Math.ceil(10 / cell);  // names that have room
  if (cell < 13) to.font = '10px system-ui, sans-serif';
  for (let i = 0; i < T; ++i) {
    if (i % each !== 0 && i !== state.query) continue;
    to.textAlign = 'right';
    to.fillStyle = i === state.query ? ink.mark : ink.ink;
    to.fillText(fitted(to, shown(queries[i]), names - 8), names - 6, names + (i + 0.5) * cell);
  }
  for (let j = 0; j < S; ++j) {
    if (j % each !== 0 && j !== state.key) continue;
    to.save();
    to.translate(names + (j + 0.5) * cell, names - 6);
    to.rotate(-Math.PI / 2);
    to.textAlign = 'left';
    to.fillStyle = j === state.key ? ink.mark : ink.ink;
    to.fillText(fitted(to, shown(keys[j]), names - 8), 0, 0);
    to.restore();
  }
  to.strokeStyle = ink.mark;
  to.lineWidth = 2;
  if (state.query >= 0) to.strokeRect(names, names + state.query * cell, S * cell, cell);
  if (state.key >= 0) to.strokeRect(names + state.key * cell, names, cell, T * cell);
}

// Queries on the left, keys on the right; the width of a line grows with its weight.
function drawLines(now, weights) {
  const {T, S, queries, keys} = now, names = 150, step = 20;
  const width = Math.max(420, Math.min(760, $('map-panel').clientWidth - 4));
  place = {names, step, width};
  const to = sized($('map'), width, Math.max(T, S) * step + 30);
  const middle = (i) => 24 + (i + 0.5) * step;
  to.fillStyle = ink.soft;
  to.textAlign = 'right';
  to.fillText(now.map.kind === 'cross' ? 'predicted' : 'attends', names - 8, 10);
  to.textAlign = 'left';
  to.fillText('attended to', width - names + 8, 10);
  for (let i = 0; i < T; ++i) {
    if (state.query >= 0 && i !== state.query) continue;
    for (let j = 0; j < S; ++j) {
      const w = weights[i * S + j];
      if (w < state.threshold || (state.key >= 0 && j !== state.key && state.query < 0)) continue;
      to.globalAlpha = Math.min(1, 0.15 + 0.85 * Math.sqrt(w));
      to.strokeStyle = ink.ink;
      to.lineWidth = 0.5 + 6 * w;
      to.beginPath();
      to.moveTo(names, middle(i));
      to.lineTo(width - names, middle(j));
      to.stroke();
    }
  }
  to.globalAlpha = 1;
  const column = (tokens, chosen, align, x) => tokens.forEach((token, i) => {
    to.textAlign = align;
    to.fillStyle = i === chosen ? ink.mark : ink.ink;
    to.fillText(fitted(to, shown(token), names - 12), x, middle(i));
  });
  column(queries, state.query, 'right', names - 8);
  column(keys, state.key, 'left', width - names + 8);
}

// The weights of the chosen token as a list: what others read from the colours.
function drawReading(now, weights) {
  const {T, S, queries, keys} = now, rows = [];
  const by = state.query >= 0 || state.key < 0;  // what a query attends to, else who attends to a key
  const chosen = state.query >= 0 ? state.query : state.key;
  $('query-title').textContent =
    chosen < 0 ? 'No token chosen'
      : by ? `${now.map.kind === 'cross' ? 'Predicting' : 'Token'} ${chosen + 1}, “${shown(queries[chosen])}”, attends to`
           : `Token ${chosen + 1}, “${shown(keys[chosen])}”, is attended to by`;
  if (chosen >= 0) {
    for (let i = 0; i < (by ? S : T); ++i) {
      rows.push([by ? weights[chosen * S + i] : weights[i * S + chosen], i, by ? keys[i] : queries[i]]);
    }
    rows.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  }
  $('top').replaceChildren(...rows.filter((row) => row[0] > 0).slice(0, 12).map(([w, index, token]) => {
    const row = document.createElement('tr'), bar = document.createElement('span');
    for (const text of [index + 1, shown(token), percent(w)]) row.insertCell().textContent = text;
    bar.className = 'bar';
    bar.style.width = 100 * w + '%';
    row.insertCell().append(bar);
    return row;
  }));
  const one = state.query >= 0 && state.key >= 0 ? weights[state.query * S + state.key] : null;
  $('status').textContent = one !== null
    ? `“${shown(queries[state.query])}” to “${shown(keys[state.key])}”: ${percent(one)}`
    : `${kinds[now.map.kind]}, layer ${state.layer + 1}, ${columnName(now, state.column)}` +
      (chosen < 0 ? '. Point at a token, or press arrow keys in the map.' : '');
}

function drawMap() {
  const now = current(), weights = weightsOf(now, state.layer, state.column);
  $('map-title').textContent = `Layer ${state.layer + 1}, ${columnName(now, state.column)}`;
  (state.view === 'heat' ? drawHeat : drawLines)(now, weights);
  drawReading(now, weights);
}

function draw() {
  const now = current();
  state.layer = Math.min(state.layer, now.map.layers - 1);
  state.column = Math.min(state.column, now.columns - 1);
  $('overview-title').textContent = `All heads: ${now.map.layers} × ${now.map.heads}, ${kinds[now.map.kind]}`;
  $('heat').setAttribute('aria-pressed', state.view === 'heat');
  $('lines').setAttribute('aria-pressed', state.view === 'lines');
  $('threshold-label').style.display = state.view === 'heat' ? 'none' : '';
  $('threshold-value').textContent = percent(state.threshold);
  drawOverview();
  drawMap();
}

// -------------------------------------------------------------------------------------------------------------- input

function choose(changes) {
  Object.assign(state, changes);
  draw();
}

function point(event) {  // the token under the pointer
  const box = $('map').getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  const {T, S} = current(), within = (i, size) => (i >= 0 && i < size ? i : -1);
  let query = -1, key = -1;
  if (state.view === 'heat') {
    query = within(Math.floor((y - place.top) / place.cell), T);
    key = within(Math.floor((x - place.left) / place.cell), S);
  } else {
    const row = Math.floor((y - 24) / place.step);
    if (x < place.width / 2) query = within(row, T);
    else key = within(row, S);
  }
  if (query === state.query && key === state.key) return;
  Object.assign(state, {query, key});
  drawMap();
}

function moveInOverview(event) {
  const now = current();
  const moves = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  choose({layer: Math.max(0, Math.min(now.map.layers - 1, state.layer + move[0])),
          column: Math.max(0, Math.min(now.columns - 1, state.column + move[1]))});
}

function moveInMap(event) {
  const {T, S} = current(), step = (value, by, size) => Math.max(0, Math.min(size - 1, value + by));
  const moves = {
    ArrowUp: () => ({query: step(state.query, -1, T)}), ArrowDown: () => ({query: step(state.query, 1, T)}),
    ArrowLeft: () => ({key: step(state.key, -1, S)}), ArrowRight: () => ({key: step(state.key, 1, S)}),
    Escape: () => ({query: -1, key: -1}),
  };
  if (!moves[event.key]) return;
  event.preventDefault();
  Object.assign(state, moves[event.key]());
  drawMap();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  $('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
  readColours();
  drawLegend();
  draw();
}
const otherTheme = () => setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');

function fillKinds() {
  const maps = data.examples[state.text].maps;
  $('kind').replaceChildren(...maps.map((map, i) => new Option(kinds[map.kind], i)));
  state.kind = Math.min(state.kind, maps.length - 1);
  $('kind').value = state.kind;
}

function chooseText(text) {
  state.text = Math.max(0, Math.min(data.examples.length - 1, text));
  $('text').value = state.text;
  fillKinds();
  choose({query: -1, key: -1});
}

function chooseKind(kind) {
  state.kind = kind % data.examples[state.text].maps.length;
  $('kind').value = state.kind;
  choose({query: -1, key: -1});
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || /SELECT|INPUT/.test(event.target.tagName)) return;
  const heads = current().map.heads;
  const actions = {
    v: () => choose({view: state.view === 'heat' ? 'lines' : 'heat'}), k: () => chooseKind(state.kind + 1),
    m: () => choose({column: heads}), r: () => choose({column: heads + 1}), d: otherTheme,
    '[': () => chooseText(state.text - 1), ']': () => chooseText(state.text + 1),
  };
  if (actions[event.key]) actions[event.key]();
});

$('title').textContent = document.title = `Attention of ${data.model}`;
$('text').replaceChildren(...data.examples.map((example, i) => new Option(
  `${i + 1}: ` + (example.encoder.length ? example.encoder : example.decoder).join('').slice(0, 60), i)));
$('text').addEventListener('change', () => chooseText(Number($('text').value)));
$('kind').addEventListener('change', () => chooseKind(Number($('kind').value)));
$('heat').addEventListener('click', () => choose({view: 'heat'}));
$('lines').addEventListener('click', () => choose({view: 'lines'}));
$('threshold').addEventListener('input', () => choose({threshold: $('threshold').value / 100}));
$('theme').addEventListener('click', otherTheme);
$('overview').addEventListener('keydown', moveInOverview);
$('overview').addEventListener('click', (event) => {
  const now = current(), column = Math.floor((event.offsetX - edge.left) / thumbs.step);
  const layer = Math.floor((event.offsetY - edge.top) / thumbs.step);
  if (column >= 0 && column < now.columns && layer >= 0 && layer < now.map.layers) choose({layer, column});
});
$('map').addEventListener('keydown', moveInMap);
$('map').addEventListener('pointermove', point);
$('map').addEventListener('pointerdown', point);
window.addEventListener('resize', draw);
const dark = window.matchMedia('(prefers-color-scheme: dark)');
dark.addEventListener('change', () => setTheme(dark.matches ? 'dark' : 'light'));
fillKinds();
setTheme(dark.matches ? 'dark' : 'light');
