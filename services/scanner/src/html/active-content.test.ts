import assert from 'node:assert/strict'
import { test } from 'node:test'
import { activeContent } from './active-content.ts'
import { htmlTexts } from './charset.ts'

const found = (html: string) => activeContent(html).map((piece) => `${piece.kind}: ${piece.bytes.toString()}`)

test('scripts, handlers, script URLs, objects and data URLs are taken out of a page', () => {
  assert.deepEqual(found('<p>x</p><SCRIPT type=x>evil()</SCRIPT>'), ['script: evil()'])
  assert.deepEqual(found('<script>unclosed('), ['script: unclosed('])
  assert.deepEqual(found('<img src=x onError="a&#40;1)">'), ['handler: a(1)'])
  assert.deepEqual(found('<a href=" java\tscript:go()">x</a>'), ['url:  java\tscript:go()'])
  assert.deepEqual(found('<object classid="clsid:123"></object>'), ['object: object classid=clsid:123'])
  assert.deepEqual(found(`<a href="data:text/html;base64,${Buffer.from('PAYLOAD').toString('base64')}">`), [
    'data: PAYLOAD',
  ])
  assert.deepEqual(found('<!--[if mso]><script>old()</script><![endif]-->'), ['script: old()'])
  assert.deepEqual(found('<p style="color:red">harmless <b>mail</b></p>'), [])
})

test('a file that a script would hand out is taken out, also when its letters are in pieces', () => {
  const file = Buffer.from('a file that is long enough to be worth it, in a script of a page')
  const letters = file.toString('base64')
  for (const text of [letters, letters.match(/.{1,20}/g)!.join('" +\n"')])
    assert.ok(found(`<script>save(atob("${text}"))</script>`).includes(`data: ${file}`))
  assert.ok(found(`<body onload='save(atob("${letters}"))'>`).includes(`data: ${file}`))
})

test('a page is read in the charset that it or its header names', () => {
  const html = '<script>x()</script>'
  const reads = (bytes: Buffer, type: string) => htmlTexts(bytes, [type]).some((text) => text.includes(html))
  assert.ok(reads(Buffer.from(html, 'utf16le'), 'text/html; charset=utf-16le'))
  assert.ok(reads(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(html, 'utf16le')]), 'text/html'))
  assert.ok(reads(Buffer.from(html, 'utf16le').swap16(), 'text/html'))
  assert.ok(reads(Buffer.from('+ADw-script+AD4-x()+ADw-/script+AD4-'), 'text/html; charset=utf-7'))
  assert.ok(reads(Buffer.from(html), 'text/html; charset=shift_jis'))
})
