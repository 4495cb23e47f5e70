"""The models that bench/compare times, written for PyTorch, with this project's parameter names.

Definitions after the papers: ResNet (He et al. 2015), HRNet (Sun et al. 2019), MobileNetV2 (Sandler
et al. 2018), ViT (Dosovitskiy et al. 2020), RTMPose (Jiang et al. 2023), SimpleBaseline's head (Xiao
et al. 2018). Input (N, 3, 256, 192).
"""
import torch
from torch import nn
from torch.nn import functional as F


def conv_bn(cin, cout, kernel, stride=1, groups=1):
    return (nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(cout))


class ConvModule(nn.Module):
    def __init__(self, cin, cout, kernel, stride=1, groups=1, act=nn.SiLU):
        super().__init__()
        self.conv, self.bn = conv_bn(cin, cout, kernel, stride, groups)
        self.act = act(inplace=True) if act else nn.Identity()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, cin, width, stride=1):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(cin, width, 1)
        self.conv2, self.bn2 = conv_bn(width, width, 3, stride)
        self.conv3, self.bn3 = conv_bn(width, width * 4, 1)
        self.downsample = None
        if stride != 1 or cin != width * 4:
            conv, bn = conv_bn(cin, width * 4, 1, stride)
            self.downsample = nn.Sequential(conv, bn)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn3(self.conv3(y)) + shortcut)


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, cin, width, stride=1):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(cin, width, 3, stride)
        self.conv2, self.bn2 = conv_bn(width, width, 3)

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + x)


def stage(block, cin, width, count, stride=1):
    first = block(cin, width, stride)
    rest = [block(width * block.expansion, width) for _ in range(count - 1)]
    return nn.Sequential(first, *rest)


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, 64, 7, 2)
        self.layer1 = stage(Bottleneck, 64, 64, 3)
        self.layer2 = stage(Bottleneck, 256, 128, 4, 2)
        self.layer3 = stage(Bottleneck, 512, 256, 6, 2)
        self.layer4 = stage(Bottleneck, 1024, 512, 3, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def fusion(widths, outputs):
    """HRNet: every output is the sum of all branches, brought to its resolution."""
    rows = []
    for i in range(outputs):
        row = []
        for j, width in enumerate(widths):
            if j == i:
                row.append(nn.Identity())
            elif j > i:
                conv, bn = conv_bn(width, widths[i], 1)
                row.append(nn.Sequential(conv, bn, nn.Upsample(scale_factor=2 ** (j - i))))
            else:
                steps = []
                for k in range(i - j):
                    last = k == i - j - 1
                    conv, bn = conv_bn(width, widths[i] if last else width, 3, 2)
                    steps.append(nn.Sequential(conv, bn, *([] if last else [nn.ReLU()])))
                row.append(nn.Sequential(*steps))
        rows.append(nn.ModuleList(row))
    return nn.ModuleList(rows)


class HRModule(nn.Module):
    def __init__(self, widths, outputs):
        super().__init__()
        self.branches = nn.ModuleList(stage(BasicBlock, w, w, 4) for w in widths)
        self.fuse_layers = fusion(widths, outputs)

    def forward(self, maps):
        maps = [branch(x) for branch, x in zip(self.branches, maps)]
        return [F.relu(sum(path(x) for path, x in zip(row, maps))) for row in self.fuse_layers]


class HRNet(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, 64, 3, 2)
        self.conv2, self.bn2 = conv_bn(64, 64, 3, 2)
        self.layer1 = stage(Bottleneck, 64, 64, 4)
        widths = [width * 2 ** i for i in range(4)]

        def step(cin, cout, stride):
            conv, bn = conv_bn(cin, cout, 3, stride)
            return nn.Sequential(conv, bn, nn.ReLU())

        self.transition1 = nn.ModuleList(
            [step(256, widths[0], 1), nn.Sequential(step(256, widths[1], 2))])
        for n in (2, 3):
            self.add_module(f"transition{n}", nn.ModuleList(
                [nn.Identity() for _ in range(n)] +
                [nn.Sequential(step(widths[n - 1], widths[n], 2))]))
        for n, count in ((2, 1), (3, 4), (4, 3)):
            self.add_module(f"stage{n}", nn.Sequential(*[
                HRModule(widths[:n], 1 if n == 4 and i == count - 1 else n)
                for i in range(count)]))

    def forward(self, x):
        x = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        x = self.layer1(x)
        maps = self.stage2([step(x) for step in self.transition1])
        for transition, part in ((self.transition2, self.stage3), (self.transition3, self.stage4)):
            maps = part([step(maps[min(i, len(maps) - 1)]) for i, step in enumerate(transition)])
        return maps[0]


class InvertedResidual(nn.Module):
    def __init__(self, cin, cout, stride, expand):
        super().__init__()
        middle = cin * expand
        widen = [ConvModule(cin, middle, 1, act=nn.ReLU6)] if expand > 1 else []
        self.conv = nn.Sequential(*widen,
                                  ConvModule(middle, middle, 3, stride, middle, act=nn.ReLU6),
                                  ConvModule(middle, cout, 1, act=None))
        self.shortcut = stride == 1 and cin == cout

    def forward(self, x):
        y = self.conv(x)
        return x + y if self.shortcut else y


class MobileNetV2(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = ConvModule(3, 32, 3, 2, act=nn.ReLU6)
        cin = 32
        rows = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                (6, 160, 3, 2), (6, 320, 1, 1))
        for i, (expand, cout, count, stride) in enumerate(rows):
            blocks = []
            for k in range(count):
                blocks.append(InvertedResidual(cin, cout, stride if k == 0 else 1, expand))
                cin = cout
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
        self.conv2 = ConvModule(320, 1280, 1, act=nn.ReLU6)

    def forward(self, x):
        x = self.conv1(x)
        for i in range(7):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.conv2(x)


class HeatmapHead(nn.Module):
    def __init__(self, cin, widths=(256, 256, 256)):
        super().__init__()
        layers = []
        for width in widths:
            layers += [nn.ConvTranspose2d(cin, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width),
                       nn.ReLU()]
            cin = width
        self.deconv_layers = nn.Sequential(*layers)
        self.final_layer = nn.Conv2d(cin, 17, 1)

    def forward(self, x):
        return self.final_layer(self.deconv_layers(x))


class EncoderLayer(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * width),
                                   "proj": nn.Linear(width, width)})
        layers = nn.ModuleList([nn.Sequential(nn.Linear(width, hidden), nn.GELU()),
                                nn.Linear(hidden, width)])
        self.ffn = nn.ModuleDict({"layers": layers})

    def forward(self, x):
        n, tokens, width = x.shape
        q, k, v = self.attn["qkv"](self.ln1(x)).view(n, tokens, 3, self.heads, -1).permute(
            2, 0, 3, 1, 4)
        weights = (q * q.shape[-1] ** -0.5 @ k.transpose(-2, -1)).softmax(-1)
        x = x + self.attn["proj"]((weights @ v).transpose(1, 2).reshape(n, tokens, width))
        expand, reduce = self.ffn["layers"]
        return x + reduce(expand(self.ln2(x)))


class ViT(nn.Module):
    def __init__(self, width=768, depth=12, heads=12, hidden=3072):
        super().__init__()
        self.patch_embed = nn.ModuleDict({"projection": nn.Conv2d(3, width, 16, 16, 2)})
        self.pos_embed = nn.Parameter(torch.zeros(1, 192, width))
        self.layers = nn.ModuleList(EncoderLayer(width, heads, hidden) for _ in range(depth))
        self.ln1 = nn.LayerNorm(width, 1e-6)

    def forward(self, x):
        x = self.patch_embed["projection"](x)
        n, c, h, w = x.shape
        x = x.flatten(2).transpose(1, 2) + self.pos_embed
        for layer in self.layers:
            x = layer(x)
        return self.ln1(x).transpose(1, 2).reshape(n, c, h, w)


class CSPBlock(nn.Module):
    def __init__(self, width, shortcut):
        super().__init__()
        self.conv1 = ConvModule(width, width, 3)
        self.conv2 = nn.ModuleDict({"depthwise_conv": ConvModule(width, width, 5, groups=width),
                                    "pointwise_conv": ConvModule(width, width, 1)})
        self.shortcut = shortcut

    def forward(self, x):
        y = self.conv2["pointwise_conv"](self.conv2["depthwise_conv"](self.conv1(x)))
        return y + x if self.shortcut else y


class CSPLayer(nn.Module):
    def __init__(self, width, count, shortcut):
        super().__init__()
        half = width // 2
        self.main_conv, self.short_conv = ConvModule(width, half, 1), ConvModule(width, half, 1)
        self.final_conv = ConvModule(width, width, 1)
        self.blocks = nn.Sequential(*[CSPBlock(half, shortcut) for _ in range(count)])
        self.attention = nn.ModuleDict({"fc": nn.Conv2d(width, width, 1)})

    def forward(self, x):
        x = torch.cat([self.blocks(self.main_conv(x)), self.short_conv(x)], 1)
        x = x * F.hardsigmoid(self.attention["fc"](x.mean((2, 3), keepdim=True)))
        return self.final_conv(x)


class Pyramid(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = ConvModule(width, width // 2, 1)
        self.conv2 = ConvModule(width * 2, width, 1)

    def forward(self, x):
        x = self.conv1(x)
        return self.conv2(torch.cat([x] + [F.max_pool2d(x, k, 1, k // 2) for k in (5, 9, 13)], 1))


class CSPNeXt(nn.Module):
    def __init__(self, deepen, widen):
        super().__init__()
        widths = [int(w * widen) for w in (64, 128, 256, 512, 1024)]
        half = int(64 * widen // 2)
        self.stem = nn.Sequential(ConvModule(3, half, 3, 2), ConvModule(half, half, 3),
                                  ConvModule(half, widths[0], 3))
        for i, count in enumerate((3, 6, 6, 3)):
            parts = [ConvModule(widths[i], widths[i + 1], 3, 2)]
            parts += [Pyramid(widths[i + 1])] if i == 3 else []
            parts += [CSPLayer(widths[i + 1], max(round(count * deepen), 1), i < 3)]
            self.add_module(f"stage{i + 1}", nn.Sequential(*parts))

    def forward(self, x):
        x = self.stem(x)
        for i in range(4):
            x = getattr(self, f"stage{i + 1}")(x)
        return x


class ScaleNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.g, self.scale = nn.Parameter(torch.ones(1)), width ** -0.5

    def forward(self, x):
        return x / (x.norm(dim=-1, keepdim=True) * self.scale).clamp(min=1e-5) * self.g


class GatedAttention(nn.Module):
    """Hua et al. 2022, with the squared rectifier in place of the softmax."""

    def __init__(self, width=256, s=128):
        super().__init__()
        self.e, self.s = 2 * width, s
        self.ln = ScaleNorm(width)
        self.uv = nn.Linear(width, 2 * self.e + s, bias=False)
        self.o = nn.Linear(self.e, width, bias=False)
        self.gamma, self.beta = nn.Parameter(torch.ones(2, s)), nn.Parameter(torch.zeros(2, s))
        self.res_scale = nn.ParameterDict({"scale": nn.Parameter(torch.ones(width))})

    def forward(self, x):
        u, v, base = F.silu(self.uv(self.ln(x))).split([self.e, self.e, self.s], -1)
        q, k = (base * self.gamma[i] + self.beta[i] for i in range(2))
        kernel = F.relu(q @ k.transpose(1, 2) / self.s ** 0.5).square()
        return x * self.res_scale["scale"] + self.o(u * (kernel @ v))


class RTMCCHead(nn.Module):
    def __init__(self, cin):
        super().__init__()
        self.final_layer = nn.Conv2d(cin, 17, 7, padding=3)
        self.mlp = nn.Sequential(ScaleNorm(48), nn.Linear(48, 256, bias=False))
        self.gau = GatedAttention()
        self.cls_x = nn.Linear(256, 384, bias=False)
        self.cls_y = nn.Linear(256, 512, bias=False)

    def forward(self, x):
        x = self.gau(self.mlp(self.final_layer(x).flatten(2)))
        return self.cls_x(x), self.cls_y(x)


class Model(nn.Module):
    def __init__(self, backbone, head):
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, x):
        return self.head(self.backbone(x))


def rtmpose(deepen, widen):
    return Model(CSPNeXt(deepen, widen), RTMCCHead(int(1024 * widen)))


MODELS = {
    "resnet50": lambda: Model(ResNet50(), HeatmapHead(2048)),
    "hrnet-w32": lambda: Model(HRNet(), HeatmapHead(32, ())),
    "mobilenetv2": lambda: Model(MobileNetV2(), HeatmapHead(1280)),
    "vit-b": lambda: Model(ViT(), HeatmapHead(768, (256, 256))),
    "rtmpose-t": lambda: rtmpose(0.167, 0.375),
    "rtmpose-s": lambda: rtmpose(0.33, 0.5),
    "rtmpose-m": lambda: rtmpose(0.67, 0.75),
    "rtmpose-l": lambda: rtmpose(1.0, 1.0),
}
