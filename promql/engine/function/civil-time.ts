/**
 * Calendar of Unix seconds in UTC, for any float. What does not fit 64 bits, NaN included, is the
 * year 292277026596, as Prometheus has it.
 */
const DAY_SECONDS = 86_400;
const OVERFLOW_SECONDS = 2n ** 63n;

/** Days since 1970 and the second of the day. */
type Moment = { day: number; second: number };

function momentOf(value: number): Moment {
  const seconds = Math.trunc(value);
  if (Math.abs(seconds) <= Number.MAX_SAFE_INTEGER) {
    const day = Math.floor(seconds / DAY_SECONDS);
    return { day, second: seconds - day * DAY_SECONDS };
  }
  const whole = Math.abs(seconds) < 2 ** 63 ? BigInt(seconds) : OVERFLOW_SECONDS;
  const daySeconds = BigInt(DAY_SECONDS);
  let day = whole / daySeconds;
  if (whole < 0n && day * daySeconds !== whole) day--;
  return { day: Number(day), second: Number(whole - day * daySeconds) };
}

export type CivilDate = { year: number; month: number; day: number };

/** The Gregorian date of a day since 1970. Counts in eras of 400 years that begin in March. */
export function civilDate(day: number): CivilDate {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayFromMarch =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayFromMarch + 2) / 153);
  const monthOfYear = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (monthOfYear <= 2 ? 1 : 0),
    month: monthOfYear,
    day: dayFromMarch - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}

function isLeapYear(y: number): boolean {
  return (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0;
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function minute(value: number): number {
  return Math.floor((momentOf(value).second % 3600) / 60);
}

export function hour(value: number): number {
  return Math.floor(momentOf(value).second / 3600);
}

/** 0 is Sunday. */
export function dayOfWeek(value: number): number {
  return (((momentOf(value).day + 4) % 7) + 7) % 7;
}

export function dayOfMonth(value: number): number {
  return civilDate(momentOf(value).day).day;
}

export function dayOfYear(value: number): number {
  const date = civilDate(momentOf(value).day);
  let days = date.day;
  for (let i = 1; i < date.month; i++) days += MONTH_DAYS[i - 1]!;
  return date.month > 2 && isLeapYear(date.year) ? days + 1 : days;
}

export function daysInMonth(value: number): number {
  const date = civilDate(momentOf(value).day);
  return date.month === 2 && isLeapYear(date.year) ? 29 : MONTH_DAYS[date.month - 1]!;
}

export function month(value: number): number {
  return civilDate(momentOf(value).day).month;
}

export function year(value: number): number {
  return civilDate(momentOf(value).day).year;
}
