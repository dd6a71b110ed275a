/** Warnings and infos that came with a result. */
import { useState } from 'react';
import { Notice } from '../../parts/notice.tsx';
import { useSettings } from '../../settings/settings.ts';

type AnnotationsProps = { answer: { warnings: string[]; infos: string[] } };

export function Annotations({ answer }: AnnotationsProps) {
  const { showWarnings, showInfos } = useSettings();
  return (
    <>
      {showWarnings && (
        <Lines key={`w${answer.warnings.join()}`} tone="warn" texts={answer.warnings} />
      )}
      {showInfos && <Lines key={`i${answer.infos.join()}`} tone="info" texts={answer.infos} />}
    </>
  );
}

function Lines({ tone, texts }: { tone: 'warn' | 'info'; texts: readonly string[] }) {
  const [isClosed, setClosed] = useState(false);
  if (isClosed || texts.length === 0) return null;
  return (
    <Notice tone={tone} onClose={() => setClosed(true)}>
      {texts.map((text) => (
        <div key={text}>{text.replace(/^PromQL (?:info|warning): /, '')}</div>
      ))}
    </Notice>
  );
}
