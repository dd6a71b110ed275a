/** What a real Prometheus finds at the fakes is what was recorded of it. */
import { describe, expect, test } from 'vitest';
import { JUDGE_BINARY } from '../support/judge-server.ts';
import { FAKES, findInJudge, readRecorded, writeRecorded } from './platform-runs.ts';

const isRecording = process.env['NARTHEX_RECORD'] !== undefined;
const asked = FAKES.filter(
  ({ expected, recordedAs }) => expected === undefined && recordedAs === undefined,
);

describe.skipIf(JUDGE_BINARY === null)('beside a real Prometheus', () => {
  test('platforms are found with the same labels', { timeout: 60_000 }, async () => {
    if (isRecording) return writeRecorded(await findInJudge(asked, () => null));
    const recorded = readRecorded();
    const found = await findInJudge(asked, ({ name }) => recorded[name]?.length ?? null);
    expect(found).toEqual(recorded);
  });
});
