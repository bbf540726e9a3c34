import { type FactType, factsSchema } from '../facts/schema.ts'
import type { CelType, Fields } from './expr.ts'

/** The facts with their types, as expressions are checked against them. */
export const factFields: Fields = fieldsOf(factsSchema)

function fieldsOf(schema: Readonly<Record<string, FactType>>): Fields {
  return Object.fromEntries(Object.entries(schema).map(([name, fact]) => [name, fieldOf(fact)]))
}

function fieldOf(fact: FactType): CelType | Fields {
  switch (fact.type) {
    case 'string':
      return 'string'
    case 'integer':
      return 'int'
    case 'boolean':
      return 'bool'
    case 'list': {
      const item = fieldOf(fact.items)
      return typeof item === 'string' ? `list<${item}>` : 'list<dyn>'
    }
    case 'map':
      return fact.fields ? fieldsOf(fact.fields) : 'map<string, dyn>'
  }
}
