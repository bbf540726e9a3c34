import { main } from '../../engine/cli/main.ts'
import { Database } from '../../engine/record/database.ts'

/**
 * A steward whose record commits nothing before its end. What a kill takes from it shows that the series would find
 * a journal that drops commits.
 */
const { commit, close } = Object.getOwnPropertyDescriptors(Database.prototype)
Object.assign(Database.prototype, {
  commit: () => undefined,
  close(this: Database) {
    commit.value?.call(this)
    close.value?.call(this)
  },
})
void main()
