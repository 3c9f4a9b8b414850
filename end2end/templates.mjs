// Makes templates for a portal under test: `node templates.mjs many|hidden FOLDER`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const templates = {
  many: [
    ['abacus', 'Abacus', 'Counts on beads.'],
    ['beacon', 'Beacon', 'Shines at night.'],
    ['compass', 'Compass', 'Points to the north.'],
    ['dynamo', 'Dynamo', 'Makes current from motion.'],
    ['easel', 'Easel', 'Holds a canvas.'],
    ['fleeting', 'Fleeting', 'Is withdrawn by a test.'],
    ['gimbal', 'Gimbal', 'Keeps a compass level.'],
    ['hammock', 'Hammock', 'Hangs between trees.'],
    ['inkwell', 'Inkwell', 'Holds ink, and has a summary that is too long for one line of its card.'],
  ],
  hidden: [['secret', 'Secret', 'Is for a group.', 'groups = ["staff"]']],
};

const [which, folder] = process.argv.slice(2);
for (const [id, name, summary, more = ''] of templates[which]) {
  mkdirSync(path.join(folder, id), { recursive: true });
  writeFileSync(path.join(folder, id, 'template.toml'), `
[template]
id = "${id}"
name = "${name}"
summary = "${summary}"
version = "1.0.0"
image = "sandbox/hello:1.0.0"
port = 80
first_access = "none-needed"
${more}

[[health]]
path = "/"

[[parameter]]
key = "motto"
type = "string"
label = "Motto"
env = "MOTTO"
`);
}
