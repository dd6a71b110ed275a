import { EditorView } from '@codemirror/view';

/** The editor's looks, from the variables of theme.css. */
export const editorTheme = EditorView.theme({
  '&': { fontSize: '13.5px', backgroundColor: 'transparent', color: 'var(--nx-text)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--nx-mono)', lineHeight: '1.55' },
  '.cm-content': { padding: '9px 0', caretColor: 'var(--nx-text)' },
  '.cm-line': { padding: '0 4px' },
  '.cm-placeholder': { color: 'var(--nx-text-faint)' },
  '.cm-cursor': { borderLeftColor: 'var(--nx-text)' },
  '&.cm-focused .cm-matchingBracket': {
    backgroundColor: 'var(--nx-accent-soft)',
    borderRadius: '2px',
  },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--nx-bad-soft)' },
  '.cm-tooltip': {
    color: 'var(--nx-text)',
    backgroundColor: 'var(--nx-surface)',
    border: '1px solid var(--nx-border-strong)',
    borderRadius: '8px',
    boxShadow: 'var(--nx-shadow-float)',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': {
    fontFamily: 'var(--nx-mono)',
    fontSize: '12.5px',
    maxHeight: '320px',
    maxWidth: 'min(640px, calc(100vw - 32px))',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': {
    display: 'flex',
    alignItems: 'baseline',
    gap: '16px',
    padding: '4px 10px',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    color: 'var(--nx-text)',
    backgroundColor: 'var(--nx-accent-soft)',
  },
  '.cm-completionLabel': { flex: '1', overflow: 'hidden', textOverflow: 'ellipsis' },
  '.cm-completionMatchedText': {
    color: 'var(--nx-link)',
    fontWeight: '700',
    textDecoration: 'none',
  },
  '.cm-completionDetail': {
    marginLeft: 'auto',
    color: 'var(--nx-text-dim)',
    fontStyle: 'normal',
    fontSize: '11.5px',
  },
  '.cm-tooltip.cm-completionInfo': {
    maxWidth: '380px',
    padding: '8px 12px',
    fontFamily: 'var(--nx-font)',
    fontSize: '12.5px',
  },
  '.cm-diagnostic': { padding: '6px 10px', fontSize: '12.5px' },
  '.cm-diagnostic-error': { borderLeft: '3px solid var(--nx-bad-fill)' },
  '.cm-diagnostic-warning': { borderLeft: '3px solid var(--nx-warn-fill)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--nx-bad-fill) 1px',
    textUnderlineOffset: '4px',
  },
});
