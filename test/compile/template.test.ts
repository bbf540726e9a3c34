import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadTemplate, parseTemplate } from '../../engine/compile/template.ts'
import { TemplateError } from '../../engine/compile/template-error.ts'
import { temporaryFolder } from './road.ts'

const render = (text: string, values: Record<string, unknown> = {}) =>
  parseTemplate(text, 'x.hbs').render(values)
function mistake(text: string, values: Record<string, unknown> = {}): string {
  try {
    render(text, values)
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return `${error.line}:${error.column} ${error.message}`
  }
  throw new Error('it was rendered')
}

describe('a template writes', () => {
  test.each([
    ['values as they are, for files are no HTML', '{{a}}', { a: `<&>"'` }, `<&>"'`],
    ['neighbouring numbers one after the other', '{{a}}{{b}}', { a: 1, b: 2 }, '12'],
    ['true and false', '{{a}} {{b}}', { a: true, b: false }, 'true false'],
    ['nothing for a value that is unset', '[{{a}}]', { a: undefined }, '[]'],
    ['the branch of a condition', '{{#if a}}y{{else}}n{{/if}}', { a: undefined }, 'n'],
    ['a list', '{{#each a}}{{this}};{{/each}}', { a: ['x', 'y'] }, 'x;y;'],
    ['a map with its keys', '{{#each a}}{{@key}}={{this}};{{/each}}', { a: { k: 1 } }, 'k=1;'],
    ['names above a block', '{{#each a}}{{../b}}{{this}}{{/each}}', { a: [1, 2], b: 'n' }, 'n1n2'],
    ['an item by name', '{{#each a as |x i|}}{{i}}{{x.n}}{{/each}}', { a: [{ n: 'v' }] }, '0v'],
    ['a block with a map', '{{#with a}}{{b}}{{/with}}', { a: { b: 'v' } }, 'v'],
    ['a joined list', '{{join a ", "}}', { a: ['x', 1] }, 'x, 1'],
    ['a map as settings', '{{ini a}}', { a: { k: 'v', n: 1 } }, 'k = v\nn = 1'],
    ['an else that is a condition', '{{#if a}}y{{else if b}}z{{/if}}', { a: 0, b: 1 }, 'z'],
    ['a zero that counts', '{{#if a includeZero=true}}y{{/if}}', { a: 0 }, 'y'],
    ['what is not so', '{{#unless a}}{{b}}{{else}}n{{/unless}}', { a: [], b: 'y' }, 'y'],
    [
      'another text for an empty list',
      '{{#each a}}x{{else}}{{b}}{{/each}}',
      { a: [], b: 'n' },
      'n',
    ],
    [
      'where an item stands',
      '{{#each a}}{{@index}}{{#if @first}}^{{/if}}{{#if @last}}${{/if}}{{/each}}',
      { a: ['x', 'y', 'z'] },
      '0^12$',
    ],
    [
      'where the items of two lists stand',
      '{{#each a}}{{#each this}}{{@../index}}{{@index}}{{../../b}}{{@root.b}} {{/each}}{{/each}}',
      { a: [['x'], ['y', 'z']], b: 'n' },
      '00nn 10nn 11nn ',
    ],
    [
      'items by name below others',
      '{{#each a as |x|}}{{#with x.b as |y|}}{{x.c}}{{y}}{{this}}{{/with}}{{/each}}',
      { a: [{ b: 'v', c: 1 }] },
      '1vv',
    ],
    [
      'the same item twice, each in its block',
      '{{#each a}}{{#with this}}{{../../b}}{{/with}}{{/each}}',
      { a: ['x'], b: 'n' },
      'n',
    ],
    [
      'nothing for a member that an item need not have',
      '{{#each a}}{{#if this.b}}y{{/if}}{{/each}}',
      { a: [{}] },
      '',
    ],
    ['a helper of a helper', '{{shell (join a " ")}}', { a: ['x', 'y'] }, "'x y'"],
    ['no blanks beside a tilde', 'x {{~a~}} \n y', { a: 1 }, 'x1y'],
    ['JSON', '{{json a}}', { a: { k: ['v'] } }, '{"k":["v"]}'],
    ['one word for a shell', '{{shell a}}', { a: "it's $x" }, `'it'\\''s $x'`],
    ['braces behind a backslash', '\\{{a}}', {}, '{{a}}'],
    [
      'no line for a block that stands alone',
      'x\n{{#if a}}\ny\n{{/if}}\nz\n',
      { a: 1 },
      'x\ny\nz\n',
    ],
  ])('%s', (_title, text, values, expected) => {
    expect(render(text, values)).toBe(expected)
  })
})

describe('for the items of a for_each a template writes', () => {
  test.each([
    ['what differs in each', '{{a}}{{each.value.b}}{{a}}'],
    ['an item of both lists', '{{#each list}}{{this}}{{../each.value.b}};{{/each}}'],
    ['the branch of a condition', '{{#if each.value.c}}y{{a}}{{else}}n{{/if}}'],
    [
      'the branch of a condition inside',
      '{{#if a}}{{#if each.value.c}}y{{/if}}{{each.key}}{{/if}}',
    ],
    ['a list of the item', '{{#each each.value.d}}{{@index}}{{this}}{{../a}}{{/each}}'],
    ['what is found from the root', '{{#with a}}{{@root.each.value.b}}{{/with}}'],
    ['a helper of it', '{{join each.value.d a}}{{json list}}'],
  ])('%s', (_title, text) => {
    const template = parseTemplate(text, 'x.hbs')
    const values: Record<string, unknown> = { a: '-', list: ['x', 'y'] }
    const write = template.forItems(
      Object.assign(values, { each: { key: 0, value: { b: 'first', d: [] } } }),
    )
    for (const each of [
      { key: 1, value: { b: 'p', c: true, d: [1, 2] } },
      { key: 2, value: { b: 'q', c: false, d: [] } },
    ]) {
      values.each = each
      expect(write()).toBe(template.render({ ...values, each }))
    }
  })

  test('says where an item lacks a name', () => {
    const values: Record<string, unknown> = { each: { value: { b: 1 } } }
    const write = parseTemplate('x\n{{each.value.b}}', 'x.hbs').forItems(values)
    expect(write()).toBe('x\n1')
    values.each = { value: {} }
    expect(write).toThrow(new TemplateError('"b" is not a name that is known here', 2, 3, 'b'))
  })
})

describe('a template is refused', () => {
  test.each([
    ['for a name that is not known', 'x\n{{#each a}}{{b}}{{/each}}', { a: [{}] }, /^2:\d+ .*"b"/],
    ['for a list as text', '{{a}}', { a: [1] }, /a list or a map is no text/],
    ['for a map as text', '{{a}}', { a: { b: 1 } }, /a list or a map is no text/],
    ['for three braces', 'x {{{a}}}', { a: 1 }, /^1:3 .*two braces/],
    ['for a partial', '{{> other}}', {}, /^1:1 partials/],
    ['for a helper that does not exist', '{{shout a}}', { a: 1 }, /no helper "shout"/],
    ['for lookup', '{{lookup a "b"}}', { a: {} }, /no helper "lookup"/],
    ['for log', '{{log a}}', { a: 1 }, /no helper "log"/],
    ['for a block that does not exist', '{{#shout a}}{{/shout}}', { a: 1 }, /no block helper/],
    ['for a block that is not closed', 'x\n{{#if a}}\n', { a: 1 }, /^\d:1 .*ends inside a block/],
    ['for this where nothing is', '{{json this}}', {}, /nothing here that "this"/],
    ['for more than it has blocks', '{{#if a}}{{../a}}{{/if}}', { a: 1 }, /nothing here that/],
    ['for a place of no item', '{{#if a}}{{@index}}{{/if}}', { a: 1 }, /"index" is not a name/],
    [
      'for a member that an item lacks',
      '\n {{#each a}}{{this.b.c}}{{/each}}',
      { a: [{ b: {} }] },
      /^2:15 "c"/,
    ],
    ['for a member of what is not there', '{{#if a.b.c}}{{/if}}', { a: {} }, /"c" is not a name/],
    ['for a condition without a value', '{{#if}}{{/if}}', {}, /if takes one value/],
    ['for a helper as a block', '{{#join a ","}}{{/join}}', { a: [] }, /no block helper "join"/],
    ['for a decorator', '{{#*inline "x"}}{{/inline}}', {}, /decorators/],
    ['for a text as a name', '{{"a"}}', { a: 1 }, /no name/],
    ['for join without a list', 'x\n{{join a ","}}', { a: 'x' }, /^2:1 join takes a list/],
    ['for join without a separator', '{{join a}}', { a: ['x'] }, /separator/],
    ['for an inherited name', '{{#each a}}{{constructor}}{{/each}}', { a: [{}] }, /constructor/],
    ['for all names at once', '{{json @root}}', { a: 1 }, /"@root" as a whole/],
    ['for a member that a list inherits', '{{a.map}}', { a: [] }, /"map" is not a name/],
    ['for a prototype', '{{a.__proto__.x}}', { a: {} }, /__proto__|not known/],
  ])('%s', (_title, text, values, expected) => {
    expect(mistake(text, values)).toMatch(expected)
  })

  test('where it can not be read', () => {
    expect(() => loadTemplate('/nonexistent/x.hbs')).toThrow("can't be read")
  })
})

describe('what a template reads of its class', () => {
  const reads = (text: string) => parseTemplate(text, 'x.hbs').reads.map(({ name }) => name)
  test.each([
    ['{{a}} {{b.c.d}} {{a}}', ['a', 'b.c']],
    ['{{#if a}}{{b}}{{else}}{{c}}{{/if}}', ['a', 'b', 'c']],
    ['{{#each a}}{{b}}{{this.c}}{{../d}}{{else}}{{e}}{{/each}}', ['a', 'd', 'e']],
    ['{{#each a as |x|}}{{x}}{{x.y}}{{../x}}{{/each}}', ['a', 'x']],
    ['{{#each a}}{{#each b}}{{../c}}{{../../d}}{{/each}}{{/each}}', ['a', 'd']],
    ['{{#with a}}{{b}}{{/with}}', ['a']],
    ['{{join a b}}{{shell (join c ",")}}', ['a', 'b', 'c']],
    ['{{this.a}} {{./b}} {{this_c}}', ['a', 'b', 'this_c']],
    // Else the mark of a secret would not follow it.
    ['{{#with a}}{{@root.b}}{{@root.c.d}}{{/with}}', ['a', 'b', 'c.d']],
    ['{{! a }}{{!-- b --}}', []],
  ])('%s', (text, expected) => {
    expect(reads(text)).toEqual(expected)
  })

  test('has the place of each name', () => {
    const file = join(temporaryFolder(), 'x.hbs')
    writeFileSync(file, 'x\n  {{a}} {{#if b}}{{/if}}\n')
    expect(loadTemplate(file).reads).toEqual([
      { name: 'a', line: 2, column: 5 },
      { name: 'b', line: 2, column: 15 },
    ])
  })
})
