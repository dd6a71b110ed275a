/** `tsdb dump` and `tsdb dump-openmetrics`: every sample of a data directory as text. */
import {
  compareLabels,
  type FloatHistogram,
  formatFloat,
  formatFloatShort,
  formatHistogram,
  isStaleAt,
  type Labels,
  type Matcher,
  METRIC_NAME,
  type Querier,
  quoteText,
  SampleBuffer,
  type SelectedSeries,
} from '../../model/index.ts';
import { parseSelector } from '../../promql/index.ts';
import { openReadOnly } from '../../tsdb/index.ts';
import {
  choiceFlag,
  integerFlag,
  type Out,
  type Outputs,
  readWords,
  runCommand,
} from './command-line.ts';
import { DIRECTORY_DEFAULT, readOnlyLogger } from './tsdb-access.ts';

const FORMATS = ['prom', 'seriesjson'] as const;
const INT64_MIN = '-9223372036854775808';
const INT64_MAX = '9223372036854775807';
/** Text is handed on in pieces of about this size. */
const PIECE_LENGTH = 64 * 1024;

const COMMON_FLAGS = `
      --min-time=${INT64_MIN}  Earliest timestamp, in milliseconds since the Unix epoch.
      --max-time=${INT64_MAX}   Latest timestamp.
      --match=... ...                 Series selector; may be given several times.
      --sandbox-dir-root=...          Taken for compatibility: no sandbox is needed.
`;

const USAGE = `usage: narthex tsdb dump [<flags>] [<db path>]

Prints all samples, of blocks and of the head, of a data directory, which may be in use. Nothing is
written to it.
${COMMON_FLAGS}      --format=prom                   prom: samples; seriesjson: only the labels of series.
`;

const OPENMETRICS_USAGE = `usage: narthex tsdb dump-openmetrics [<flags>] [<db path>]

Like \`tsdb dump\`, in OpenMetrics text. Native histograms and staleness markers, which it cannot
express, are left out.
${COMMON_FLAGS}`;

const SPECS = {
  help: { type: 'boolean', short: 'h' },
  'min-time': { type: 'string', default: INT64_MIN },
  'max-time': { type: 'string', default: INT64_MAX },
  match: { type: 'string', multiple: true, default: ["{__name__=~'(?s:.*)'}"] as string[] },
  'sandbox-dir-root': { type: 'string' },
} as const;

/** Writes what there is of a series, in the range that is wanted. */
type PrintSeries = (labels: Labels, samples: SampleBuffer, out: Out) => void;

export function tsdbDump(words: readonly string[], { out, err }: Outputs): Promise<number> {
  return runCommand(err, () => {
    const specs = { ...SPECS, format: { type: 'string', default: 'prom' } } as const;
    const { flags, arguments: given } = readWords(words, specs, 1);
    if (flags.help === true) return out(USAGE);
    const format = choiceFlag(flags.format, FORMATS);
    dump(given[0], flags, format === 'prom' ? printSamples : printJson, { out, err });
  });
}

export function tsdbDumpOpenMetrics(
  words: readonly string[],
  { out, err }: Outputs,
): Promise<number> {
  return runCommand(err, () => {
    const { flags, arguments: given } = readWords(words, SPECS, 1);
    if (flags.help === true) return out(OPENMETRICS_USAGE);
    dump(given[0], flags, printOpenMetrics, { out, err });
    out('# EOF\n');
  });
}

type DumpFlags = {
  readonly 'min-time': string;
  readonly 'max-time': string;
  readonly match: readonly string[];
};

function dump(
  directory: string = DIRECTORY_DEFAULT,
  flags: DumpFlags,
  print: PrintSeries,
  { out, err }: Outputs,
): void {
  const minMs = integerFlag(flags['min-time']);
  const maxMs = integerFlag(flags['max-time']);
  const selectors = flags.match.map((text) => parseSelector(text));
  const db = openReadOnly(directory, { withHead: true, logger: readOnlyLogger(err) });
  const querier = db.querier(minMs, maxMs);
  try {
    const samples = new SampleBuffer();
    const pieces = new Pieces(out);
    const write: Out = (text) => pieces.add(text);
    for (const { rows, row } of selectAny(querier, selectors, minMs, maxMs)) {
      rows.read(row, minMs, maxMs, samples);
      print(rows.labels[row]!, samples, write);
    }
    pieces.flush();
  } finally {
    querier.close();
    db.close();
  }
}

/** The series that satisfy any of the selectors, each once, in label order. */
function selectAny(
  querier: Querier,
  selectors: readonly (readonly Matcher[])[],
  minMs: number,
  maxMs: number,
): { readonly rows: SelectedSeries; readonly row: number }[] {
  const found = new Map<string, { rows: SelectedSeries; row: number; labels: Labels }>();
  for (const matchers of selectors) {
    const rows = querier.select(matchers, { minMs, maxMs });
    rows.labels.forEach((labels, row) => found.set(labels.key, { rows, row, labels }));
  }
  return [...found.values()].sort((a, b) => compareLabels(a.labels, b.labels));
}

/** `{__name__="up", job="api"} 1 1761955200000` */
function printSamples(labels: Labels, samples: SampleBuffer, out: Out): void {
  const series = labels.toString();
  for (let i = 0; i < samples.count; i++) {
    const histogram = samples.histograms?.[i] ?? null;
    const value =
      histogram === null ? formatFloatShort(samples.values[i]!) : histogramText(histogram);
    out(`${series} ${value} ${samples.timestampsMs[i]}\n`);
  }
}

/** Whole counts are those of an integer histogram, nearly always, and have all their digits. */
function histogramText(histogram: FloatHistogram): string {
  const { count, zeroCount, positiveCounts, negativeCounts } = histogram;
  const isWhole = [count, zeroCount, ...positiveCounts, ...negativeCounts].every(Number.isInteger);
  return isWhole ? formatHistogram(histogram, formatFloat) : formatHistogram(histogram);
}

/** `{"__name__":"up","job":"api"}` */
function printJson(labels: Labels, samples: SampleBuffer, out: Out): void {
  if (samples.count === 0) return;
  // As Go writes JSON, which is made to be safe inside HTML.
  const json = JSON.stringify(labels.toObject()).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  out(`${json}\n`);
}

/** `up{job="api"} 1 1761955200.000` */
function printOpenMetrics(labels: Labels, samples: SampleBuffer, out: Out): void {
  const pairs: string[] = [];
  for (const [name, value] of labels) {
    if (name !== METRIC_NAME) pairs.push(`${name}=${quoteText(value)}`);
  }
  const series = `${labels.get(METRIC_NAME)}{${pairs.join(',')}}`;
  for (let i = 0; i < samples.count; i++) {
    if ((samples.histograms?.[i] ?? null) !== null || isStaleAt(samples.values, i)) continue;
    const seconds = (samples.timestampsMs[i]! / 1000).toFixed(3);
    out(`${series} ${formatFloatShort(samples.values[i]!)} ${seconds}\n`);
  }
}

/** Joins short texts, because every write to a pipe is a call of the system. */
class Pieces {
  readonly #out: Out;
  #text = '';

  constructor(out: Out) {
    this.#out = out;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= PIECE_LENGTH) this.flush();
  }

  flush(): void {
    if (this.#text !== '') this.#out(this.#text);
    this.#text = '';
  }
}
