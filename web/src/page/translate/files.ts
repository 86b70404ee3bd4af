// Files dropped or chosen: a line each with progress, cancel and, when it is done, the translated file.

import { isAbort } from '../../lib/protocol';
import { byId, h } from '../dom';
import { messages } from '../i18n';
import { decode, type DocumentTools, formatOf, nameIn, segment, translateDocument } from './documents';

const text = messages({
  en: {
    waiting: 'waiting for the model',
    progress: (share: string) => `${share} translated`,
    done: 'translated',
    cancelled: 'cancelled',
    cancel: 'Cancel',
    remove: 'Remove from the list',
    download: 'Save',
    format: (name: string) => `${name}: only .txt, .md, .html and .srt files can be translated`,
    size: (name: string) => `${name} is larger than 20 MB`,
    empty: 'There is no text in it.',
    failed: (why: string) => `could not be translated: ${why}`,
  },
  de: {
    waiting: 'wartet auf das Modell',
    progress: (share: string) => `${share} übersetzt`,
    done: 'übersetzt',
    cancelled: 'abgebrochen',
    cancel: 'Abbrechen',
    remove: 'Aus der Liste entfernen',
    download: 'Speichern',
    format: (name: string) => `${name}: Übersetzt werden nur Dateien mit .txt, .md, .html und .srt`,
    size: (name: string) => `${name} ist größer als 20 MB`,
    empty: 'Darin steht kein Text.',
    failed: (why: string) => `ließ sich nicht übersetzen: ${why}`,
  },
  zh: {
    waiting: '正在等待模型',
    progress: (share: string) => `已翻译 ${share}`,
    done: '翻译完成',
    cancelled: '已取消',
    cancel: '取消',
    remove: '从列表中移除',
    download: '保存',
    format: (name: string) => `${name}：只能翻译 .txt、.md、.html 和 .srt 文件`,
    size: (name: string) => `${name} 超过 20 MB`,
    empty: '文件里没有文字。',
    failed: (why: string) => `无法翻译：${why}`,
  },
});

const kMostBytes = 20e6;

export interface FilesEnvironment {
  /** Resolves when there is a model, to what translates with it. */
  tools: () => Promise<DocumentTools>;
  languages: () => { source: string; target: string };
  notice: (message: string) => void;
}

export function mountFiles({ tools, languages, notice }: FilesEnvironment): void {
  const list = byId('documents');
  const input = byId<HTMLInputElement>('file');
  byId('choose-file').addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    for (const file of input.files ?? []) void take(file);
    input.value = ''; // the same file may be chosen again
  });

  // Anywhere on the page: a file let go beside the target would replace the page.
  const drop = byId('drop');
  const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true;
  window.addEventListener('dragover', (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    drop.hidden = false;
  });
  window.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) drop.hidden = true;
  });
  window.addEventListener('drop', (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    drop.hidden = true;
    for (const file of event.dataTransfer?.files ?? []) void take(file);
  });

  async function take(file: File): Promise<void> {
    const format = formatOf(file.name);
    if (!format) return notice(text().format(file.name));
    if (file.size > kMostBytes) return notice(text().size(file.name));
    const { source, target } = languages();
    const stop = new AbortController();
    const bar = h('progress', { max: 1, value: 0, 'aria-label': file.name });
    const state = h('span', { class: 'document-state', role: 'status' }, text().waiting);
    const cancel = h('button', { type: 'button', class: 'text-button', onClick: () => stop.abort() }, text().cancel);
    const actions = h('div', { class: 'document-actions' }, cancel);
    const row = h('div', { class: 'document' }, h('span', { class: 'document-name' }, file.name), bar, state, actions);
    let address: string | null = null;
    const remove = h('button', { type: 'button', class: 'close', 'aria-label': `${text().remove}: ${file.name}`, title: text().remove }, '×');
    remove.addEventListener('click', () => {
      if (address) URL.revokeObjectURL(address);
      row.remove();
      list.hidden = list.childElementCount === 0;
    });
    list.append(row);
    list.hidden = false;
    try {
      const parts = await segment(decode(new Uint8Array(await file.arrayBuffer()), source), format, target);
      if (parts.segments.length === 0) throw new Error(text().empty);
      const use = await aborted(tools(), stop.signal);
      const translated = await translateDocument(parts, use, {
        signal: stop.signal,
        onProgress: (share) => {
          bar.value = share;
          state.textContent = text().progress(`${Math.floor(100 * share)} %`);
        },
      });
      address = URL.createObjectURL(new Blob([translated], { type: 'text/plain;charset=utf-8' }));
      state.textContent = text().done;
      actions.prepend(h('a', { class: 'button', href: address, download: nameIn(file.name, target) }, text().download));
    } catch (error) {
      stop.abort(); // the segments still under way
      const cancelled = isAbort(error);
      state.textContent = cancelled ? text().cancelled : text().failed((error as Error).message);
      state.classList.toggle('failed', !cancelled);
    } finally {
      bar.remove();
      cancel.replaceWith(remove);
    }
  }
}

/** Rejects as soon as the signal says so. */
function aborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    promise.then(resolve, reject);
  });
}
