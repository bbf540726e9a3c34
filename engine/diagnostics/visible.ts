/**
 * Control characters but tab and newline, and those that turn the direction of text or break a line unasked.
 */
const CONTROL = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu

/**
 * Text from a host or a manifest as it may be shown: control characters become marks, for a file, a title or
 * what a command printed must not be able to steer the terminal. Tabs and newlines stay.
 */
export function visible(text: string): string {
  return text.replace(CONTROL, mark)
}

/** Nearly all text that is shown. */
const PLAIN = /^[ -~]*$/

/** The same for what has to stay on one line: tabs and newlines become marks too. */
export function visibleLine(text: string): string {
  if (PLAIN.test(text)) return text
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

function mark(character: string): string {
  if (character === '\r') return '␍'
  const hex = character.charCodeAt(0).toString(16)
  return hex.length > 2 ? `\\u{${hex}}` : `\\x${hex.padStart(2, '0')}`
}
