/** A value of zulip.conf that is a list with commas between its items; empty items count for nothing. */

/** The items as written, without the blanks around them. */
export function listItems(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/**
 * The list with these items at its end, the others as they were. What
 * stood on several lines comes to stand on one.
 */
export function withItems(value: string, added: readonly string[]): string {
  return joinItems([...listItems(value), ...added], value)
}

/** The list without the items that are meant. */
export function withoutItems(value: string, isMeant: (item: string) => boolean): string {
  return joinItems(
    listItems(value).filter((item) => !isMeant(item)),
    value,
  )
}

/** The list with each item renamed, and none twice. */
export function withRenamed(value: string, rename: (item: string) => string): string {
  return joinItems([...new Set(listItems(value).map(rename))], value)
}

/** With a blank after each comma, unless the list is written without. */
function joinItems(items: readonly string[], model: string): string {
  const isTight = model.includes(',') && !/,\s/.test(model)
  return items.join(isTight ? ',' : ', ')
}
