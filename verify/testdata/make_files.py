"""Small ONNX files of many kinds, made with Debian's python3-onnx: what other exporters write, and this project never does.

    python3 make_files.py files

ok_*: sound by the specification (onnx.checker agrees, as far as its version knows the IR version, but that it wants shapes of
a graph's inputs and outputs)
*_notrun: sound, but ONNX Runtime cannot run it on input that is made up. bad_*: unsound by the
specification. onnx.checker finds some of these only; each has its one fault, which the name says.
"""
import copy
import os
import sys
import warnings
import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import compose
from onnx import helper as h
from onnx import numpy_helper as nh
from onnx import version_converter
warnings.filterwarnings('ignore')
OUT = sys.argv[1]
os.makedirs(OUT, exist_ok=True)
os.chdir(OUT)

def save(name, m, **k):
    onnx.save(m, name + '.onnx', **k)
rng = np.random.RandomState(0)

def vi(n, t=T.FLOAT, s=(1, 3, 32, 32)):
    return h.make_tensor_value_info(n, t, s)

def model(nodes, ins, outs, inits=(), opset=13, ir=8, imports=(), **k):
    m = h.make_model(h.make_graph(nodes, 'g', ins, outs, list(inits)), opset_imports=[h.make_opsetid('', opset)] + [h.make_opsetid(*i) for i in imports], **k)
    m.ir_version = ir
    return m
W = nh.from_array(rng.randn(4, 3, 3, 3).astype('f4'), 'w')
conv = lambda: model([h.make_node('Conv', ['x', 'w'], ['y'], pads=[1] * 4)], [vi('x')], [vi('y', s=(1, 4, 32, 32))], [W])
m = conv()
save('ok_conv', m)
for ir, op in [(3, 7), (3, 9), (6, 13), (4, 17), (8, 6)]:
    m = conv()
    m.ir_version = ir
    m.opset_import[0].version = op
    if ir < 4:
        m.graph.input.append(vi('w', s=(4, 3, 3, 3)))
    save(f'ok_ir{ir}_opset{op}', m)
m = conv()
m.graph.initializer[0].CopyFrom(h.make_tensor('w', T.FLOAT, [4, 3, 3, 3], nh.to_array(W).ravel()))
save('ok_typed', m)
m = conv()
m.graph.initializer[0].CopyFrom(h.make_tensor('w', T.FLOAT16, [4, 3, 3, 3], nh.to_array(W).astype('f2').ravel()))
m.graph.input[0].type.tensor_type.elem_type = 10
m.graph.output[0].type.tensor_type.elem_type = 10
save('ok_f16_typed', m)
m.graph.initializer[0].CopyFrom(nh.from_array(nh.to_array(W).astype('f2'), 'w'))
save('ok_f16_raw', m)
m = model([h.make_node('Add', ['x', 'w'], ['y'])], [vi('x', T.DOUBLE, (2, 2))], [vi('y', T.DOUBLE, (2, 2))], [h.make_tensor('w', T.DOUBLE, [2, 2], [1, 2, 3, 4])])
save('ok_f64', m)
for t, n in [(T.INT8, 'i8'), (T.UINT8, 'u8'), (T.INT32, 'i32'), (T.INT64, 'i64'), (T.UINT32, 'u32'), (T.UINT64, 'u64'), (T.INT16, 'i16'), (T.UINT16, 'u16'), (T.BOOL, 'bool')]:
    save('ok_in_' + n, model([h.make_node('Cast', ['x'], ['y'], to=1)], [vi('x', t, (2, 3))], [vi('y', T.FLOAT, (2, 3))]))
    if t != T.BOOL:
        save('ok_init_' + n, model([h.make_node('Cast', ['w'], ['c'], to=1), h.make_node('Add', ['x', 'c'], ['y'])], [vi('x', T.FLOAT, (2,))], [vi('y', T.FLOAT, (2,))], [h.make_tensor('w', t, [2], [1, 2])]))
save('ok_out_u8', model([h.make_node('Cast', ['x'], ['y'], to=2)], [vi('x', T.FLOAT, (2, 3))], [vi('y', T.UINT8, (2, 3))]))
save('ok_out_i64_scalar', model([h.make_node('Size', ['x'], ['y'])], [vi('x', T.FLOAT, (2, 3))], [vi('y', T.INT64, ())]))
save('ok_out_f16_scalar', model([h.make_node('ReduceSum', ['x'], ['s'], keepdims=0), h.make_node('Cast', ['s'], ['y'], to=10)], [vi('x', T.FLOAT, (2, 3))], [vi('y', T.FLOAT16, ())]))
m = conv()
m.graph.output[0].type.tensor_type.ClearField('shape')
save('ok_output_shapeless', m)
m = conv()
m.graph.input[0].type.tensor_type.ClearField('shape')
save('ok_input_shapeless_notrun', m)
m = conv()
m.graph.output[0].type.tensor_type.shape.dim[1].dim_param = 'c'
m.graph.input[0].type.tensor_type.shape.dim[0].dim_param = 'n'
m.graph.output[0].type.tensor_type.shape.dim[0].dim_param = 'n'
save('ok_dynamic_batch', m)
q = [h.make_node('QuantizeLinear', ['x', 's', 'z'], ['xq']), h.make_node('DequantizeLinear', ['xq', 's', 'z'], ['xd']), h.make_node('DequantizeLinear', ['wq', 'ws', 'wz'], ['wd'], axis=0), h.make_node('Conv', ['xd', 'wd'], ['y'], pads=[1] * 4)]
save('ok_qdq', model(q, [vi('x')], [vi('y', s=(1, 4, 32, 32))], [nh.from_array(np.float32(0.01), 's'), nh.from_array(np.uint8(0), 'z'), nh.from_array(rng.randint(-127, 127, (4, 3, 3, 3)).astype('i1'), 'wq'), nh.from_array(np.full(4, 0.02, 'f4'), 'ws'), nh.from_array(np.zeros(4, 'i1'), 'wz')]))
save('ok_qlinear_ms', model([h.make_node('QuantizeLinear', ['x', 's', 'z'], ['xq']), h.make_node('QLinearSigmoid', ['xq', 's', 'z', 's', 'z'], ['yq'], domain='com.microsoft'), h.make_node('DequantizeLinear', ['yq', 's', 'z'], ['y'])], [vi('x')], [vi('y')], [nh.from_array(np.float32(0.01), 's'), nh.from_array(np.uint8(0), 'z')], imports=[('com.microsoft', 1)]))
then = h.make_graph([h.make_node('Relu', ['x'], ['t'])], 't', [], [h.make_tensor_value_info('t', T.FLOAT, None)])
els = h.make_graph([h.make_node('Neg', ['x'], ['e'])], 'e', [], [vi('e')])
save('ok_if', model([h.make_node('ReduceSum', ['x'], ['s'], keepdims=0), h.make_node('Greater', ['s', 'zero'], ['b']), h.make_node('If', ['b'], ['y'], then_branch=then, else_branch=els)], [vi('x')], [vi('y')], [nh.from_array(np.float32(0), 'zero')]))
body = h.make_graph([h.make_node('Add', ['acc', 'one'], ['acc2']), h.make_node('Identity', ['c'], ['c2'])], 'b', [vi('i', T.INT64, ()), vi('c', T.BOOL, ()), vi('acc', s=None)], [vi('c2', T.BOOL, ()), vi('acc2', s=None)])
save('ok_loop', model([h.make_node('Loop', ['n', '', 'x'], ['y'], body=body)], [vi('x')], [vi('y')], [nh.from_array(np.int64(3), 'n'), nh.from_array(np.float32(1), 'one')]))
save('ok_if_outer_output', model([h.make_node('ReduceSum', ['x'], ['s'], keepdims=0), h.make_node('Greater', ['s', 'zero'], ['b']), h.make_node('Relu', ['x'], ['r']), h.make_node('If', ['b'], ['y'], then_branch=h.make_graph([h.make_node('Identity', ['r'], ['t'])], 't', [], [vi('t')]), else_branch=h.make_graph([h.make_node('Constant', [], ['k'], value=nh.from_array(np.ones((1, 3, 32, 32), 'f4')))], 'e', [], [vi('k')]))], [vi('x')], [vi('y')], [nh.from_array(np.float32(0), 'zero')]))
save('ok_sequence_inside', model([h.make_node('SplitToSequence', ['x'], ['q'], axis=1), h.make_node('ConcatFromSequence', ['q'], ['y'], axis=1)], [vi('x')], [vi('y')]))
save('ok_sequence_out', model([h.make_node('SplitToSequence', ['x'], ['q'], axis=1), h.make_node('Relu', ['x'], ['y'])], [vi('x')], [vi('y'), h.make_tensor_sequence_value_info('q', T.FLOAT, None)]))
f = h.make_function('my.lib', 'Silu', ['a'], ['b'], [h.make_node('Sigmoid', ['a'], ['s']), h.make_node('Mul', ['a', 's'], ['b'])], [h.make_opsetid('', 13)])
g = h.make_function('my.lib', 'Twice', ['a'], ['b'], [h.make_node('Silu', ['a'], ['s'], domain='my.lib'), h.make_node('Silu', ['s'], ['b'], domain='my.lib')], [h.make_opsetid('', 13), h.make_opsetid('my.lib', 1)])
save('ok_functions', model([h.make_node('Conv', ['x', 'w'], ['c'], pads=[1] * 4), h.make_node('Twice', ['c'], ['y'], domain='my.lib')], [vi('x')], [vi('y', s=(1, 4, 32, 32))], [W], imports=[('my.lib', 1)], functions=[g, f]))
att = h.make_function('my.lib', 'Leak', ['a'], ['b'], [h.make_node('LeakyRelu', ['a'], ['b'])], [h.make_opsetid('', 13)])
att.attribute.append('alpha')
r = att.node[0].attribute.add()
r.name = 'alpha'
r.ref_attr_name = 'alpha'
r.type = 1
save('ok_function_attribute', model([h.make_node('Leak', ['x'], ['y'], domain='my.lib', alpha=0.3)], [vi('x')], [vi('y')], imports=[('my.lib', 1)], functions=[att]))
save('ok_custom_notrun', model([h.make_node('Magic', ['x'], ['y'], domain='corp.ops')], [vi('x')], [vi('y')], imports=[('corp.ops', 1)]))
save('ok_only_ms', (lambda m: (m.opset_import.pop(0), m)[1])(model([h.make_node('Gelu', ['x'], ['y'], domain='com.microsoft')], [vi('x')], [vi('y')], imports=[('com.microsoft', 1)])))
m = conv()
m.opset_import.append(h.make_opsetid('ai.onnx', 13))
save('ok_opset_twice_same', m)
m = conv()
m.graph.value_info.append(vi('y', s=(1, 4, 32, 32)))
m.graph.value_info.append(vi('y', s=(1, 4, 32, 32)))
save('ok_info_twice_same', m)
v = nh.from_array(np.array([1.0, 2.0], 'f4'), 'w')
ix = nh.from_array(np.array([0, 4], 'i8'), 'w_ix')
m = model([h.make_node('MatMul', ['x', 'w'], ['y'])], [vi('x', s=(2, 3))], [vi('y', s=(2, 3))])
m.graph.sparse_initializer.append(h.make_sparse_tensor(v, ix, [3, 3]))
save('ok_sparse', m)
ix2 = nh.from_array(np.array([[0, 0], [1, 1]], 'i8'), 'w_ix')
m = copy.deepcopy(m)
m.graph.sparse_initializer[0].CopyFrom(h.make_sparse_tensor(v, ix2, [3, 3]))
save('ok_sparse_full', m)
m = copy.deepcopy(m)
del m.graph.sparse_initializer[0].indices.dims[:]
m.graph.sparse_initializer[0].indices.dims.extend([4])
save('bad_sparse_indices', m)
save('ok_sparse_constant', model([h.make_node('Constant', [], ['w'], sparse_value=h.make_sparse_tensor(v, ix, [3, 3])), h.make_node('MatMul', ['x', 'w'], ['y'])], [vi('x', s=(2, 3))], [vi('y', s=(2, 3))]))
m = conv()
onnx.save(m, 'ok_external.onnx', save_as_external_data=True, location='ok_external.bin', size_threshold=0)
os.makedirs('sub', exist_ok=True)
m = conv()
onnx.save(m, 'ok_external_sub.onnx', save_as_external_data=True, location='sub/w.bin', size_threshold=0)
save('ok_two_inputs', model([h.make_node('Add', ['a', 'b'], ['y'])], [vi('a', s=('n', 4)), vi('b', s=('n', 4))], [vi('y', s=('n', 4))]))
save('ok_gather_notrun', model([h.make_node('Gather', ['t', 'i'], ['y'])], [vi('i', T.INT64, ('n',))], [vi('y', s=('n', 2))], [nh.from_array(rng.randn(1, 2).astype('f4'), 't')]))
save('ok_string_notrun', model([h.make_node('Identity', ['x'], ['y'])], [vi('x', T.STRING, (1,))], [vi('y', T.STRING, (1,))]))
save('ok_optional', model([h.make_node('Clip', ['x', '', 'mx'], ['y'])], [vi('x')], [vi('y')], [nh.from_array(np.float32(0.5), 'mx')]))
save('ok_ml', model([h.make_node('Binarizer', ['x'], ['y'], domain='ai.onnx.ml', threshold=0.5)], [vi('x', s=(2, 3))], [vi('y', s=(2, 3))], imports=[('ai.onnx.ml', 1)]))
a = conv()
a.graph.name = 'a'
b = model([h.make_node('Relu', ['u'], ['v'])], [vi('u', s=(1, 4, 32, 32))], [vi('v', s=(1, 4, 32, 32))])
save('ok_composed', compose.merge_models(compose.add_prefix(a, 'a_'), compose.add_prefix(b, 'b_'), io_map=[('a_y', 'b_u')]))
for op in (9, 11, 15, 17):
    save(f'ok_converted{op}', version_converter.convert_version(conv(), op))
for t, n, bits in [(21, 'uint4', 4), (22, 'int4', 4)]:
    w = T()
    w.name = 'w'
    w.dims.extend([3])
    w.data_type = t
    w.raw_data = b'!\x03'
    m = model([h.make_node('DequantizeLinear', ['w', 's'], ['d']), h.make_node('Add', ['x', 'd'], ['y'])], [vi('x', s=(3,))], [vi('y', s=(3,))], [w, nh.from_array(np.float32(0.5), 's')], opset=21, ir=10)
    save('ok_' + n, m)
    w.ClearField('raw_data')
    w.int32_data.extend([33, 3])
    m = model([h.make_node('DequantizeLinear', ['w', 's'], ['d']), h.make_node('Add', ['x', 'd'], ['y'])], [vi('x', s=(3,))], [vi('y', s=(3,))], [w, nh.from_array(np.float32(0.5), 's')], opset=21, ir=10)
    save('ok_typed_' + n, m)
w = T()
w.name = 'w'
w.dims.extend([3])
w.data_type = 17
w.raw_data = b'!\x03\x11'
save('ok_float8', model([h.make_node('DequantizeLinear', ['w', 's'], ['d']), h.make_node('Add', ['x', 'd'], ['y'])], [vi('x', s=(3,))], [vi('y', s=(3,))], [w, nh.from_array(np.float32(0.5), 's')], opset=19, ir=9))
w = T()
w.name = 'w'
w.dims.extend([2])
w.data_type = 16
w.raw_data = b'\x80?\x80?'
save('ok_bf16', model([h.make_node('Cast', ['w'], ['d'], to=1), h.make_node('Add', ['x', 'd'], ['y'])], [vi('x', s=(2,))], [vi('y', s=(2,))], [w]))
save('ok_complex', model([h.make_node('DFT', ['x'], ['y'], axis=1)], [vi('x', s=(1, 8, 1))], [vi('y', s=(1, 8, 2))], [], opset=17))
for op in (23, 24):
    save(f'ok_opset{op}', model([h.make_node('Relu', ['x'], ['y'])], [vi('x')], [vi('y')], opset=op, ir=11 if op == 23 else 12))
save('ok_opset40_notrun', model([h.make_node('Relu', ['x'], ['y'])], [vi('x')], [vi('y')], opset=40, ir=13))
save('ok_opset1', model([h.make_node('Relu', ['x'], ['y'])], [vi('x')], [vi('y')], opset=7, ir=3))
m = conv()
m.graph.node.insert(0, h.make_node('Relu', ['y'], ['z']))
save('bad_order', m)
m = conv()
m.graph.node.append(h.make_node('Relu', ['x'], ['y']))
save('bad_twice', m)
m = conv()
m.graph.output[0].name = 'nowhere'
save('bad_output', m)
m = conv()
m.graph.initializer[0].data_type = 77
save('bad_type', m)
m = conv()
m.graph.input[0].type.tensor_type.elem_type = 77
save('bad_input_type', m)
m = conv()
m.graph.initializer[0].dims[0] = 5
save('bad_size', m)
m = conv()
m.graph.node[0].domain = 'my.lib'
save('bad_domain', m)
m = conv()
m.ClearField('ir_version')
save('bad_no_ir', m)
m = conv()
m.opset_import.pop()
save('bad_no_opset', m)
m = conv()
m.opset_import.append(h.make_opsetid('', 12))
save('bad_opset_twice', m)
m = conv()
m.graph.initializer.append(W)
save('bad_init_twice', m)
m = conv()
m.graph.ClearField('output')
save('bad_no_output', m)
m = conv()
w = m.graph.initializer[0]
w.ClearField('raw_data')
w.int64_data.extend([1] * 108)
save('bad_wrong_field', m)
m = conv()
w = m.graph.initializer[0]
w.data_location = 1
w.ClearField('raw_data')
e = w.external_data.add()
e.key = 'location'
e.value = '../../etc/passwd'
save('bad_external_outside', m)
ff = h.make_function('my.lib', 'Silu', ['a'], ['b'], [h.make_node('Mul', ['a', 's'], ['b'])], [h.make_opsetid('', 13)])
save('bad_function_order', model([h.make_node('Silu', ['x'], ['y'], domain='my.lib')], [vi('x')], [vi('y')], imports=[('my.lib', 1)], functions=[ff]))
rr = h.make_function('my.lib', 'Loopy', ['a'], ['b'], [h.make_node('Loopy', ['a'], ['b'], domain='my.lib')], [h.make_opsetid('my.lib', 1)])
save('bad_function_recursive', model([h.make_node('Loopy', ['x'], ['y'], domain='my.lib')], [vi('x')], [vi('y')], imports=[('my.lib', 1)], functions=[rr]))
save('bad_function_twice', model([h.make_node('Silu', ['x'], ['y'], domain='my.lib')], [vi('x')], [vi('y')], imports=[('my.lib', 1)], functions=[f, f]))
save('bad_function_output', model([h.make_node('F', ['x'], ['y'], domain='my.lib')], [vi('x')], [vi('y')], imports=[('my.lib', 1)], functions=[h.make_function('my.lib', 'F', ['a'], ['b'], [h.make_node('Relu', ['a'], ['c'])], [h.make_opsetid('', 13)])]))
els2 = h.make_graph([h.make_node('Neg', ['later'], ['e'])], 'e', [], [vi('e')])
save('bad_subgraph', model([h.make_node('ReduceSum', ['x'], ['s'], keepdims=0), h.make_node('Greater', ['s', 'zero'], ['b']), h.make_node('If', ['b'], ['y'], then_branch=then, else_branch=els2)], [vi('x')], [vi('y')], [nh.from_array(np.float32(0), 'zero')]))
