import fc from 'fast-check'

const indent = fc.constantFrom('', '', '', '', ' ', '  ', '\t', '\u00a0', '\u001c', '\u0085')
const end = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r', '\u2028', '\v')
const word = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'A',
    'Port',
    'k',
    'DEFAULT',
    'default',
    'İ',
    'ΑΣ',
    'ß',
    '𝒳',
    '__proto__',
  ),
  fc.string({
    unit: fc.constantFrom(...Array.from('ab=:#;[] \t\ufeff\u001f\u2003x')),
    maxLength: 6,
  }),
)
const separator = fc.constantFrom('=', ' = ', ':', ' : ', '=  ', ' =', '\t=\u00a0')
const option = fc.tuple(word, separator, word).map((parts) => parts.join(''))
const header = fc.oneof(
  word.map((name) => `[${name}]`),
  fc.constantFrom('[a]', '[b]', '[c]', '[DEFAULT]', '[]', '[]]', '[a] tail', '[a', '[ a ]'),
)
const comment = fc.tuple(fc.constantFrom('#', ';'), word).map((parts) => parts.join(''))
const content = fc.oneof(
  { arbitrary: option, weight: 6 },
  { arbitrary: header, weight: 2 },
  { arbitrary: comment, weight: 2 },
  { arbitrary: fc.constantFrom('', ' ', '\t'), weight: 2 },
  { arbitrary: word, weight: 1 },
)

/** Files that probe the odd corners of the format; about half of them hold a mistake. */
export const nastyConf: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('[a]\n', '[start]\r\n', '[DEFAULT]\n', '', '\ufeff'),
    fc.array(
      fc.tuple(indent, content, end).map((parts) => parts.join('')),
      { maxLength: 9 },
    ),
    fc.constantFrom('', '', 'last = 1', '  more'),
  )
  .map(([start, lines, last]) => start + lines.join('') + last)
