// The page: finds a model, loads it, and joins panes and attention.

import { Client } from '../lib/client';
import { loadIndex, type ModelInfo, totalBytes } from '../lib/models';
import { type Loaded, TranslucentError } from '../lib/protocol';
import { hideAlert, showAlert } from './alert';
import { AttentionPanel } from './attention-panel';
import { byId } from './dom';
import { formatBytes, languageName } from './format';
import { TranslatorPane } from './translator-pane';

const kExamples = [
  '狗追猫。',
  '猫追狗。',
  '你叫什么名字？',
  '我昨天在图书馆看了一本有意思的书。',
  '如果明天下雨，我们就待在家里。',
  '今天天气很好。我们去公园走走吧！你想一起来吗？',
];

const base = new URL('models/', document.baseURI).href;
const client = new Client();

const pane = new TranslatorPane({
  onTranslated: (translated) => {
    hideAlert();
    panel.follow(translated, pane.caret);
  },
  onCaret: () => panel.moveTo(pane.text, pane.caret),
  onFailure: fail,
});
const panel = new AttentionPanel({
  onSentence: (index) => pane.mark(index),
  onFailure: (error) => {
    if (isCrash(error)) fail(error);
  },
});

function isCrash(error: Error): boolean {
  return error instanceof TranslucentError && error.kind === 'crashed';
}

function fail(error: Error): void {
  if (isCrash(error)) {
    pane.stop();
    panel.stop();
    showAlert(`The translator stopped: ${error.message}`, () => void start());
  } else {
    showAlert(`This text could not be translated: ${error.message}`);
  }
}

async function start(): Promise<void> {
  const loading = byId('loading');
  const bar = byId<HTMLProgressElement>('loading-bar');
  const text = byId('loading-text');
  loading.hidden = false;
  text.textContent = 'Loading the model';
  bar.removeAttribute('value');
  try {
    const [model] = await loadIndex(base);
    introduce(model!);
    const loaded = await client.load(model!, {
      base,
      onProgress: (loaded, total) => {
        bar.value = total > 0 ? loaded / total : 1;
        text.textContent =
          loaded < total
            ? `Loading the model: ${formatBytes(loaded)} of ${formatBytes(total)}`
            : 'Starting the model';
      },
    });
    loading.hidden = true;
    byId('engine-line').textContent = describeEngine(loaded);
    panel.start(client);
    pane.start(client);
  } catch (error) {
    loading.hidden = true;
    const { message } = error as Error;
    showAlert(`The model could not be loaded: ${message}`, () => void start());
  }
}

/** Which build of the engine answers. */
function describeEngine({ variant, instructionSet, threads }: Loaded): string {
  return `Engine ${variant}: kernels ${instructionSet}, ${threads === 1 ? 'one thread' : `${threads} threads`}`;
}

/** Languages on the panes, name, size, scores and licence at the foot. */
function introduce(model: ModelInfo): void {
  byId('source-language').textContent = languageName(model.source);
  byId('target-language').textContent = languageName(model.target);
  byId('source').lang = model.source;
  byId('translation').lang = model.target;
  byId('explained-source').lang = model.source;
  byId('explained-target').lang = model.target;
  const scores = Object.entries(model.scores)
    .filter(([, value]) => typeof value === 'number' || typeof value === 'string')
    .map(([name, value]) => `${name} ${value}`);
  const facts = [
    `Model ${model.name}`,
    formatBytes(totalBytes(model)),
    ...scores,
    model.licence && `licence ${model.licence}`,
    'runs on your machine',
  ].filter(Boolean);
  const line = byId('model-line');
  line.replaceChildren(facts.join(' · '));
  if (model.card !== undefined) {
    const card = document.createElement('a');
    card.href = new URL(model.card, base).href;
    card.textContent = 'model card';
    line.append(' · ', card);
  }
}

for (const text of kExamples) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'example';
  button.lang = 'zh';
  button.textContent = text;
  button.addEventListener('click', () => {
    pane.text = text;
  });
  byId('examples').append(button);
}

// Something to look at from the first second; selected, so that typing replaces it. Not where it would
// bring up a keyboard over half the page.
pane.text = kExamples[0]!;
if (matchMedia('(pointer: fine)').matches) {
  const source = byId<HTMLTextAreaElement>('source');
  source.focus({ preventScroll: true });
  source.select();
}
void start();
