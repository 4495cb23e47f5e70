"""Writes checkpoints with PyTorch for the reader's test, or reads what the writer made.

make FOLDER: writes zip.pth and stream.pth, and expected.json with every tensor's numbers.
dump FILE: prints a checkpoint's tensors as JSON.
"""
import collections
import json
import math
import sys

import numpy
import torch


def number(value):
    if isinstance(value, bool) or isinstance(value, int):
        return int(value)
    return value if math.isfinite(value) else str(value)


def describe(tensor):
    wide = tensor.double() if tensor.is_floating_point() else tensor.long()
    return dict(
        dtype=str(tensor.dtype).replace('torch.', ''),
        shape=list(tensor.shape),
        values=[number(v) for v in wide.reshape(-1).tolist()])


def flatten(tree, path=''):
    if isinstance(tree, torch.Tensor):
        return {path: describe(tree.detach())}
    out = {}
    if isinstance(tree, dict):
        for key, value in tree.items():
            out.update(flatten(value, f'{path}/{key}'))
    elif isinstance(tree, (list, tuple)):
        for index, value in enumerate(tree):
            out.update(flatten(value, f'{path}/{index}'))
    return out


def make(folder):
    torch.manual_seed(0)
    floats = torch.tensor([0., -0., 1.5, -2.25, 65504., 6e-8, 1e-5, float('inf'), -float('inf'),
                           float('nan')])
    base = torch.arange(24.).reshape(2, 3, 4)
    tensors = collections.OrderedDict(
        f32=floats, f64=floats.double(), f16=floats.half(), bf16=floats.bfloat16(),
        i64=torch.tensor([-2**62, 0, 7]), i32=torch.tensor([-2**31, 5], dtype=torch.int32),
        i16=torch.tensor([-2**15, 5], dtype=torch.int16),
        i8=torch.tensor([-128, 127], dtype=torch.int8),
        u8=torch.tensor([0, 255], dtype=torch.uint8), bool=torch.tensor([True, False, True]),
        scalar=torch.tensor(3.5), empty=torch.zeros(0, 3), base=base, view=base[1, 1:, ::2],
        permuted=base.permute(2, 0, 1), expanded=torch.ones(1, 3).expand(4, 3),
        half_view=torch.randn(6, 4).half().t(),
        parameter=torch.nn.Parameter(torch.randn(2, 2)))
    tensors['module.weight'] = torch.randn(3, 2, 1, 1)
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 1), torch.nn.BatchNorm2d(3))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(2, 2, 4, 4)).sum().backward()
    optimizer.step()
    tree = dict(
        meta=dict(epoch=3, iter=10**12, big=-2**40, negative=-5, lr=1e-3, text='h\u00e9 \u2713',
                  none=None, flags=[True, False], pair=(1, 'x'), triple=(1, 2, 3), empty=(),
                  raw=b'\x00\xff\x80a', names={'a', 'b'}, size=torch.Size([2, 3]),
                  dtype=torch.float32, device=torch.device('cpu'), keys={0: 'zero', (1, 2): 't'},
                  scalar=numpy.float64(2.5), whole=numpy.int64(-7), flag=numpy.bool_(True),
                  array=numpy.arange(6, dtype=numpy.float32).reshape(2, 3),
                  column=numpy.asfortranarray(numpy.arange(6, dtype=numpy.int64).reshape(2, 3)),
                  counter=collections.Counter({170: 1, 200: 1}),
                  default=collections.defaultdict(list, a=[1])),
        state_dict=tensors, model_state=model.state_dict(), optimizer=optimizer.state_dict(),
        shared=[base, base])
    torch.save(tree, f'{folder}/zip.pth')
    torch.save(tree, f'{folder}/protocol4.pth', pickle_protocol=4)
    torch.save(tree, f'{folder}/stream.pth', _use_new_zipfile_serialization=False)
    with open(f'{folder}/expected.json', 'w') as out:
        json.dump(flatten(tree), out)


def dump(file):
    tree = torch.load(file, map_location='cpu')
    plain = {key: value for key, value in tree.items() if key != 'state_dict'}
    print(json.dumps(dict(tensors=flatten(tree), shared=tree['same'][0] is not None and
                          tree['same'][0].data_ptr() == tree['same'][1].data_ptr(),
                          meta=repr(plain['meta']))))


if __name__ == '__main__':
    {'make': make, 'dump': dump}[sys.argv[1]](sys.argv[2])
