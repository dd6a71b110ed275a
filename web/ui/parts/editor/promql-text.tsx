/** An expression to read, in the editor's colours. */
import { highlightCode } from '@lezer/highlight';
import { parser } from '@prometheus-io/lezer-promql';
import { memo, type ReactNode } from 'react';
import { promqlHighlighter } from './promql-classes.ts';

export const PromqlText = memo(function PromqlText({ expr }: { expr: string }) {
  const pieces: ReactNode[] = [];
  highlightCode(
    expr,
    parser.parse(expr),
    promqlHighlighter,
    (text, className) => {
      pieces.push(
        className === '' ? (
          text
        ) : (
          <span key={pieces.length} className={className}>
            {text}
          </span>
        ),
      );
    },
    () => pieces.push('\n'),
  );
  return (
    <code style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', fontSize: 12.5 }}>
      {pieces}
    </code>
  );
});
