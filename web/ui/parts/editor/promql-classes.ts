/** Which part of PromQL gets which class; used by the editor and by expressions in tables. */
import { tagHighlighter, tags } from '@lezer/highlight';
import './promql-classes.css';

export const promqlHighlighter = tagHighlighter([
  { tag: tags.variableName, class: 'pq-metric' },
  { tag: tags.function(tags.variableName), class: 'pq-function' },
  { tag: tags.operatorKeyword, class: 'pq-function' },
  { tag: tags.modifier, class: 'pq-keyword' },
  { tag: tags.logicOperator, class: 'pq-keyword' },
  { tag: tags.labelName, class: 'pq-label' },
  { tag: tags.string, class: 'pq-string' },
  { tag: tags.number, class: 'pq-number' },
  { tag: tags.comment, class: 'pq-comment' },
]);
