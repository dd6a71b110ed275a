/** Long lists are drawn a piece at a time: more rows appear when the end comes into view. */
import { type ReactNode, useEffect, useRef, useState } from 'react';

export function useGrowing(
  totalCount: number,
  pieceCount: number,
): { shownCount: number; sentinel: ReactNode } {
  const [limit, setLimit] = useState(pieceCount);
  const end = useRef<HTMLDivElement>(null);
  const isWhole = limit >= totalCount;

  useEffect(() => {
    if (isWhole) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry!.isIntersecting) setLimit((known) => known + pieceCount);
      },
      { rootMargin: '400px' },
    );
    observer.observe(end.current!);
    return () => observer.disconnect();
    // Observed anew after each piece, because an end that stays in view is reported only once.
  }, [isWhole, limit, pieceCount]);

  return {
    shownCount: Math.min(limit, totalCount),
    sentinel: isWhole ? null : <div ref={end} style={{ height: 1 }} />,
  };
}
