import { attr, h } from '../dom'
import { hand } from '../hand'
import { load, parse } from '../safe'
import type { App } from '../types'

const SIDE = 2048
const CSS = `.up{display:block;padding:4px 8px 10px;font-size:12px;color:var(--muted)}`

/** Asks for files, or takes those that were dropped or pasted, and sends them. */
hand((app, files?: FileList) => {
  if (files) return void sendAll(app, files)
  const i = h('input')
  i.type = 'file'
  i.multiple = true
  i.onchange = () => i.files && sendAll(app, i.files)
  i.click()
})

async function sendAll(app: App, files: FileList) {
  const v = app.view
  let line = v.form.querySelector<HTMLElement>('.up')
  if (!line) {
    v.style(CSS)
    line = h('p', 'up')
    attr(line, 'role', 'status')
    v.form.insertBefore(line, v.row)
  }
  const tell = (t: string) => (line!.textContent = t)
  for (let i = 0; i < files.length && i < 5; i++) {
    const f = files[i]
    tell(app.t('sendingFile', 'Sending {name}').replace('{name}', f.name))
    try {
      const problem = await upload(app, f)
      if (problem) return void tell(problem)
    } catch {
      return void tell(app.t('fileFailed', '{name} could not be sent. Please try again.').replace('{name}', f.name))
    }
  }
  line.remove()
}

/** Sends one file; returns what is wrong with it, in the visitor's words. */
async function upload(app: App, file: File): Promise<string | undefined> {
  const max = app.site.maxUpload || 10 << 20
  const body = await smaller(file)
  if (body.size > max) return app.t('fileBig', '{name} is larger than {n} MB.').replace('{name}', file.name).replace('{n}', String(Math.round(max / 1048576)))
  const form = new FormData()
  form.append('file', body, file.name)
  const r = await load(app.base + 'v1/upload?site=' + encodeURIComponent(app.name), {
    method: 'POST',
    credentials: 'omit',
    headers: { authorization: 'Bearer ' + app.store.saved.t },
    body: form,
  })
  if (r.status == 413) return app.t('fileBig', '{name} is larger than {n} MB.').replace('{name}', file.name).replace('{n}', String(Math.round(max / 1048576)))
  if (r.status == 415) return app.t('fileKind', 'Files like {name} are not accepted.').replace('{name}', file.name)
  if (!r.ok) throw new Error('upload: ' + r.status)
  const d = parse(await r.text())
  const url = String(d.url)
  if (!app.own(url)) throw new Error('upload: foreign address')
  app.say((/^image\//.test(String(d.type)) ? '![' : '[') + (String(d.name || file.name).replace(/[[\]\n]/g, ' ') || 'file') + '](' + url + ')')
  return undefined
}

/**
 * Photographs of phones are drawn anew, at most 2048 px a side: that saves the
 * visitor's volume and leaves the place where they were taken behind. What
 * cannot be drawn goes as it is.
 */
async function smaller(file: File): Promise<Blob> {
  if (!/^image\/(jpeg|webp)$/.test(file.type)) return file
  try {
    const b = await createImageBitmap(file)
    const k = Math.min(1, SIDE / Math.max(b.width, b.height))
    const c = h('canvas')
    c.width = Math.round(b.width * k)
    c.height = Math.round(b.height * k)
    c.getContext('2d')!.drawImage(b, 0, 0, c.width, c.height)
    return (await new Promise<Blob | null>(ok => c.toBlob(ok, file.type, 0.85))) || file
  } catch {
    return file
  }
}
