/** Small words for people: numbers, sizes, times, and names that may hold anything. */

const THOUSAND = 1000;
const SIZE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/** `1234567` as `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 file`, `2 files`. */
export function formatCounted(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** Bytes in decimal units with at most one digit behind the point: `999 B`, `1.5 kB`, `12 MB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.95 would be rounded to 1000.0.
  while (value >= (unit === 0 ? THOUSAND : THOUSAND - 0.05) && unit < SIZE_UNITS.length - 1) {
    value /= THOUSAND;
    unit += 1;
  }
  const digits = unit === 0 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '');
  return `${digits} ${SIZE_UNITS[unit]}`;
}

/** A length of time in its two largest units: `250 ms`, `3 s`, `2 min 5 s`, `4 d 2 h`. */
export function formatDuration(ms: number): string {
  if (ms < THOUSAND) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.floor(ms / THOUSAND);
  const parts: [number, string][] = [
    [Math.floor(seconds / DAY_S), 'd'],
    [Math.floor((seconds % DAY_S) / HOUR_S), 'h'],
    [Math.floor((seconds % HOUR_S) / MINUTE_S), 'min'],
    [seconds % MINUTE_S, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** A length of time as a clock counts it down: `0:07`, `12:34`, `1:02:03`. */
export function formatCountdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const two = (amount: number): string => String(amount).padStart(2, '0');
  const minutes = Math.floor((whole % HOUR_S) / MINUTE_S);
  const hours = Math.floor(whole / HOUR_S);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % MINUTE_S)}` : `${minutes}:${two(whole % MINUTE_S)}`;
}

/** Time of day in local time: `20:16:05`. */
export function formatTimeOfDay(timeMs: number): string {
  const date = new Date(timeMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/**
 * A name as one line that cannot command a terminal: control characters, line breaks and
 * characters that turn the direction of writing are shown as escapes. Everything else stays.
 */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
