// Reads XML as strictly as the reports need it: one root, elements with text or children, five entities, nothing else.
import assert from 'node:assert/strict'

export interface XmlElement {
  name: string
  attributes: string
  children: XmlElement[]
  text: string
}

/** The root element. Fails over whatever is not well-formed. */
export function readXml(xml: string): XmlElement {
  const root: XmlElement = { name: '', attributes: '', children: [], text: '' }
  const open = [root]
  const rest = xml.replace(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/, '')
  for (const [token, closing, name, attributes] of rest.matchAll(/<(\/?)([a-z_]+)([^<>]*)>|[^<>]+|[<>]/g)) {
    assert.notEqual(token, '<')
    assert.notEqual(token, '>')
    const current = open.at(-1)!
    if (name === undefined) current.text += textOf(token)
    else if (closing === '/') assert.equal(open.pop()!.name, name)
    else {
      const element: XmlElement = { name, attributes: attributes!.trim(), children: [], text: '' }
      current.children.push(element)
      open.push(element)
    }
  }
  assert.equal(open.length, 1, 'an element is not closed')
  assert.equal(root.children.length, 1)
  return root.children[0]!
}

function textOf(token: string): string {
  assert.doesNotMatch(token, /&(?!(?:amp|lt|gt);)/)
  return token.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&')
}
