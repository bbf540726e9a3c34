import { main } from './main.ts'

/** What runs where there is no snapshot of it, or it does not fit: the sources, and the bundle by itself. */
void main()
