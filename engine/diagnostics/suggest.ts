import { distance } from 'fastest-levenshtein'

/** The candidate nearest to a misspelt word, where one is near enough to be meant. */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3))
  let best: string | undefined
  let bestDistance = limit + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue
    const d = mistypings(word.toLowerCase(), candidate.toLowerCase())
    if (d < bestDistance && candidate !== word) {
      best = candidate
      bestDistance = d
    }
  }
  return best
}

/** The edit distance, with two letters that changed places as one slip and not two. */
function mistypings(a: string, b: string): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  const swapped = `${a.slice(0, at)}${a[at + 1] ?? ''}${a[at] ?? ''}${a.slice(at + 2)}`
  return at < a.length && swapped === b ? 1 : distance(a, b)
}

/** `did you mean "x"?`, or undefined where nothing is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const near = suggest(word, candidates)
  return near === undefined ? undefined : `did you mean "${near}"?`
}
