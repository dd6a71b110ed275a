/** The PromQL editor: completion from the server, errors while typing, Enter runs. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
} from '@codemirror/autocomplete';
import {
  history,
  historyKeymap,
  insertNewlineAndIndent,
  standardKeymap,
} from '@codemirror/commands';
import { bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, type Extension, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import { useEffect, useRef } from 'react';
import { completionClient } from './completion-client.ts';
import { editorTheme } from './editor-theme.ts';
import { promqlHighlighter } from './promql-classes.ts';
import classes from './promql-editor.module.css';

type EditorOptions = {
  completion: boolean;
  linting: boolean;
  /** Offered whole, newest first. */
  pastQueries: readonly string[];
};

type PromqlEditorProps = {
  value: string;
  options: EditorOptions;
  onChange: (text: string) => void;
  onRun: () => void;
  /** Walks through past queries; -1 goes back. */
  onHistory: (direction: 1 | -1) => void;
};

const PAST_QUERY_OFFERS_MAX = 20;

export function PromqlEditor({ value, options, onChange, onRun, onHistory }: PromqlEditorProps) {
  const root = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const language = useRef(new Compartment()).current;
  // The editor is built once; its handlers look the newest properties up here.
  const latest = useRef({ onChange, onRun, onHistory });
  latest.current = { onChange, onRun, onHistory };

  useEffect(() => {
    const editor = new EditorView({
      parent: root.current!,
      state: EditorState.create({
        doc: value,
        extensions: [language.of([]), fixedExtensions(latest)],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
    // The first value only; later ones arrive through the effect below.
  }, []);

  const { completion, linting, pastQueries } = options;
  useEffect(() => {
    const promql = new PromQLExtension()
      .setComplete({ remote: completionClient })
      .activateCompletion(completion)
      .activateLinter(linting);
    const past = EditorState.languageData.of(() => [
      { autocomplete: pastQuerySource(pastQueries) },
    ]);
    view.current!.dispatch({
      effects: language.reconfigure([promql.asExtension(), completion ? past : []]),
    });
    return () => promql.destroy();
  }, [language, completion, linting, pastQueries]);

  useEffect(() => {
    const editor = view.current!;
    const text = editor.state.doc.toString();
    if (text === value) return;
    editor.dispatch({
      changes: { from: 0, to: text.length, insert: value },
      selection: { anchor: value.length },
    });
  }, [value]);

  return <div ref={root} className={classes.editor} data-testid="editor" />;
}

type Handlers = Pick<PromqlEditorProps, 'onChange' | 'onRun' | 'onHistory'>;

function fixedExtensions(latest: { current: Handlers }): Extension {
  const run = () => {
    latest.current.onRun();
    return true;
  };
  const past = (direction: 1 | -1) => () => {
    latest.current.onHistory(direction);
    return true;
  };
  return [
    history(),
    bracketMatching(),
    closeBrackets(),
    autocompletion({ icons: false, maxRenderedOptions: 60, defaultKeymap: false }),
    syntaxHighlighting(promqlHighlighter),
    editorTheme,
    EditorView.lineWrapping,
    placeholder('Type a PromQL expression, such as up'),
    EditorView.contentAttributes.of({ 'aria-label': 'PromQL expression' }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) latest.current.onChange(update.state.doc.toString());
    }),
    // While completions are open, Enter takes one; otherwise it runs the query.
    Prec.highest(keymap.of(completionKeymap)),
    Prec.high(
      keymap.of([
        { key: 'Enter', run },
        { key: 'Mod-Enter', run },
        { key: 'Shift-Enter', run: insertNewlineAndIndent },
        { key: 'Ctrl-ArrowUp', run: past(-1) },
        { key: 'Ctrl-ArrowDown', run: past(1) },
        {
          key: 'Escape',
          run: (editor) => {
            editor.contentDOM.blur();
            return true;
          },
        },
      ]),
    ),
    keymap.of([...closeBracketsKeymap, ...historyKeymap, ...standardKeymap]),
  ];
}

function pastQuerySource(pastQueries: readonly string[]) {
  return (context: CompletionContext): CompletionResult | null => {
    const text = context.state.doc.toString();
    const typed = text.slice(0, context.pos).trim().toLowerCase();
    // A whole query replaces the whole text, so it is offered only where that loses nothing.
    if (typed === '' || context.pos !== text.length) return null;
    const fitting = pastQueries.filter(
      (query) => query.toLowerCase().includes(typed) && query.trim() !== text.trim(),
    );
    if (fitting.length === 0) return null;
    return {
      from: 0,
      filter: false,
      options: fitting.slice(0, PAST_QUERY_OFFERS_MAX).map((query) => ({
        label: query,
        detail: 'past query',
        boost: -99,
      })),
    };
  };
}
