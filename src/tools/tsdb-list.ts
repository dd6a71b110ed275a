/** `tsdb list`: the blocks of a data directory. */
import { type BlockMeta, openReadOnly } from '../../tsdb/index.ts';
import { formatSize } from '../flags/values.ts';
import { type Outputs, readWords, runCommand } from './command-line.ts';
import { goDuration } from './go-duration.ts';
import { DIRECTORY_DEFAULT, readOnlyLogger } from './tsdb-access.ts';
import { textTable } from './text-table.ts';

const USAGE = `usage: narthex tsdb list [<flags>] [<db path>]

Lists the blocks of a data directory, which may be in use. Nothing is written to it.

  -r, --human-readable  Print times and sizes for people.
`;

const HEADER = [
  'BLOCK ULID',
  'MIN TIME',
  'MAX TIME',
  'DURATION',
  'NUM SAMPLES',
  'NUM CHUNKS',
  'NUM SERIES',
  'SIZE',
];

export function tsdbList(words: readonly string[], { out, err }: Outputs): Promise<number> {
  return runCommand(err, () => {
    const { flags, arguments: given } = readWords(
      words,
      {
        help: { type: 'boolean', short: 'h' },
        'human-readable': { type: 'boolean', short: 'r' },
      },
      1,
    );
    if (flags.help === true) return out(USAGE);
    const [directory = DIRECTORY_DEFAULT] = given;
    const db = openReadOnly(directory, { withHead: false, logger: readOnlyLogger(err) });
    const isForPeople = flags['human-readable'] === true;
    const rows = db.blocks.map(({ meta, sizeBytes }) => rowOf(meta, sizeBytes, isForPeople));
    db.close();
    out(textTable([HEADER, ...rows]));
  });
}

function rowOf({ ulid, minMs, endMs, stats }: BlockMeta, sizeBytes: number, isForPeople: boolean) {
  return [
    ulid,
    isForPeople ? secondText(minMs) : String(minMs),
    isForPeople ? secondText(endMs) : String(endMs),
    goDuration(endMs - minMs),
    String(stats.sampleCount),
    String(stats.chunkCount),
    String(stats.seriesCount),
    isForPeople ? formatSize(sizeBytes) : String(sizeBytes),
  ];
}

/** `2025-10-31 01:59:30 +0000 UTC` */
function secondText(timestampMs: number): string {
  const iso = new Date(Math.floor(timestampMs / 1000) * 1000).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} +0000 UTC`;
}
