/**
 * `node scripts/count-tests.mjs <folder>`: sums up what suites left there, each a `<suite>.json` of
 * vitest, a `<suite>.log`, and a `<suite>.status` with its exit status. Names what failed and what was
 * skipped and why; the last line is `N passed, N failed`. Plain JavaScript, so that it can report
 * a set-up that failed too.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('usage: node scripts/count-tests.mjs <folder>');

const read = (name) => {
  const file = path.join(folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};
const plain = (text) => text.replaceAll(/\x1b\[[\d;]*m/g, '');

function countSuite(suite) {
  /** @type {{ passed: number, failed: string[], skipped: string[] }} */
  const counts = { passed: 0, failed: [], skipped: [] };
  const report = read(`${suite}.json`);
  for (const file of report === '' ? [] : JSON.parse(report).testResults) {
    const name = path.relative(process.cwd(), file.name);
    for (const { status, fullName } of file.assertionResults) {
      if (status === 'passed') counts.passed++;
      else if (status === 'failed') counts.failed.push(`${name}: ${fullName}`);
      else counts.skipped.push(`${name}: ${fullName}`);
    }
    const hasFailures = file.assertionResults.some(({ status }) => status === 'failed');
    if (file.status === 'failed' && !hasFailures) counts.failed.push(`${name} (as a whole)`);
  }
  for (const [, step] of plain(read(`${suite}.log`)).matchAll(/^FAIL (.+) \([\d.]+ s\)$/gm)) {
    // `tests` and `checks` sum up what is named anyway.
    if (step !== 'tests' && step !== 'checks') counts.failed.push(`check of ${step}`);
  }
  const status = read(`${suite}.status`).trim();
  if (status !== '0' && counts.failed.length === 0) {
    counts.failed.push(`${suite}: ended with status ${status || 'unknown'}`);
  }
  return counts;
}

let [passedCount, failedCount] = [0, 0];
const suites = readdirSync(folder)
  .filter((name) => name.endsWith('.status'))
  .map((name) => name.slice(0, -'.status'.length))
  .sort();
for (const suite of suites) {
  const { passed, failed, skipped } = countSuite(suite);
  passedCount += passed;
  failedCount += failed.length;
  console.log(`${suite}: ${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  for (const name of failed) console.log(`  FAILED  ${name}`);
  const reasons = plain(read(`${suite}.log`)).matchAll(/^skipped: (.*)$/gm);
  for (const reason of new Set([...reasons].map(([, text]) => text))) {
    console.log(`  reason to skip: ${reason}`);
  }
  const bySkippedFile = new Map();
  for (const name of skipped) {
    const [file] = name.split(': ');
    bySkippedFile.set(file, [...(bySkippedFile.get(file) ?? []), name]);
  }
  for (const [file, names] of bySkippedFile) {
    console.log(`  skipped  ${file}: ${names.length}, such as ${names[0].slice(file.length + 2)}`);
  }
}
if (suites.length === 0) failedCount++;
console.log(`${passedCount} passed, ${failedCount} failed`);
process.exitCode = failedCount === 0 ? 0 : 1;
