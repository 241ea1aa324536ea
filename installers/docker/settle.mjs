// Takes out of an unpacked docker archive what differs from build to build: the
// name of the container that the engine made for building, and the names under
// which the engine knew the image itself. node settle.mjs FOLDER NAME:TAG
// What stays: the configuration under its own sum, the layers, the manifest.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [, , folder, name] = process.argv;
const [image, ...more] = JSON.parse(readFileSync(join(folder, 'manifest.json')));
if (!image || more.length) throw new Error(`${folder} holds ${more.length + 1} images, not one`);
const config = JSON.parse(readFileSync(join(folder, image.Config)));
delete config.container;
delete config.container_config; // docker ignores it; it repeats "config"
config.config.Hostname = '';
const keep = new Set(['manifest.json']);
config.rootfs.diff_ids.forEach((id, i) => {
  const layer = image.Layers[i];
  if (`sha256:${createHash('sha256').update(readFileSync(join(folder, layer))).digest('hex')}` !== id) throw new Error(`${layer} is not ${id}`);
  keep.add(layer.split('/')[0]);
});
const text = JSON.stringify(config);
const file = `${createHash('sha256').update(text).digest('hex')}.json`;
writeFileSync(join(folder, file), text);
keep.add(file);
writeFileSync(join(folder, 'manifest.json'), JSON.stringify([{ Config: file, RepoTags: [name], Layers: image.Layers }]));
for (const entry of readdirSync(folder)) if (!keep.has(entry)) rmSync(join(folder, entry), { recursive: true });
