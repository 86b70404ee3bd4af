/** The q-quantile (0..1) of numbers, by linear interpolation. */
export function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const low = Math.floor(place);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
}

export const median = (numbers) => quantile(numbers, 0.5);

/** {median, low, high, count}: the middle and the quartiles of what was measured; null stands for what was not. */
export function summary(values) {
  const numbers = values.filter((value) => value !== null);
  return { median: median(numbers), low: quantile(numbers, 0.25), high: quantile(numbers, 0.75), count: numbers.length };
}

/** How many times as long `theirs` took as `ours`: the median over runs of the same text, made one after the other. */
export function ratio(theirs, ours) {
  const both = theirs.map((value, i) => [value, ours[i]]).filter(([a, b]) => a != null && b != null);
  return both.length ? median(both.map(([a, b]) => a / b)) : null;
}
