/** The frame of a page: its title, what stands beside it, and its body. */
import { type ReactNode, useEffect } from 'react';
import { siteTitle } from '../base.ts';
import classes from './page.module.css';

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${siteTitle}`;
  }, [title]);
}

type PageProps = {
  title: string;
  /** One line that says what the page is for. */
  intro?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
};

export function Page({ title, intro, aside, children }: PageProps) {
  useTitle(title);
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <div>
          <h1 className={classes.title}>{title}</h1>
          {intro !== undefined && <p className={classes.intro}>{intro}</p>}
        </div>
        {aside !== undefined && <div className={classes.aside}>{aside}</div>}
      </header>
      {children}
    </div>
  );
}

/** A row of filters above a list; wraps on narrow windows. */
export function Toolbar({ children }: { children: ReactNode }) {
  return <div className={classes.toolbar}>{children}</div>;
}

/** A bordered surface with an optional heading. */
export function Card({
  title,
  aside,
  flush = false,
  children,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  /** No padding: the content reaches the border. */
  flush?: boolean;
  children: ReactNode;
}) {
  return (
    <section className={classes.card}>
      {title !== undefined && (
        <header className={classes.cardHeader}>
          <h2 className={classes.cardTitle}>{title}</h2>
          {aside}
        </header>
      )}
      <div className={flush ? undefined : classes.cardBody}>{children}</div>
    </section>
  );
}
