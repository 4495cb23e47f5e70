// ONNX Runtime as a peer of bench/compare: node ort.js MODEL.onnx BATCH THREADS FOLDER
//
// FOLDER holds input.json ({"shape": [N, H, W, 3]}) and input.raw (f32); outputs go there as
// peer.json and peer.raw. Then every line on standard input asks for one run, answered by its
// milliseconds.
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const ort = require('onnxruntime-node');

const [model, , threads, folder] = process.argv.slice(2);

// Channels last to channels first.
function transposed(data, [n, h, w, c]) {
  const to = new Float32Array(data.length);
  for (let i = 0; i < n; ++i)
    for (let y = 0; y < h; ++y)
      for (let x = 0; x < w; ++x)
        for (let k = 0; k < c; ++k)
          to[((i * c + k) * h + y) * w + x] = data[((i * h + y) * w + x) * c + k];
  return to;
}

async function main() {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const shape = JSON.parse(fs.readFileSync(path.join(folder, 'input.json'))).shape;
  const raw = fs.readFileSync(path.join(folder, 'input.raw'));
  const numbers = new Float32Array(raw.buffer, raw.byteOffset, raw.length / 4);
  const [n, h, w, c] = shape;
  const run = (data, dims) =>
    session.run({[session.inputNames[0]]: new ort.Tensor('float32', data, dims)});
  // Whichever layout the file was exported with.
  let feed = [Float32Array.from(numbers), shape];
  let outputs;
  try {
    outputs = await run(...feed);
  } catch {
    feed = [transposed(numbers, shape), [n, c, h, w]];
    outputs = await run(...feed);
  }
  const results = session.outputNames.map(name => outputs[name]);
  fs.writeFileSync(path.join(folder, 'peer.raw'),
                   Buffer.concat(results.map(t => Buffer.from(t.data.buffer, t.data.byteOffset,
                                                              t.data.byteLength))));
  fs.writeFileSync(path.join(folder, 'peer.json'), JSON.stringify({shapes: results.map(t => t.dims)}));
  console.log('ready ' + (ort.env.versions?.node ?? ''));
  for await (const line of readline.createInterface({input: process.stdin})) {
    const begin = process.hrtime.bigint();
    await run(...feed);
    console.log(Number(process.hrtime.bigint() - begin) / 1e6);
  }
}

main().catch(error => { console.error(String(error)); process.exit(1); });
