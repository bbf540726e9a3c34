/** Type and title of a reference such as `service[nginx]`. */
export function partsOf(ref: string): { readonly type: string; readonly title: string } {
  const open = ref.indexOf('[')
  return { type: ref.slice(0, open), title: ref.slice(open + 1, -1) }
}
