// Renders formulas, in name only: it answers with what it is.
import { createServer } from 'node:http'

const server = createServer((_request, response) => response.end('katex of VERSION\n'))
server.listen(Number(process.argv[2]), '127.0.0.1')
