// What the page says, in English and Chinese. Messages of the program itself stay as the program gives them.

export const texts = {
  en: {
    pageTitle: 'best.pt to best.onnx', title: 'From best.pt to best.onnx',
    lead: 'Turn a trained YOLOv5 model into an ONNX file, see it checked layer by layer, and try it on a picture.',
    dropHere: 'Drop best.pt here', choose: 'Choose a file', write: 'Write a YAML',
    kinds: 'A checkpoint (.pt, .safetensors), a model YAML, or both at once',
    promise: 'Nothing leaves this computer. The page works without a network.', offline: 'works offline',
    another: 'Another model', layers: 'Layers', picture: 'Picture of the model', editor: 'Model YAML',
    editorLead: 'What is wrong is marked while you type.', options: 'Export', convert: 'Convert', cancel: 'Cancel', progress: 'Progress',
    same: 'The same bytes on a command line', copy: 'Copy', copied: 'Copied', look: 'See it work',
    lookLead: 'The file runs here, in ONNX Runtime Web.', picturesChoose: 'Choose a picture', camera: 'Use the camera', stop: 'Stop the camera',
    confidence: 'Confidence over', reading: 'Reading the model …', writing: 'Writing', checking: 'Checking', starting: 'Starting …', loading: 'Loading the model …',
    looking: 'Looking …', save: name => `Save ${name}`, saved: 'Saved.', cancelled: 'Cancelled. Nothing was kept.', checked: 'Every check held.',
    wrongFile: 'The file was written, but a check did not hold.', notChecked: why => `Not run: ${why}`,
    parameters: 'parameters', gflops: 'GFLOPs', classes: n => `${n} ${n === 1 ? 'class' : 'classes'}`, layersCount: 'layers', stride: 'stride', size: 'size',
    classesTitle: n => n === 1 ? '1 class' : `${n} classes`, danger: 'Careful:', module: 'module', from: 'from', output: 'output', arguments: 'arguments',
    line: n => `line ${n}`, nothingWrong: 'Nothing is wrong.', none: 'Nothing found', objects: n => n === 1 ? '1 object' : `${n} objects`, took: ms => `${ms} ms`,
    cannot: name => `${name} cannot be used here: a checkpoint, a model YAML, an .onnx file or a picture was expected.`,
    needModel: 'Choose a model first: best.pt, or an .onnx file.', noCamera: why => `The camera cannot be used: ${why}`,
    tooLarge: 'The model is too large to be run in a browser; the file itself is whole.',
    footer: 'A checkpoint is read as data: nothing in it is ever executed.',
    option_imgsz: 'Image size', option_batchSize: 'Batch', option_opset: 'Opset', option_dynamic: 'Open dimensions', option_head: 'Outputs', option_seed: 'Seed of the weights',
    option_optimize: 'Optimize the graph', option_strict: 'Warnings are errors', option_scconv: 'Formula of ScConv', option_check: 'Checks', option_externalData: 'Weights in a second file',
    words: { none: 'none', batch: 'batch', all: 'batch, height, width', full: 'all', fast: 'structure and a run' },
    checkNames: { structure: 'Structure', interface: 'Inputs and outputs', weights: 'Weights', numbers: 'Numbers', load: 'Loading', runtime: 'Run', profile: 'Profile' },
  },
  zh: {
    pageTitle: 'best.pt 转 best.onnx', title: '把 best.pt 变成 best.onnx',
    lead: '把训练好的 YOLOv5 模型转换成 ONNX 文件，逐层核对，并用图片试一试。',
    dropHere: '把 best.pt 拖到这里', choose: '选择文件', write: '编写 YAML',
    kinds: '检查点（.pt、.safetensors）、模型 YAML，或两者一起',
    promise: '任何数据都不会离开这台电脑。断网也能使用。', offline: '可离线使用',
    another: '换一个模型', layers: '各层', picture: '模型图', editor: '模型 YAML',
    editorLead: '边输入边标出错误。', options: '导出', convert: '转换', cancel: '取消', progress: '进度',
    same: '命令行得到相同的字节', copy: '复制', copied: '已复制', look: '看看效果',
    lookLead: '文件就在这里用 ONNX Runtime Web 运行。', picturesChoose: '选择图片', camera: '使用摄像头', stop: '关闭摄像头',
    confidence: '置信度高于', reading: '正在读取模型……', writing: '写入', checking: '核对', starting: '正在启动……', loading: '正在载入模型……',
    looking: '正在识别……', save: name => `保存 ${name}`, saved: '已保存。', cancelled: '已取消，没有留下任何文件。', checked: '所有检查均通过。',
    wrongFile: '文件已写出，但有一项检查未通过。', notChecked: why => `未运行：${why}`,
    parameters: '参数', gflops: 'GFLOPs', classes: n => `${n} 个类别`, layersCount: '层', stride: '步长', size: '大小',
    classesTitle: n => `${n} 个类别`, danger: '注意：', module: '模块', from: '来自', output: '输出', arguments: '参数',
    line: n => `第 ${n} 行`, nothingWrong: '没有发现错误。', none: '没有找到目标', objects: n => `${n} 个目标`, took: ms => `${ms} 毫秒`,
    cannot: name => `这里不能使用 ${name}：需要检查点、模型 YAML、.onnx 文件或图片。`,
    needModel: '请先选择模型：best.pt 或 .onnx 文件。', noCamera: why => `无法使用摄像头：${why}`,
    tooLarge: '模型太大，无法在浏览器里运行；文件本身是完整的。',
    footer: '检查点只作为数据读取：其中的任何内容都不会被执行。',
    option_imgsz: '图片大小', option_batchSize: '批量', option_opset: 'Opset', option_dynamic: '可变维度', option_head: '输出形式', option_seed: '权重的随机种子',
    option_optimize: '优化计算图', option_strict: '把警告当作错误', option_scconv: 'ScConv 的公式', option_check: '检查', option_externalData: '权重放在另一个文件',
    words: { none: '无', batch: '批量', all: '批量、高、宽', full: '全部', fast: '结构与试运行' },
    checkNames: { structure: '结构', interface: '输入与输出', weights: '权重', numbers: '数值', load: '载入', runtime: '运行', profile: '耗时' },
  },
};

const kept = () => { try { return localStorage.getItem('language'); } catch { return null; } };
export let language = kept() ?? (navigator.language.startsWith('zh') ? 'zh' : 'en');

/** The text of a key in the page's language. */
export const text = (key, ...args) => {
  const found = texts[language][key];
  return typeof found === 'function' ? found(...args) : found;
};

/** Says all of the page in a language. */
export function speak(next) {
  language = next;
  try { localStorage.setItem('language', next); } catch { /* a private window forgets it */ }
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
  document.title = text('pageTitle');
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', text(element.dataset.label));
}
