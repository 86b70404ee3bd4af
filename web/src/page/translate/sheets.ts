// The two sheets at the side: history and glossary.

import type { ModelInfo } from '../../lib/models';
import { byId, h } from '../dom';
import { languageName } from '../format';
import { language, messages, onLanguage } from '../i18n';
import { read, write } from '../storage';
import { type Glossary, isGlossary, type Term } from './glossary';
import type { Entry, History } from './history';

const text = messages({
  en: {
    close: 'Close',
    history: 'History',
    historyAbout: 'Kept on this machine only, in this browser.',
    keep: 'Keep a history',
    none: 'Nothing translated yet.',
    off: 'The history is switched off: nothing new is kept.',
    restore: 'Translate again',
    remove: 'Delete',
    clear: 'Delete all',
    glossary: 'Glossary',
    from: 'Term',
    to: 'Always becomes',
    exact: 'Same case',
    add: 'Add',
    noTerms: 'No terms yet for this direction.',
    direction: (from: string, to: string) => `${from} → ${to}`,
    limits:
      'A term is found as a whole word, in upper or lower case unless “same case” is ticked. Plurals and other forms are not recognised: give each its own line.',
    method:
      'The decoder is made to write the term where attention finds the word, and goes on from there by itself; the word before it is tried in the model’s five likeliest forms, and the likeliest sentence stays. What still does not agree, the list of alternatives behind each word can mend.',
    notKept: 'This browser does not let the page keep anything: the terms hold until it is closed.',
  },
  de: {
    close: 'Schließen',
    history: 'Verlauf',
    historyAbout: 'Nur auf diesem Gerät gespeichert, in diesem Browser.',
    keep: 'Verlauf führen',
    none: 'Noch nichts übersetzt.',
    off: 'Der Verlauf ist ausgeschaltet: Neues wird nicht gespeichert.',
    restore: 'Noch einmal übersetzen',
    remove: 'Löschen',
    clear: 'Alles löschen',
    glossary: 'Glossar',
    from: 'Begriff',
    to: 'Wird immer zu',
    exact: 'Groß/klein genau',
    add: 'Hinzufügen',
    noTerms: 'Für diese Richtung gibt es noch keine Begriffe.',
    direction: (from: string, to: string) => `${from} → ${to}`,
    limits:
      'Ein Begriff wird als ganzes Wort gefunden, groß oder klein geschrieben, solange „Groß/klein genau“ nicht gewählt ist. Mehrzahl und andere Formen werden nicht erkannt: Geben Sie jeder eine eigene Zeile.',
    method:
      'Der Decoder muss den Begriff dort schreiben, wo die Attention das Wort findet, und schreibt von da an selbst weiter; das Wort davor wird in den fünf wahrscheinlichsten Formen des Modells versucht, und der wahrscheinlichste Satz bleibt. Was dann noch nicht passt, lässt sich über die Alternativen hinter jedem Wort ändern.',
    notKept: 'Dieser Browser lässt die Seite nichts speichern: Die Begriffe gelten, bis sie geschlossen wird.',
  },
  zh: {
    close: '关闭',
    history: '历史记录',
    historyAbout: '只保存在本机的这个浏览器里。',
    keep: '保存历史记录',
    none: '还没有翻译过内容。',
    off: '历史记录已关闭，不再保存新的内容。',
    restore: '重新翻译',
    remove: '删除',
    clear: '全部删除',
    glossary: '术语表',
    from: '术语',
    to: '固定译为',
    exact: '区分大小写',
    add: '添加',
    noTerms: '这个翻译方向还没有术语。',
    direction: (from: string, to: string) => `${from} → ${to}`,
    limits: '术语按整词匹配；不勾选“区分大小写”时忽略大小写。复数等其他词形不会自动识别，请为每种词形单独添加一行。',
    method:
      '注意力指出该词在译文中的位置，解码器必须在那里写出这个术语，之后由模型自行续写；术语前面的一个词会尝试模型最倾向的五种写法，最后保留概率最高的句子。若仍有不协调之处，可点击译文中的词换用其他译法。',
    notKept: '此浏览器不允许页面保存数据，术语在页面关闭后失效。',
  },
});

function open(dialog: HTMLDialogElement, draw: () => void): void {
  draw();
  if (!dialog.open) dialog.showModal();
}

function head(dialog: HTMLDialogElement, title: string): HTMLElement {
  const close = h('button', { type: 'button', class: 'close', 'aria-label': text().close, onClick: () => dialog.close() }, '×');
  return h('div', { class: 'sheet-head' }, h('h2', { id: `${dialog.id}-title` }, title), close);
}

/** A click beside the sheet closes it. */
function lightDismiss(dialog: HTMLDialogElement): void {
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
}

export function mountHistory(history: History, restore: (entry: Entry) => void): void {
  const dialog = byId<HTMLDialogElement>('history');
  lightDismiss(dialog);
  const draw = () => {
    const keep = h('input', { type: 'checkbox', id: 'history-on' });
    keep.checked = history.on;
    keep.addEventListener('change', () => {
      history.on = keep.checked;
      draw();
      byId('history-on').focus();
    });
    const time = new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'short' });
    const rows = history.entries.map((entry) => {
      const [from = '', to = ''] = entry.model.split('-');
      const again = () => {
        dialog.close();
        restore(entry);
      };
      const remove = () => {
        history.remove(entry);
        draw();
        (dialog.querySelector<HTMLElement>('.entry-remove') ?? keepFocus()).focus();
      };
      return h(
        'li',
        { class: 'entry' },
        h(
          'button',
          { type: 'button', class: 'entry-open', title: text().restore, onClick: again },
          h('span', { class: 'entry-about' }, `${text().direction(languageName(from), languageName(to))} · ${time.format(entry.time)}`),
          h('span', { class: 'entry-source', lang: from }, shorten(entry.source)),
          h('span', { class: 'entry-target', lang: to }, shorten(entry.translation)),
        ),
        h('button', { type: 'button', class: 'close entry-remove', 'aria-label': `${text().remove}: ${shorten(entry.source, 40)}`, title: text().remove, onClick: remove }, '×'),
      );
    });
    const keepFocus = () => byId('history-on');
    const clear = h(
      'button',
      {
        type: 'button',
        class: 'text-button danger',
        id: 'history-clear',
        onClick: () => {
          history.clear();
          draw();
          keepFocus().focus();
        },
      },
      text().clear,
    );
    dialog.replaceChildren(
      h(
        'div',
        { class: 'sheet-body' },
        head(dialog, text().history),
        h('p', { class: 'sheet-about' }, history.on ? text().historyAbout : text().off),
        h('div', { class: 'sheet-row' }, h('label', { class: 'check' }, keep, text().keep), rows.length > 0 && clear),
        rows.length > 0 ? h('ul', { class: 'entries' }, ...rows) : h('p', { class: 'sheet-empty' }, text().none),
      ),
    );
  };
  byId('open-history').addEventListener('click', () => open(dialog, draw));
  onLanguage(() => dialog.open && draw());
}

function shorten(text: string, most = 160): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join('')}…`;
}

export interface GlossaryStore {
  terms: (model: string) => readonly Term[];
}

export function mountGlossary(model: () => ModelInfo | null, onChange: () => void): GlossaryStore {
  const dialog = byId<HTMLDialogElement>('glossary');
  lightDismiss(dialog);
  let glossary: Glossary = read('glossary', {}, isGlossary);
  let kept = true;
  const mark = () => {
    const { id } = model() ?? { id: '' };
    byId('open-glossary').classList.toggle('has-terms', (glossary[id]?.length ?? 0) > 0);
  };
  const set = (id: string, terms: Term[]) => {
    glossary = { ...glossary, [id]: terms };
    if (terms.length === 0) delete glossary[id];
    kept = write('glossary', Object.keys(glossary).length > 0 ? glossary : null);
    mark();
    onChange();
  };
  const draw = () => {
    const current = model();
    if (!current) return;
    const { id, source, target } = current;
    const terms = glossary[id] ?? [];
    const from = h('input', { id: 'term-source', lang: source, required: true, autocomplete: 'off', maxlength: 100 });
    const to = h('input', { id: 'term-target', lang: target, required: true, autocomplete: 'off', maxlength: 100 });
    const exact = h('input', { type: 'checkbox', id: 'term-exact' });
    const add = (event: Event) => {
      event.preventDefault();
      const term = { source: from.value.trim(), target: to.value.trim(), exact: exact.checked };
      if (term.source === '' || term.target === '') return;
      set(id, [term, ...terms.filter((other) => other.source !== term.source)]);
      draw();
      byId('term-source').focus();
    };
    const rows = terms.map((term) => {
      const remove = () => {
        set(id, terms.filter((other) => other !== term));
        draw();
        byId('term-source').focus();
      };
      return h(
        'li',
        { class: 'term' },
        h('span', { lang: source }, term.source),
        h('span', { class: 'term-arrow', 'aria-hidden': 'true' }, '→'),
        h('span', { lang: target }, term.target),
        h('span', { class: 'term-exact' }, term.exact ? text().exact : ''),
        h('button', { type: 'button', class: 'close', 'aria-label': `${text().remove}: ${term.source}`, title: text().remove, onClick: remove }, '×'),
      );
    });
    dialog.replaceChildren(
      h(
        'div',
        { class: 'sheet-body' },
        head(dialog, text().glossary),
        h('p', { class: 'sheet-about' }, text().direction(languageName(source), languageName(target))),
        h(
          'form',
          { class: 'term-form', onSubmit: add },
          h('label', {}, h('span', {}, text().from), from),
          h('label', {}, h('span', {}, text().to), to),
          h('label', { class: 'check' }, exact, text().exact),
          h('button', { type: 'submit', class: 'button' }, text().add),
        ),
        rows.length > 0 ? h('ul', { class: 'terms' }, ...rows) : h('p', { class: 'sheet-empty' }, text().noTerms),
        !kept && h('p', { class: 'sheet-about' }, text().notKept),
        h('p', { class: 'sheet-about' }, text().limits),
        h('p', { class: 'sheet-about' }, text().method),
      ),
    );
  };
  byId('open-glossary').addEventListener('click', () => {
    open(dialog, draw);
    document.getElementById('term-source')?.focus();
  });
  onLanguage(() => dialog.open && draw());
  return {
    terms: (id) => {
      mark();
      return glossary[id] ?? [];
    },
  };
}
