/** A link that opens an expression on the query page. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { newPanel, searchFromPanels, type Tab } from './panel-state.ts';

type QueryLinkProps = { expr: string; tab?: Tab; className?: string; children: ReactNode };

export function QueryLink({ expr, tab = 'graph', className, children }: QueryLinkProps) {
  return (
    <Link to="/query" search={searchFromPanels([newPanel(expr, tab)])} className={className}>
      {children}
    </Link>
  );
}
