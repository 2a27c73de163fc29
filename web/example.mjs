// Converts a checkpoint or model YAML under Node.js: node example.mjs best.pt
import { convert } from './ysc2onnx.js';

const [input, output = input.replace(/\.\w+$/, '.onnx')] = process.argv.slice(2);
try {
  const { model, command } = await convert(input, { output, check: 'none' });
  console.log(`${model.path}  ${model.size} bytes\nsha256 ${model.sha256}\nthe same file as of: ${command}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
