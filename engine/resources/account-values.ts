/**
 * What is declared of a user; what is absent is chosen by the system for a
 * new one, and kept for one that is there.
 */
export interface UserValues {
  readonly uid?: number
  /** Primary group, by name or number. */
  readonly gid?: string | number
  readonly comment?: string
  readonly home?: string
  readonly shell?: string
  /** Supplementary groups; "minimum" keeps the others. */
  readonly groups?: { readonly names: readonly string[]; readonly membership: Membership }
}
export type Membership = 'minimum' | 'inclusive'

/** The changes of users and groups that the types make, whichever way the host allows. */
export interface AccountTools {
  addUser(name: string, values: UserValues, how: { system: boolean; home: boolean }): Promise<void>
  /** `moveHome` takes what is in the old home along. */
  changeUser(name: string, values: UserValues, how: { moveHome: boolean }): Promise<void>
  /** Leaves the home where it is; a group of the user's own name goes too when nobody else is in it. */
  removeUser(name: string): Promise<void>
  addGroup(name: string, values: { gid?: number | undefined; system: boolean }): Promise<void>
  /** Users whose primary group it is stay in it. */
  changeGroup(name: string, gid: number): Promise<void>
  /** Exactly these. */
  setMembers(name: string, members: readonly string[]): Promise<void>
  removeGroup(name: string): Promise<void>
}
