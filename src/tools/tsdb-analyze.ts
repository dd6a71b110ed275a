/** `tsdb analyze`: what the series of a block are, which come and go, and how full chunks are. */
import { ValueError } from '../../model/index.ts';
import { parseSelector } from '../../promql/index.ts';
import {
  analyzeBlock,
  analyzeChunks,
  type BlockAnalysis,
  type ChunkAnalysis,
  openReadOnly,
  type Ranking,
  type ReadOnlyDb,
} from '../../tsdb/index.ts';
import { integerFlag, type Outputs, readWords, runCommand } from './command-line.ts';
import { goDuration } from './go-duration.ts';
import { DIRECTORY_DEFAULT, readOnlyLogger } from './tsdb-access.ts';

const USAGE = `usage: narthex tsdb analyze [<flags>] [<db path>] [<block id>]

Analyzes churn, cardinality of label pairs and fill of chunks of a block, by default the last one, of
a data directory, which may be in use. Nothing is written to it.

      --limit=20   How many items to show in each list.
      --extended   Also analyze the chunks.
      --match=...  Analyze only the series of a selector.
`;

const BAR_WIDTH = 100;
const STEP_MIN = 10;

export function tsdbAnalyze(words: readonly string[], { out, err }: Outputs): Promise<number> {
  return runCommand(err, () => {
    const { flags, arguments: given } = readWords(
      words,
      {
        help: { type: 'boolean', short: 'h' },
        limit: { type: 'string', default: '20' },
        extended: { type: 'boolean' },
        match: { type: 'string' },
      },
      2,
    );
    if (flags.help === true) return out(USAGE);
    const limit = integerFlag(flags.limit);
    const selector = flags.match ?? '';
    const matchers = selector === '' ? [] : parseSelector(selector);
    const [directory = DIRECTORY_DEFAULT, blockId = ''] = given;
    const db = openReadOnly(directory, { withHead: false, logger: readOnlyLogger(err) });
    try {
      const block = blockOf(db, blockId);
      const { ulid, minMs, endMs } = block.meta;
      out(`Block ID: ${ulid}\nDuration: ${goDuration(endMs - minMs)}\n`);
      out(analysisText(analyzeBlock(block, matchers), selector, limit));
      if (flags.extended === true) out(chunksText(analyzeChunks(block, matchers)));
    } finally {
      db.close();
    }
  });
}

function blockOf({ blocks }: ReadOnlyDb, blockId: string) {
  if (blocks.length === 0) throw new ValueError('no blocks found');
  // The one that was made last, not the one with the newest samples.
  const lastId = blocks.reduce((last, { ulid }) => (ulid > last ? ulid : last), '');
  const block = blocks.find(({ ulid }) => ulid === (blockId || lastId));
  if (block === undefined) throw new ValueError(`invalid block ID ${blockId}`);
  return block;
}

function analysisText(analysis: BlockAnalysis, selector: string, limit: number): string {
  const { seriesCount, matchedSeriesCount, labelNameCount, labelPairCount } = analysis;
  const isMatched = selector !== '';
  const lines = [
    `Total Series: ${seriesCount}`,
    ...(isMatched ? [`Matcher: ${selector}`] : []),
    `Label names: ${labelNameCount}`,
    ...(isMatched ? [`Matched series: ${matchedSeriesCount}`] : []),
    `Postings (unique label pairs): ${labelPairCount}`,
    `Postings entries (total label pairs): ${analysis.postingCount}`,
  ];
  const list = (title: string, ranking: Ranking) => {
    lines.push('', `${title}:`);
    for (const { name, value } of ranking.slice(0, limit)) lines.push(`${value} ${name}`);
  };
  list('Label pairs most involved in churning', analysis.churnByPair);
  list('Label names most involved in churning', analysis.churnByName);
  list('Most common label pairs', analysis.seriesCountByPair);
  list('Label names with highest cumulative label value length', analysis.valueBytesByName);
  list('Highest cardinality labels', analysis.valueCountByName);
  list('Highest cardinality metric names', analysis.seriesCountByMetric);
  return `${lines.join('\n')}\n`;
}

function chunksText(chunks: ChunkAnalysis): string {
  const chunkCount = chunks.floatSamples.length + chunks.histogramSamples.length;
  const parts = [
    histogramText('samples per float chunk', chunks.floatSamples, chunkCount),
    histogramText('bytes per float chunk', chunks.floatBytes, chunkCount),
    histogramText('samples per histogram chunk', chunks.histogramSamples, chunkCount),
    histogramText('bytes per histogram chunk', chunks.histogramBytes, chunkCount),
    histogramText('buckets per histogram chunk', chunks.histogramBuckets, chunkCount),
  ];
  return `\nCompaction analysis:\n\n${parts.join('\n')}\n`;
}

/** A bar per power-of-ten step between the least and the largest figure. */
function histogramText(title: string, figures: readonly number[], chunkCount: number): string {
  if (figures.length === 0) return `${title}: N/A\n`;
  let least = Infinity;
  let largest = -Infinity;
  let sum = 0;
  for (const figure of figures) {
    least = Math.min(least, figure);
    largest = Math.max(largest, figure);
    sum += figure;
  }
  let step = STEP_MIN;
  while (largest - least > step * 10) step *= 10;
  const first = Math.floor(least / step);
  const counts = new Array<number>(Math.floor(largest / step) - first + 2).fill(0);
  for (const figure of figures) counts[Math.floor(figure / step) - first]!++;
  const width = String((first + counts.length) * step).length;
  const countWidth = Math.max(...counts.map((count) => String(count).length));
  const average = Math.trunc(sum / figures.length);
  const lines = [`${title} (min/avg/max): ${least}/${average}/${largest}`];
  counts.forEach((count, i) => {
    const lower = String((first + i) * step + 1).padStart(width);
    const upper = String((first + i + 1) * step).padStart(width);
    const bar = '#'.repeat(Math.trunc((BAR_WIDTH * count) / chunkCount));
    lines.push(`[${lower}, ${upper}]: ${String(count).padStart(countWidth)} ${bar}`);
  });
  return `${lines.join('\n')}\n`;
}
