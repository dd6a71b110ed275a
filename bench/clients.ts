/** What clients of a server under test have in common. */
import { type Agent, get } from 'node:http';

/** Reads the answer to its end; resolves with whether it was a success. */
export function ask(url: string, agent: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    get(url, { agent }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode === 200));
      answer.on('error', () => resolve(false));
    }).on('error', () => resolve(false));
  });
}

export function quantileTexts(
  valuesMs: readonly number[],
  shares: readonly number[],
  digits = 1,
): string {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
  return shares.map((share) => `p${share * 100} ${at(share).toFixed(digits)}`).join(', ');
}
