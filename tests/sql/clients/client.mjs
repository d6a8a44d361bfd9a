// The official JavaScript client: typed rows, parameters, streams, formats, compression, errors.
import assert from 'node:assert/strict'
import { createClient } from '@clickhouse/client'

const [url, password, session] = process.argv.slice(2)
const client = createClient({ url, username: 'js', password, database: 'audit' })
const compressed = createClient({ url, username: 'js', password, compression: { request: true, response: true } })

const rows = async (answer) => (await answer).json()
const ask = (query, query_params, format = 'JSONEachRow') => rows(client.query({ query, query_params, format }))

assert.ok((await client.ping()).success)
assert.match((await ask('SELECT version() AS v'))[0].v, /^26\./)

const [found] = await ask(
  'SELECT toString(session_id) AS id, exchanges FROM v_sessions WHERE principal = {who:String}', { who: 'ann' })
assert.equal(found.id, session)
assert.equal(Number(found.exchanges), 20)
const [none] = await ask('SELECT count() AS n FROM v_sessions WHERE principal = {who:String}', { who: "' OR 1=1 --" })
assert.equal(Number(none.n), 0)

const whole = await (await client.query({ query: 'SELECT number FROM numbers(3)', format: 'JSONCompact' })).json()
assert.deepEqual(whole.data.map(([n]) => Number(n)), [0, 1, 2])

let streamed = 0
const stream = (await client.query({ query: 'SELECT number FROM numbers(50000)', format: 'JSONEachRow' })).stream()
for await (const part of stream) streamed += part.length
assert.equal(streamed, 50000)

const many = await rows(compressed.query({ query: 'SELECT number FROM numbers(2000)', format: 'JSONEachRow' }))
assert.equal(many.length, 2000)

const limited = client.query({
  query: 'SELECT number FROM numbers(1000)', clickhouse_settings: { max_result_rows: '10', max_block_size: '10' } })
await assert.rejects(limited, /Limit for result/)
await assert.rejects(ask("SELECT file('/etc/passwd')"), (error) => error.code === '497')
await assert.rejects(ask('SELECT nosuch'), (error) => error.code === '47')
await client.close()
await compressed.close()
console.log('ok')
