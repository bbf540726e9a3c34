import { manifestFolder, temporaryFolder } from '../compile/road.ts'
import { type Place, type Ran, type RunOptions, trip } from './trip.ts'

export const newPlace = (root: string = temporaryFolder()): Place => ({
  root,
  state: temporaryFolder(),
})

/** One trip of the road with a manifest (the class `main`) or several by path. */
export function runIn(
  place: Place,
  texts: string | Readonly<Record<string, string>>,
  options: RunOptions = {},
): Promise<Ran> {
  return trip(
    place,
    manifestFolder(typeof texts === 'string' ? { 'main.yaml': texts } : texts),
    options,
  )
}
